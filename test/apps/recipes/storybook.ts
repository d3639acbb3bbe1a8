import type { Recipe } from '../recipe.js';
import { inPage } from '../../kit/browser/in-page.js';
import { NODE_24 } from './node.js';

export const storybook: Recipe = {
  name: 'storybook',
  title: 'Storybook',
  version: '10.6.0',
  packages: { npm: { ...NODE_24, '@storybook/html-vite': '10.6.0', storybook: '10.6.0', vite: '8.4.0' } },
  files: {
    '.storybook/main.js': `export default {
  stories: ['../src/*.stories.js'],
  framework: '@storybook/html-vite',
  viteFinal(config) {
    delete config.server.hmr.port;
    return config;
  },
};
`,
    'src/greeting.stories.js': `export default { title: 'Greeting', argTypes: { name: { control: 'text' } } };
export const First = { args: { name: 'you' }, render: ({ name }) => '<h1>greeting: first</h1><p>name: ' + name + '</p>' };
`,
  },
  start: 'npx storybook dev -p 6006',
  ports: [6006],
  tried: 'a story, its controls, HMR of the story',
  note: 'HMR of stories wants `viteFinal(config) { delete config.server.hmr.port; return config; }` in `.storybook/main.js`: otherwise the page looks for the WebSocket at port 6006 of the name by which it was opened. All else works without.',
  async use({ app, page, word }) {
    const story = page.frameLocator('#storybook-preview-iframe');
    await story.getByText(/greeting: \w+/).waitFor();
    await page.locator('#control-name').fill(word);
    await story.getByText(`name: ${word}`).waitFor();
    await inPage(page, `void (window.wasHereBefore = true)`);
    app.edit('src/greeting.stories.js', /greeting: \w+/, `greeting: ${word}`);
    await story.getByText(`greeting: ${word}`).waitFor();
  },
};
