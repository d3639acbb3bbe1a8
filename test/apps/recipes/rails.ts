import type { Recipe } from '../recipe.js';
import { sees } from '../steps.js';

export const rails: Recipe = {
  name: 'rails',
  title: 'Rails',
  version: '6.1',
  packages: {
    debian: {
      'ruby-rails': '/usr/bin/rails',
      'ruby-sqlite3': '/usr/share/doc/ruby-sqlite3',
      bundler: '/usr/bin/bundle',
      puma: '/usr/bin/puma',
    },
  },
  files: { Gemfile: "gem 'rails'\ngem 'sqlite3'\ngem 'puma'\n" },
  // A new application on the gems that are here, with a page to write notes.
  prepare: `rm -rf app bin config db lib log public storage tmp vendor
    rails new . --force --skip-gemfile --skip-bundle --skip-javascript --skip-git --skip-spring --skip-listen \\
      --skip-bootsnap --skip-webpack-install --skip-sprockets --skip-test --quiet
    bundle install --local --quiet
    bin/rails generate scaffold note text:string --no-jbuilder --quiet
    bin/rails db:migrate`,
  start: 'bin/rails server',
  ports: [3000],
  tried: 'a form, with the check of its origin, and the redirect after it',
  async use({ page, open, word }) {
    await open('/notes/new');
    await page.locator('#note_text').fill(word);
    await page.locator('input[type=submit]').click();
    await sees(page, 'Note was successfully created.');
    await sees(page, word);
  },
};
