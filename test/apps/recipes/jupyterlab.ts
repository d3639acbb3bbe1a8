import type { Recipe } from '../recipe.js';
import { terminalWrites } from '../steps.js';

export const jupyterlab: Recipe = {
  name: 'jupyterlab',
  title: 'JupyterLab',
  version: '4.6.6',
  packages: { pypi: { jupyterlab: '4.6.6' } },
  // Jupyter wants root to say so.
  files: { '.jupyter/jupyter_server_config.py': 'c.ServerApp.allow_root = True\n' },
  prepare: 'rm -f *.ipynb',
  start: 'jupyter lab',
  ports: [8888],
  tried: 'log in by token, run a cell, save, a terminal',
  note: 'Visitors log in with the token that Jupyter prints.',
  async use(visit) {
    const { app, page, open, word } = visit;
    const token = await app.printed(/\?token=(\w+)/);
    await open(`/lab?reset&token=${token}`);
    await page.locator('.jp-LauncherCard[data-category=Notebook]').first().click();
    await page.getByText('| Idle').waitFor();
    const cell = page.locator('.jp-Notebook .cm-content').first();
    await cell.click();
    await page.keyboard.insertText(`print("sum", ${parseInt(word, 16)} + 1)`);
    await page.keyboard.press('Shift+Enter');
    await page.getByText(`sum ${parseInt(word, 16) + 1}`).waitFor();
    await page.keyboard.press('Control+s');
    await page.locator('.jp-Dialog .jp-mod-accept').click();
    await page.locator('[data-command="launcher:create"]').first().click();
    await page.locator('.jp-LauncherCard[title="Start a new terminal session"]').click();
    await page.locator('.jp-Terminal .xterm-helper-textarea').focus();
    await terminalWrites(visit);
  },
};
