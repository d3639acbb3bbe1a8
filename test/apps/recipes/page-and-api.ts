import type { Recipe } from '../recipe.js';
import { sees } from '../steps.js';

export const pageAndApi: Recipe = {
  name: 'page-and-api',
  title: 'A page and its API on two ports',
  version: 'express 5.3.0, cors 2.8.6',
  packages: { npm: { express: '5.3.0', cors: '2.8.6' } },
  files: {
    'page.js': `import express from 'express';
express().get('/', (_request, answer) => answer.send(\`<!doctype html><input><p>nothing</p><script>
const api = location.origin.replace('3000', '4000');
document.querySelector('input').onchange = async ({ target }) => {
  const init = { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ word: target.value }), credentials: 'include' };
  const { saved, origin } = await (await fetch(api + '/save', init)).json();
  document.querySelector('p').textContent = saved + ' by ' + origin;
};
</script>\`)).listen(3000, 'localhost');
`,
    'api.js': `import cors from 'cors';
import express from 'express';
const api = express();
api.use(cors({ origin: 'http://localhost:3000', credentials: true }), express.json());
api.put('/save', ({ body, headers }, answer) => answer.json({ saved: 'saved: ' + body.word, origin: headers.origin }));
api.listen(4000, 'localhost');
`,
  },
  start: 'node api.js & node page.js',
  ports: [3000, 4000],
  access: 'public',
  tried: 'a PUT of JSON with credentials, which the API allows to `http://localhost:3000`',
  async use({ page, word }) {
    await page.locator('input').fill(word);
    await page.locator('input').press('Enter');
    await sees(page, `saved: ${word} by http://localhost:3000`);
  },
};

export const pageAndApiByLink: Recipe = {
  ...pageAndApi,
  name: 'page-and-api-by-link',
  title: 'The same, neither of the ports public',
  access: 'link',
  note: 'One link for both: `POST …/links {"ports":[3000,4000]}`.',
};
