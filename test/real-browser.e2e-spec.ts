import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { startViteApp, type ViteApp } from './kit/apps/vite-app.js';
import { HAS_NO_CHROMIUM } from './kit/browser/chromium.js';
import { ChromiumStage } from './kit/browser/chromium-stage.js';
import { echoInPage, fetchInPage, firstEventInPage, inPage } from './kit/browser/in-page.js';
import { PageApp } from './kit/browser/page-app.js';
import { OTHER_SITE } from './kit/browser/tls-front.js';
import { SOON_MS } from './kit/wait.js';

describe.skipIf(HAS_NO_CHROMIUM)('a sandbox in a browser', () => {
  const stage = new ChromiumStage();
  const app = new PageApp();

  beforeAll(() => app.start());
  afterEach(() => app.reset());
  afterAll(() => app.stop());
  beforeAll(() => stage.front.route(OTHER_SITE, app.port));

  describe('by a link', () => {
    it('opens, and the token is nowhere afterwards', async () => {
      const sandbox = await stage.sandbox();
      const link = await stage.link(sandbox, { port: app.port });
      const page = await (await stage.person()).newPage();
      const requested: string[] = [];
      page.on('request', (request) => requested.push(request.url()));
      expect((await page.goto(link.url))?.status()).toBe(200);
      expect(await page.textContent('#title')).toBe('An app in a sandbox');
      const address = `${stage.originOf(sandbox, app.port)}/`;
      expect(page.url()).toBe(address);
      const known = await inPage(
        page,
        `({ referrer: document.referrer, cookie: document.cookie, state: history.state,
            entries: performance.getEntries().map((entry) => entry.name) })`,
      );
      expect(known).toMatchObject({ referrer: '', cookie: '' });
      expect(JSON.stringify(known)).not.toMatch(/wr[ls]_/);
      // It was in the first request alone.
      expect(requested.filter((url) => url.includes('wrl_'))).toEqual([link.url]);
      expect(requested[0]).toBe(link.url);
      await page.goBack();
      expect(page.url()).toBe('about:blank');
      await page.goForward();
      expect(page.url()).toBe(address);
    });

    it('opens from a page of another site, whose name the app is told and no more', async () => {
      const sandbox = await stage.sandbox();
      const { url } = await stage.link(sandbox, { port: app.port });
      const page = await (await stage.person()).newPage();
      await page.goto(stage.otherSite);
      await inPage(
        page,
        `void (document.body.innerHTML = '<a href="' + ${JSON.stringify(url)} + '">the preview</a>')`,
      );
      app.reset();
      await page.getByText('the preview').click();
      await page.getByText('the script has run').waitFor();
      expect(page.url()).toBe(`${stage.originOf(sandbox, app.port)}/`);
      expect(JSON.stringify(app.seen)).not.toMatch(/wr[ls]_/);
    });

    it('keeps the rest of the address', async () => {
      const sandbox = await stage.sandbox();
      const { url } = await stage.link(sandbox, { port: app.port });
      const page = await (await stage.person()).newPage();
      const deep = new URL(url);
      deep.pathname = '/style.css';
      await page.goto(`${deep.href}&theme=a%20b#part`);
      expect(page.url()).toBe(`${stage.originOf(sandbox, app.port)}/style.css?theme=a%20b#part`);
    });

    it('opens for as long as the session lasts: after a reload, and in another tab', async () => {
      const sandbox = await stage.sandbox();
      const person = await stage.person();
      const page = await stage.opened(sandbox, { port: app.port }, person);
      expect((await page.reload())?.status()).toBe(200);
      const tab = await person.newPage();
      expect((await tab.goto(page.url()))?.status()).toBe(200);
      const stranger = await (await stage.person()).newPage();
      expect((await stranger.goto(page.url()))?.status()).toBe(401);
    });
  });

  describe('asks before it uses up a link for one browser', () => {
    it('and opens the place of the link by its button, with the part behind #', async () => {
      const sandbox = await stage.sandbox();
      const { url } = await stage.link(sandbox, { port: app.port, once: true });
      const preview = await (await stage.person()).newPage();
      await preview.goto(url);
      const page = await (await stage.person()).newPage();
      await page.goto(`${url}#part`);
      await page.getByRole('button', { name: 'Open the sandbox' }).click();
      await page.getByText('the script has run').waitFor();
      expect(page.url()).toBe(`${stage.originOf(sandbox, app.port)}/#part`);
      expect((await page.reload())?.status()).toBe(200);
      await preview.getByRole('button').click();
      await preview.getByRole('heading', { name: 'This link has been used' }).waitFor();
    });
  });

  describe('gives a page what pages have', () => {
    let page: Page;
    const at = (path: string): string => new URL(path, page.url()).href;

    const open = async (): Promise<void> => {
      page = await stage.opened(await stage.sandbox(), { port: app.port });
    };

    it('style, script and picture', async () => {
      await open();
      expect(await page.textContent('#script')).toBe('the script has run');
      expect(
        await inPage(
          page,
          `({ colour: getComputedStyle(document.querySelector('#title')).color,
              width: document.querySelector('img').naturalWidth })`,
        ),
      ).toEqual({ colour: 'rgb(11, 87, 208)', width: 96 });
    });

    it('requests by script, events and a WebSocket', async () => {
      await open();
      expect(await fetchInPage(page, '/api', { method: 'PUT', body: 'ü' })).toEqual({
        status: 200,
        text: '{"method":"PUT","body":"ü"}',
      });
      expect(await firstEventInPage(page, '/events')).toBe('first');
      expect(await echoInPage(page, at('/socket').replace('https', 'wss'), 'over the wire')).toBe(
        'over the wire',
      );
    });

    // With `no-referrer`, which many apps send (it is Helmet's default), a form's Origin is `null`, also to its own page.
    it.each(['strict-origin-when-cross-origin', 'no-referrer'])(
      'a form, by the policy %s',
      async (policy) => {
        app.extraHeaders = { 'Referrer-Policy': policy };
        await open();
        await inPage(
          page,
          `void (document.body.innerHTML = '<form method="post" action="/api"><button name="a" value="1">Send</button></form>')`,
        );
        await page.getByText('Send').click();
        await page.waitForURL('**/api');
        expect(await page.textContent('body')).toContain('{"method":"POST","body":"a=1"}');
        const posted = app.seen.find(({ method }) => method === 'POST');
        expect(posted?.headers.origin === 'null').toBe(policy === 'no-referrer');
      },
    );

    it('a service worker', async () => {
      await open();
      await inPage(
        page,
        `(async () => {
           const controlled = new Promise((resolve) => {
             navigator.serviceWorker.oncontrollerchange = resolve;
           });
           await navigator.serviceWorker.register('/worker.js');
           await controlled;
         })()`,
      );
      expect(await fetchInPage(page, '/by-the-worker')).toEqual({ status: 200, text: 'from the worker' });
      expect(app.seen.map(({ url }) => url)).not.toContain('/by-the-worker');
      expect(await fetchInPage(page, '/api')).toMatchObject({ status: 200 });
    });

    it('and the app its own cookies, without anything of ours', async () => {
      await open();
      await inPage(page, `void (document.cookie = 'theme=dark; Path=/')`);
      await page.reload();
      await firstEventInPage(page, '/events');
      await echoInPage(page, at('/socket').replace('https', 'wss'));
      expect(app.seen.some(({ isUpgrade }) => isUpgrade)).toBe(true);
      expect(app.seen.at(-1)?.headers.cookie).toBe('theme=dark');
      expect(JSON.stringify(app.seen)).not.toMatch(/wr[lsn]_|sandbox_/);
    });
  });

  describe('with a Vite development server in it', () => {
    let vite: ViteApp;

    beforeAll(async () => {
      vite = await startViteApp();
    });
    afterAll(() => vite.close());

    it('shows an edit of a source file without a reload', async () => {
      const sandbox = await stage.sandbox();
      const page = await (await stage.person()).newPage();
      const connected = page.waitForEvent('console', (message) => message.text().includes('connected.'));
      await page.goto((await stage.link(sandbox, { port: vite.port })).url);
      await page.getByText('hello from the sandbox').waitFor();
      await connected;
      await inPage(page, `void (window.isSamePage = true)`);
      vite.edit('src/greeting.js', `export const greeting = 'edited while you look';\n`);
      await page.getByText('edited while you look').waitFor();
      expect(await inPage(page, 'window.isSamePage')).toBe(true);
    });
  });

  describe('whose link is revoked', () => {
    it('loses its WebSocket and its stream of events at once, and says so after a reload', async () => {
      const sandbox = await stage.sandbox();
      const link = await stage.link(sandbox, { port: app.port });
      const page = await (await stage.person()).newPage();
      await page.goto(link.url);
      await inPage(
        page,
        `new Promise((resolve) => {
           window.socket = new WebSocket(location.href.replace('https', 'wss'));
           window.source = new EventSource('/events');
           let open = 0;
           socket.onopen = source.onopen = () => ++open === 2 && resolve();
           window.socketEnd = new Promise((resolve) => {
             socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean, atMs: Date.now() });
           });
           window.sourceEnd = new Promise((resolve) => {
             source.onerror = () => resolve({ atMs: Date.now() });
           });
           window.gone = new Promise((resolve) => {
             source.addEventListener('error', () => source.readyState === EventSource.CLOSED && resolve('closed'));
           });
         })`,
      );
      await stage.revoke(sandbox, link.id);
      const revokedAtMs = Date.now();
      const closed = await inPage<{ atMs: number }>(page, 'window.socketEnd');
      const cut = await inPage<{ atMs: number }>(page, 'window.sourceEnd');
      expect(closed).toMatchObject({ code: 1008, reason: 'access has been revoked', wasClean: true });
      expect(closed.atMs - revokedAtMs).toBeLessThan(SOON_MS);
      expect(cut.atMs - revokedAtMs).toBeLessThan(SOON_MS);
      // It tries again, and is refused for good.
      expect(await inPage(page, 'window.gone')).toBe('closed');
      const reloaded = await page.reload();
      expect(reloaded?.status()).toBe(401);
      expect(await page.textContent('h1')).not.toBe('An app in a sandbox');
      expect(await page.textContent('dl')).toContain('session_ended');
      const again = await page.goto(link.url);
      expect(again?.status()).toBe(401);
      expect(await page.textContent('dl')).toContain('the link has been revoked');
    });

    it('leaves alone who came by another link', async () => {
      const sandbox = await stage.sandbox();
      const revoked = await stage.link(sandbox, { port: app.port });
      await (await (await stage.person()).newPage()).goto(revoked.url);
      const page = await stage.opened(sandbox, { port: app.port });
      await inPage(
        page,
        `new Promise((resolve) => {
           window.socket = new WebSocket(location.href.replace('https', 'wss'));
           socket.onopen = resolve;
           socket.onclose = () => (window.isClosed = true);
         })`,
      );
      await stage.revoke(sandbox, revoked.id);
      await page.waitForTimeout(500);
      expect(await inPage(page, 'window.isClosed ?? false')).toBe(false);
      expect((await page.reload())?.status()).toBe(200);
    });
  });
});

