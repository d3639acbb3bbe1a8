import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { inPage } from '../kit/browser/in-page.js';
import { pause, until } from '../kit/wait.js';
import type { Visit } from './recipe.js';

/** Waits for a text anywhere on the page. */
export async function sees(page: Page, text: string | RegExp): Promise<void> {
  await page.getByText(text).first().waitFor();
}

/**
 * Edits `greeting: …` in a file and sees the new text on the page, brought by the open page's own live channel: the page
 * is not loaded again where `keepsPage`.
 */
export async function hotReplaced(
  { app, page, word }: Visit,
  path: string,
  { keepsPage = true } = {},
): Promise<void> {
  await sees(page, /greeting: \w+/);
  await page.waitForLoadState('networkidle');
  await inPage(page, `void (window.wasHereBefore = true)`);
  app.edit(path, /greeting: \w+/, `greeting: ${word}`);
  await sees(page, `greeting: ${word}`);
  if (keepsPage && !(await inPage(page, `window.wasHereBefore === true`)))
    throw new Error('the page was loaded again, instead of only what has changed');
}

/** Types a command into the terminal that has the keyboard, and sees the file that it writes into the app's directory. */
export async function terminalWrites({ app, page, word }: Visit): Promise<void> {
  const path = join(app.directory, `said-${word}.txt`);
  // Until the shell is there, what is typed may be lost.
  await until(async () => {
    await page.keyboard.type(`echo $((40+2)) > ${path}\n`);
    await pause(500);
    return existsSync(path) && readFileSync(path, 'utf8') === '42\n';
  }, 'the terminal has run what was typed');
  rmSync(path);
}
