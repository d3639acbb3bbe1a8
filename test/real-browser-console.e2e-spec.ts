import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HAS_NO_CHROMIUM } from './kit/browser/chromium.js';
import { ChromiumStage } from './kit/browser/chromium-stage.js';
import { inPage } from './kit/browser/in-page.js';
import { PageApp } from './kit/browser/page-app.js';

describe.skipIf(HAS_NO_CHROMIUM)('the console in a browser', () => {
  const stage = new ChromiumStage();
  const app = new PageApp();

  beforeAll(() => app.start());
  afterAll(() => app.stop());

  async function signedIn(key: string) {
    const page = await (await stage.person()).newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(stage.origin);
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Show the sandboxes' }).click();
    return { page, problems };
  }

  it('makes a link, opens it and revokes it', async () => {
    const sandbox = await stage.sandbox();
    const { page, problems } = await signedIn(sandbox.team.key);
    await page.getByText(sandbox.id, { exact: true }).waitFor();
    const links = page.locator('[data-part="links"]');
    await links.getByLabel('Port', { exact: true }).fill(String(app.port));
    await links.getByLabel('Label, optional').fill('<b>for Ada</b>');
    await links.getByRole('button', { name: 'Create the link' }).click();
    const dialog = page.getByRole('dialog', { name: 'The preview link' });
    expect(await dialog.locator('code').textContent()).toContain('?sandbox_link=wrl_');

    const opening = page.context().waitForEvent('page');
    await dialog.getByRole('link', { name: 'Open' }).click();
    const opened = await opening;
    await opened.getByRole('heading', { name: 'An app in a sandbox' }).waitFor();
    expect(opened.url()).toBe(`${stage.originOf(sandbox, app.port)}/`);
    expect(await inPage(opened, '[window.opener, document.referrer]')).toEqual([null, '']);

    await dialog.getByRole('button', { name: 'Done' }).click();
    // The address was shown once; the key is on no page.
    await expect.poll(() => page.content()).not.toMatch(/wrl_|wrn_[0-9a-f]/);
    const row = links.getByRole('listitem').filter({ hasText: '<b>for Ada</b>' });
    await row.waitFor();
    await row.getByRole('button', { name: /^Revoke/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('The link is revoked.').waitFor();
    expect(await links.getByRole('listitem').count()).toBe(0);
    expect((await opened.reload())?.status()).toBe(401);
    expect(problems).toEqual([]);
  });

  it('makes a port public, after a question, and private again', async () => {
    const sandbox = await stage.sandbox();
    const { page, problems } = await signedIn(sandbox.team.key);
    const stranger = await (await stage.person()).newPage();
    const visit = async () => (await stranger.goto(stage.originOf(sandbox, app.port)))?.status();
    expect(await visit()).toBe(401);
    const ports = page.locator('[data-part="ports"]');
    await ports.getByLabel('Port', { exact: true }).fill(String(app.port));
    await ports.getByLabel('Visibility').selectOption('Public to anyone');
    await ports.getByRole('button', { name: 'Save the port' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make public' }).click();
    await page.getByText(`Port ${app.port} is public.`).waitFor();
    expect(await visit()).toBe(200);
    await ports.getByRole('button', { name: /^Make private/ }).click();
    await page.getByText(`Port ${app.port} is private.`).waitFor();
    expect(await visit()).toBe(401);
    expect(problems).toEqual([]);
  });

  it('forgets the key on a reload, and says what is wrong with one', async () => {
    const sandbox = await stage.sandbox();
    const { page } = await signedIn(sandbox.team.key);
    await page.getByText(sandbox.id, { exact: true }).waitFor();
    await page.reload();
    await page.getByLabel('API key').waitFor();
    expect(await page.getByText(sandbox.id, { exact: true }).count()).toBe(0);
    await page.getByLabel('API key').fill(`wrn_${'0'.repeat(32)}`);
    await page.getByRole('button', { name: 'Show the sandboxes' }).click();
    await page.getByRole('alert').getByText('invalid API key').waitFor();
    expect(await inPage(page, '[localStorage.length, sessionStorage.length, document.cookie]')).toEqual([
      0,
      0,
      '',
    ]);
  });
});