describe.skipIf(HAS_NO_CHROMIUM)("a sandbox in a browser on a person's own machine", () => {
  const stage = new ChromiumStage({ isPlain: true });
  const app = new PageApp();

  beforeAll(() => app.start());
  afterAll(() => app.stop());

  it('opens by a link over plain HTTP, with all that a page has, until the link is revoked', async () => {
    const sandbox = await stage.sandbox();
    const link = await stage.link(sandbox, { port: app.port });
    const page = await (await stage.person()).newPage();
    expect((await page.goto(link.url))?.status()).toBe(200);
    expect(page.url()).toBe(`http://${app.port}-${sandbox.id}.localhost:${stage.app.port}/`);
    expect(await page.textContent('#script')).toBe('the script has run');
    expect((await page.reload())?.status()).toBe(200);
    expect(await fetchInPage(page, '/api', { method: 'PUT' })).toMatchObject({ status: 200 });
    expect(await firstEventInPage(page, '/events')).toBe('first');
    expect(await echoInPage(page, page.url().replace('http', 'ws'))).toBe('hello');
    expect(
      await inPage(page, `navigator.serviceWorker.register('/worker.js').then(() => 'registered')`),
    ).toBe('registered');
    const cookies = await page.context().cookies();
    expect(cookies.map(({ name, domain, httpOnly, sameSite }) => [name, domain, httpOnly, sameSite])).toEqual(
      [['sandbox_session', `${app.port}-${sandbox.id}.localhost`, true, 'Lax']],
    );
    expect(JSON.stringify(app.seen)).not.toMatch(/wr[ls]_|sandbox_/);
    await stage.revoke(sandbox, link.id);
    expect((await page.reload())?.status()).toBe(401);
  });
});
