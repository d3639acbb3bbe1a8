import { pause, until } from '../../kit/wait.js';
import type { Recipe } from '../recipe.js';
import { sees } from '../steps.js';

export const marimo: Recipe = {
  name: 'marimo',
  title: 'Marimo',
  version: '0.25.2',
  packages: { pypi: { marimo: '0.25.2' } },
  files: {
    'notebook.py': `import marimo

app = marimo.App()

@app.cell
def _():
    import marimo as mo
    return (mo,)

@app.cell
def _(mo):
    word = mo.ui.text(label="word")
    word
    return (word,)

@app.cell
def _(mo, word):
    mo.md(f"said: {word.value}")
    return

if __name__ == "__main__":
    app.run()
`,
  },
  start: 'marimo edit notebook.py',
  ports: [2718],
  tried: 'log in by token, run cells, a widget',
  note: 'Visitors log in with the token that Marimo prints.',
  async use({ app, page, open, word }) {
    const token = await app.printed(/access_token=([\w-]+)/);
    await open(`/?access_token=${token}`);
    // It runs nothing before its kernel is there, and remembers nothing of being asked.
    await until(async () => {
      if ((await page.locator('marimo-text').count()) > 0) return true;
      await page.getByTestId('run-button').last().click();
      await pause(1_000);
      return false;
    }, 'the cells have run');
    await page.locator('marimo-text input').fill(word);
    await page.locator('marimo-text input').press('Enter');
    await sees(page, `said: ${word}`);
  },
};
