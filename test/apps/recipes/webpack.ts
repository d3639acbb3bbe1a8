import type { Recipe } from '../recipe.js';
import { hotReplaced } from '../steps.js';
import { NODE_24 } from './node.js';

export const webpack: Recipe = {
  name: 'webpack',
  title: 'webpack-dev-server',
  version: '6.1.0',
  packages: {
    npm: {
      ...NODE_24,
      'html-webpack-plugin': '5.6.8',
      webpack: '5.113.0',
      'webpack-cli': '7.3.1',
      'webpack-dev-server': '6.1.0',
    },
  },
  files: {
    'webpack.config.js': `import HtmlWebpackPlugin from 'html-webpack-plugin';
export default { mode: 'development', plugins: [new HtmlWebpackPlugin()] };
`,
    'src/index.js': `import { greeting } from './greeting.js';
const heading = document.body.appendChild(document.createElement('h1'));
heading.textContent = greeting;
import.meta.webpackHot.accept('./greeting.js', () => { heading.textContent = greeting; });
`,
    'src/greeting.js': `export const greeting = 'greeting: first';\n`,
  },
  start: 'npx webpack serve --client-web-socket-url auto://0.0.0.0:0/ws',
  ports: [8080],
  tried: 'HMR',
  note: 'Without the option its page looks for the WebSocket at port 8080 of the name by which it was opened, where nobody listens from outside; on localhost the option changes nothing.',
  async use(visit) {
    await hotReplaced(visit, 'src/greeting.js');
  },
};
