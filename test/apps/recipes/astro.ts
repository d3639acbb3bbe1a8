import type { Recipe } from '../recipe.js';
import { hotReplaced, sees } from '../steps.js';
import { NODE_24 } from './node.js';

export const astro: Recipe = {
  name: 'astro',
  title: 'Astro',
  version: '7.3.5',
  packages: { npm: { ...NODE_24, astro: '7.3.5', '@astrojs/node': '11.1.6' } },
  files: {
    'astro.config.mjs': `import node from '@astrojs/node';
export default { output: 'server', adapter: node({ mode: 'standalone' }) };
`,
    'src/pages/index.astro': `---
const word = Astro.request.method === 'POST' ? (await Astro.request.formData()).get('word') : 'nothing';
---
<html lang="en"><body>
<h1>greeting: first</h1>
<form method="POST"><input name="word" /><button>Save</button></form>
<p>saved: {word}</p>
</body></html>
`,
  },
  start: 'npx astro dev',
  ports: [4321],
  tried: 'reload on change, a form',
  async use(visit) {
    const { page, word } = visit;
    await hotReplaced(visit, 'src/pages/index.astro', { keepsPage: false });
    await page.locator('input[name=word]').fill(word);
    await page.getByRole('button', { name: 'Save' }).click();
    await sees(page, `saved: ${word}`);
  },
};
