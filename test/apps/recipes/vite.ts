import { hotReplaced } from '../steps.js';
import type { Recipe } from '../recipe.js';

export const vite: Recipe = {
  name: 'vite',
  title: 'Vite',
  version: '8.4.0',
  packages: { npm: { vite: '8.4.0' } },
  files: {
    'index.html': `<!doctype html><title>Vite</title><h1></h1><script type="module" src="/main.js"></script>\n`,
    'main.js': `import { greeting } from './greeting.js';
const show = (text) => (document.querySelector('h1').textContent = text);
show(greeting);
import.meta.hot.accept('./greeting.js', (module) => show(module.greeting));
`,
    'greeting.js': `export const greeting = 'greeting: first';\n`,
  },
  start: 'npx vite',
  ports: [5173],
  isSmall: true,
  tried: 'HMR',
  async use(visit) {
    await hotReplaced(visit, 'greeting.js');
  },
};
