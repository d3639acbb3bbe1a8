import type { Recipe } from '../recipe.js';
import { sees } from '../steps.js';

export const httpServer: Recipe = {
  name: 'http-server',
  title: 'Python’s http.server',
  version: '3.11',
  packages: {},
  files: { 'folder/hello.txt': 'hello there\n' },
  start: 'python3 -m http.server',
  ports: [8000],
  tried: 'a listing, a redirect to a folder, a file',
  async use({ page, open }) {
    await page.getByText('folder/').waitFor();
    await open('/folder');
    await page.getByText('hello.txt').click();
    await sees(page, 'hello there');
  },
};
