import type { Recipe } from '../recipe.js';
import { terminalWrites } from '../steps.js';

export const wetty: Recipe = {
  name: 'wetty',
  title: 'WeTTY',
  version: '3.2.0',
  packages: { npm: { wetty: '3.2.0' } },
  start: 'npx wetty --command bash',
  ports: [3000],
  tried: 'a terminal',
  async use(visit) {
    await visit.page.locator('.xterm-helper-textarea').focus();
    await terminalWrites(visit);
  },
};
