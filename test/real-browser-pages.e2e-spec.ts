import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HAS_NO_CHROMIUM } from './kit/browser/chromium.js';
import { ChromiumStage } from './kit/browser/chromium-stage.js';
import { inPage } from './kit/browser/in-page.js';
import { PageApp } from './kit/browser/page-app.js';

/** Where pictures of all pages are put, e.g. `SCREENSHOTS=/tmp/pages npx vitest run test/real-browser-pages`. */
const { SCREENSHOTS } = process.env;
if (SCREENSHOTS !== undefined) mkdirSync(SCREENSHOTS, { recursive: true });

/** Nobody listens there; a README's reader sees a port as people use them. */
const CLOSED_PORT = SCREENSHOTS === undefined ? 1 : 3000;

/** Who looks: at a desk by day or night, and with the smallest of phones. */
const VIEWS = {
  light: { viewport: { width: 960, height: 540 }, colorScheme: 'light' },
  dark: { viewport: { width: 960, height: 540 }, colorScheme: 'dark' },
  phone: { viewport: { width: 360, height: 640 }, colorScheme: 'light' },
} as const satisfies Record<string, BrowserContextOptions>;
const VIEW_NAMES = Object.keys(VIEWS) as (keyof typeof VIEWS)[];

async function picture(page: Page, name: string, fullPage = false): Promise<void> {
  if (SCREENSHOTS !== undefined) await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage });
}

/** True where nobody has to scroll sideways. */
const fits = (page: Page): Promise<boolean> =>
  inPage(page, 'document.documentElement.scrollWidth <= document.documentElement.clientWidth');

const groundOf = (page: Page): Promise<string> =>
  inPage(page, 'getComputedStyle(document.body).backgroundColor');

