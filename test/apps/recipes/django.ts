import type { Recipe } from '../recipe.js';
import { sees } from '../steps.js';

export const django: Recipe = {
  name: 'django',
  title: 'Django',
  version: '5.2.19',
  packages: { pypi: { django: '5.2.19' } },
  // What `django-admin startproject` makes, with a user.
  prepare: `rm -rf mysite manage.py db.sqlite3
    django-admin startproject mysite .
    python manage.py migrate --verbosity 0
    DJANGO_SUPERUSER_PASSWORD=secret python manage.py createsuperuser --noinput --username admin --email a@example.test`,
  start: 'python manage.py runserver',
  ports: [8000],
  isSmall: true,
  tried: 'admin: log in, save a group, log out',
  async use({ page, open, word }) {
    await sees(page, 'The install worked successfully');
    await open('/admin/');
    await page.locator('#id_username').fill('admin');
    await page.locator('#id_password').fill('secret');
    await page.getByText('Log in', { exact: true }).click();
    await sees(page, 'Site administration');
    await open('/admin/auth/group/add/');
    await page.locator('#id_name').fill(word);
    await page.locator('input[name=_save]').click();
    await sees(page, 'was added successfully');
    await page.locator('#logout-form button').click();
    await sees(page, 'Logged out');
  },
};
