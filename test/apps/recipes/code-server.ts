import type { Recipe } from '../recipe.js';
import { terminalWrites } from '../steps.js';
import { NODE_24 } from './node.js';

export const codeServer: Recipe = {
  name: 'code-server',
  title: 'code-server',
  version: '4.139.1',
  packages: {
    npm: { ...NODE_24, 'code-server': '4.139.1' },
    // What it is built with.
    debian: { 'libkrb5-dev': '/usr/include/gssapi/gssapi.h', 'g++': '/usr/bin/g++', make: '/usr/bin/make' },
  },
  start: 'npx code-server',
  ports: [8080],
  tried: 'log in, a terminal',
  note: 'Visitors log in with the password in its configuration file.',
  async use(visit) {
    const { app, page } = visit;
    const [, password = ''] = /^password: (.*)$/m.exec(app.read('.config/code-server/config.yaml')) ?? [];
    await page.locator('input[name=password]').fill(password);
    await page.locator('input[type=submit]').click();
    await page.locator('.monaco-workbench').waitFor();
    await page.keyboard.press('Control+Backquote');
    await page.locator('.terminal-wrapper .xterm-helper-textarea').focus();
    await terminalWrites(visit);
  },
};
