import type { Recipe } from '../recipe.js';
import { hotReplaced } from '../steps.js';

export const bun: Recipe = {
  name: 'bun',
  title: 'Bun',
  version: '1.4.5',
  packages: { npm: { bun: '1.4.5' } },
  files: {
    'index.html': `<!doctype html><h1></h1><script type="module" src="./main.js"></script>\n`,
    'main.js': `import { greeting } from './greeting.js';
document.querySelector('h1').textContent = greeting;
import.meta.hot.accept();
`,
    'greeting.js': `export const greeting = 'greeting: first';\n`,
  },
  start: 'bun ./index.html',
  ports: [3000],
  tried: 'HMR',
  async use(visit) {
    await hotReplaced(visit, 'greeting.js');
  },
};