describe.skipIf(HAS_NO_CHROMIUM)('what a person sees', () => {
  const stage = new ChromiumStage({
    env: { UPSTREAM_FIRST_BYTE_TIMEOUT_MS: '300', UPSTREAM_CONNECT_TIMEOUT_MS: '300' },
  });
  const app = new PageApp();

  beforeAll(() => app.start());
  afterAll(() => app.stop());

  /** A place with a trouble: its URL, and a key that gets there. */
  type Trouble = () => Promise<{ url: string; key?: string }>;

  const sandboxAt = async (address: string | null, status = 'running') => {
    const team = await stage.rows.team();
    const hostId = address === null ? null : await stage.rows.host(address);
    return { team, sandbox: await stage.rows.sandbox(team.id, hostId, status) };
  };
  const withStatus = (status: string) => async () => {
    const sandbox = await stage.sandbox(status);
    return { url: stage.originOf(sandbox, 3000), key: sandbox.team.key };
  };
  const TROUBLES: readonly [number, string, string, Trouble][] = [
    [401, 'unauthorized', '401', async () => ({ url: stage.originOf(await stage.sandbox(), app.port) })],
    [
      404,
      'sandbox_not_found',
      '404',
      async () => {
        const { key } = await stage.rows.team();
        return { url: stage.originOf(await stage.sandbox(), app.port), key };
      },
    ],
    [409, 'sandbox_not_running', '409-paused', withStatus('paused')],
    [409, 'sandbox_not_running', '409-starting', withStatus('starting')],
    [
      502,
      'upstream_unreachable',
      '502-host',
      async () => {
        const { team, sandbox } = await sandboxAt('127.0.0.1:1');
        return { url: stage.originOf(sandbox, 3000), key: team.key };
      },
    ],
    [
      502,
      'app_unreachable',
      '502-port',
      async () => {
        const sandbox = await stage.sandbox();
        return { url: stage.originOf(sandbox, CLOSED_PORT), key: sandbox.team.key };
      },
    ],
    [
      503,
      'host_unavailable',
      '503',
      async () => {
        const { team, sandbox } = await sandboxAt(null);
        return { url: stage.originOf(sandbox, 3000), key: team.key };
      },
    ],
    [
      504,
      'upstream_timeout',
      '504',
      async () => {
        const sandbox = await stage.sandbox();
        return { url: `${stage.originOf(sandbox, app.port)}/silence`, key: sandbox.team.key };
      },
    ],
  ];

  it.each(TROUBLES)('is a page for %i %s (%s) that fits', async (status, code, name, trouble) => {
    const { url, key } = await trouble();
    const headers = key === undefined ? {} : { extraHTTPHeaders: { 'X-API-Key': key } };
    const page = await (await stage.person(headers)).newPage();
    const problems: string[] = [];
    page.on('console', (message) => {
      // Besides, Chromium says of every such page that it has an error's status.
      if (/Content Security Policy/.test(message.text())) problems.push(message.text());
    });
    const answer = await page.goto(url);
    expect(answer?.status()).toBe(status);
    expect(await page.locator('h1').count()).toBe(1);
    expect(await page.textContent('dl')).toContain(code);
    expect(problems).toEqual([]);
    const grounds: string[] = [];
    for (const view of VIEW_NAMES) {
      await page.setViewportSize(VIEWS[view].viewport);
      await page.emulateMedia({ colorScheme: VIEWS[view].colorScheme });
      expect(await fits(page)).toBe(true);
      grounds.push(await groundOf(page));
      await picture(page, `error-${name}-${view}`);
    }
    const [light, dark, phone] = grounds;
    expect(dark).not.toBe(light);
    expect(phone).toBe(light);
  });

  it('is a page that comes again by itself when the sandbox has started', async () => {
    const sandbox = await stage.sandbox('starting');
    const headers = { extraHTTPHeaders: { 'X-API-Key': sandbox.team.key } };
    const page = await (await stage.person(headers)).newPage();
    expect((await page.goto(stage.originOf(sandbox, app.port)))?.status()).toBe(409);
    await stage.app.db.query(`UPDATE sandboxes SET status = 'running' WHERE id = $1`, [sandbox.uuid]);
    await page.getByRole('heading', { name: 'An app in a sandbox' }).waitFor();
  });

  // The page came again by a refresh every 5 s: 4 to 5 s after the app had started.
  it('is a page that asks for little, and comes again as soon as the app listens', async () => {
    const asked: string[] = [];
    const late = createServer(({ method }, answer) => {
      asked.push(String(method));
      answer.setHeader('Content-Type', 'text/html').end('<h1>It has started</h1>');
    });
    late.listen(0, '127.0.0.1');
    await once(late, 'listening');
    const { port } = late.address() as AddressInfo;
    late.close();
    await once(late, 'close');
    const sandbox = await stage.sandbox();
    const headers = { extraHTTPHeaders: { 'X-API-Key': sandbox.team.key } };
    const page = await (await stage.person(headers)).newPage();
    expect((await page.goto(stage.originOf(sandbox, port)))?.status()).toBe(502);
    // it has asked at least once before
    await page.waitForResponse((response) => response.request().method() === 'HEAD');
    late.listen(port, '127.0.0.1');
    await page.getByRole('heading', { name: 'It has started' }).waitFor();
    expect(asked.filter((method) => method !== 'GET')).toEqual(['HEAD']);
    expect(asked.slice(0, 2)).toEqual(['HEAD', 'GET']);
    late.closeAllConnections();
    late.close();
  });

  it.each(VIEW_NAMES)('is a console that fits (%s)', async (view) => {
    const sandbox = await stage.sandbox();
    await stage.link(sandbox, { port: 3000, label: 'For the review', embed: true });
    await stage.putPort(sandbox, 8080, { visibility: 'public', cors: ['https://app.example'] });
    const page = await (await stage.person(VIEWS[view])).newPage();
    await page.goto(stage.origin);
    expect(await fits(page)).toBe(true);
    await picture(page, `console-signed-out-${view}`);
    await page.getByLabel('API key').fill(sandbox.team.key);
    await page.getByRole('button', { name: 'Show the sandboxes' }).click();
    await page.getByText('For the review').waitFor();
    await page.getByText('Public: anyone gets in').waitFor();
    expect(await fits(page)).toBe(true);
    await picture(page, `console-${view}`, true);
    const links = page.locator('[data-part="links"]');
    await links.getByLabel('Port', { exact: true }).fill('5173');
    await links.getByRole('button', { name: 'Create the link' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await fits(page)).toBe(true);
    await picture(page, `console-link-${view}`);
  });

  it.each(VIEW_NAMES)('is the app, without anything of ours around it (%s)', async (view) => {
    const person = await stage.person(VIEWS[view]);
    const page = await stage.opened(await stage.sandbox(), { port: app.port }, person);
    expect(await fits(page)).toBe(true);
    await picture(page, `sandbox-${view}`);
  });
});
