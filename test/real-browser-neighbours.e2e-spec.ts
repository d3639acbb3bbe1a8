import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HAS_NO_CHROMIUM } from './kit/browser/chromium.js';
import { ChromiumStage, type OwnedSandbox } from './kit/browser/chromium-stage.js';
import { echoInPage, fetchInPage, frameIn, inPage } from './kit/browser/in-page.js';
import { PageApp } from './kit/browser/page-app.js';
import { DOMAIN, OTHER_SITE } from './kit/browser/tls-front.js';

describe.skipIf(HAS_NO_CHROMIUM)('a sandbox in a browser, beside other pages', () => {
  const stage = new ChromiumStage();
  /** The app that is to be shown or attacked, and the page that does it. */
  const app = new PageApp();
  const other = new PageApp();

  beforeAll(async () => {
    await Promise.all([app.start(), other.start()]);
    stage.front.route(OTHER_SITE, other.port);
  });
  afterEach(() => {
    app.reset();
    other.reset();
  });
  afterAll(() => Promise.all([app.stop(), other.stop()]));

  const webSocketOf = (sandbox: OwnedSandbox) => stage.originOf(sandbox, app.port).replace('https', 'wss');

  /** A page of a site that has nothing to do with us. */
  async function otherSite(person = stage.person()): Promise<Page> {
    const page = await (await person).newPage();
    await page.goto(stage.otherSite);
    return page;
  }

  const api = (sandbox: OwnedSandbox) => `${stage.originOf(sandbox, app.port)}/api`;

  /** A page of the port `other`, of someone who may use the port `app` as well. */
  async function pageWithApi(sandbox: OwnedSandbox): Promise<Page> {
    const person = await stage.person();
    await stage.opened(sandbox, { port: app.port }, person);
    const page = await stage.opened(sandbox, { port: other.port }, person);
    app.reset();
    return page;
  }

  /** All that a page of another origin can try in the name of who looks at it. */
  const attacks = async (page: Page, victim: OwnedSandbox): Promise<void> => {
    const target = `${stage.originOf(victim, app.port)}/transfer`;
    await fetchInPage(page, target, {
      method: 'POST',
      mode: 'no-cors',
      credentials: 'include',
      body: 'all',
    });
    await fetchInPage(page, target, { method: 'DELETE', credentials: 'include' });
    await inPage(
      page,
      `new Promise((resolve) => {
         const frame = Object.assign(document.createElement('iframe'), { name: 'target' });
         const form = Object.assign(document.createElement('form'), {
           method: 'post', target: 'target', action: ${JSON.stringify(target)},
         });
         document.body.append(frame, form);
         frame.onload = resolve;
         form.submit();
       })`,
    );
    expect(await echoInPage(page, webSocketOf(victim))).toBe(1006);
  };

  describe('in a frame of another site', () => {
    it('is shown where the link says so, with all that it asks for', async () => {
      const sandbox = await stage.sandbox();
      const page = await otherSite();
      const frame = await frameIn(page, (await stage.link(sandbox, { port: app.port, embed: true })).url);
      expect(await frame.textContent('#title')).toBe('An app in a sandbox');
      expect(await frame.textContent('#script')).toBe('the script has run');
      expect(frame.url()).toBe(`${stage.originOf(sandbox, app.port)}/`);
      expect(await fetchInPage(frame, '/api', { method: 'POST' })).toMatchObject({ status: 200 });
      expect(await echoInPage(frame, webSocketOf(sandbox))).toBe('hello');
      const again = await frameIn(page, `${stage.originOf(sandbox, app.port)}/`);
      expect(await again.textContent('#title')).toBe('An app in a sandbox');
    });

    it('has its session in the frame of that site alone', async () => {
      const sandbox = await stage.sandbox();
      const page = await otherSite();
      await frameIn(page, (await stage.link(sandbox, { port: app.port, embed: true })).url);
      const tab = await page.context().newPage();
      expect((await tab.goto(stage.originOf(sandbox, app.port)))?.status()).toBe(401);
    });

    it('is not shown where the link does not say so', async () => {
      const sandbox = await stage.sandbox();
      const page = await otherSite();
      const frame = await frameIn(page, (await stage.link(sandbox, { port: app.port, embed: false })).url);
      expect(await frame.locator('#title').count()).toBe(0);
      expect(app.seen).toEqual([]);
    });

    it('is not shown to who has it open beside, neither by another site nor by a neighbour', async () => {
      const sandbox = await stage.sandbox();
      const person = await stage.person();
      await stage.opened(sandbox, { port: app.port }, person);
      app.reset();
      const neighbour = await stage.opened(await stage.sandbox(), { port: other.port }, person);
      for (const page of [await otherSite(Promise.resolve(person)), neighbour]) {
        const frame = await frameIn(page, stage.originOf(sandbox, app.port));
        expect(await frame.locator('#title').count()).toBe(0);
      }
      expect(app.seen).toEqual([]);
    });
  });

  describe('as the API of another port', () => {
    const JSON_PUT = {
      method: 'PUT',
      credentials: 'include',
      headers: { 'content-type': 'application/json', 'x-of-the-app': '1' },
      body: '{"a":1}',
    };
    it('answers the pages of the origins that its team has named', async () => {
      const sandbox = await stage.sandbox();
      await stage.putPort(sandbox, app.port, { cors: [stage.originOf(sandbox, other.port)] });
      const page = await pageWithApi(sandbox);
      expect(await fetchInPage(page, api(sandbox), { credentials: 'include' })).toEqual({
        status: 200,
        text: '{"method":"GET","body":""}',
      });
      expect(await fetchInPage(page, api(sandbox), JSON_PUT)).toEqual({
        status: 200,
        text: '{"method":"PUT","body":"{\\"a\\":1}"}',
      });
      // The proxy has answered the preflight; the app saw the requests alone, and no cookie.
      expect(app.seen.map(({ method }) => method)).toEqual(['GET', 'PUT']);
      expect(app.seen.map(({ headers }) => headers.cookie)).toEqual([undefined, undefined]);
    });

    it('answers no page of another origin, and gets nothing from it that changes things', async () => {
      const sandbox = await stage.sandbox();
      await stage.putPort(sandbox, app.port, { cors: [stage.originOf(sandbox, 3000)] });
      const page = await pageWithApi(sandbox);
      expect(await fetchInPage(page, api(sandbox), { credentials: 'include' })).toBe('failed');
      expect(await fetchInPage(page, api(sandbox), JSON_PUT)).toBe('failed');
      expect(await fetchInPage(page, api(sandbox), { method: 'POST', credentials: 'include' })).toBe(
        'failed',
      );
      expect(app.seen).toEqual([]);
    });

    it('answers nobody who is not let in, also from an origin that is named', async () => {
      const sandbox = await stage.sandbox();
      await stage.putPort(sandbox, app.port, { cors: [stage.originOf(sandbox, other.port)] });
      const page = await stage.opened(sandbox, { port: other.port });
      const answer = await fetchInPage(page, api(sandbox), { credentials: 'include' });
      // The page can read why.
      expect(answer).toMatchObject({ status: 401, text: expect.stringContaining('unauthorized') });
      expect(app.seen).toEqual([]);
    });

    it('leaves CORS to the app where nothing is set, and the link is for both ports', async () => {
      const sandbox = await stage.sandbox();
      const page = await stage.opened(sandbox, { ports: [other.port, app.port] });
      await page.waitForURL(`${stage.originOf(sandbox, other.port)}/`);
      expect(await fetchInPage(page, api(sandbox), { credentials: 'include' })).toBe('failed');
      app.extraHeaders = {
        'Access-Control-Allow-Origin': stage.originOf(sandbox, other.port),
        'Access-Control-Allow-Credentials': 'true',
      };
      expect(await fetchInPage(page, api(sandbox), { credentials: 'include' })).toMatchObject({
        status: 200,
      });
    });

    it('is open to the pages of any origin where it is public and the app says so', async () => {
      const sandbox = await stage.sandbox();
      await stage.putPort(sandbox, app.port, { visibility: 'public' });
      app.extraHeaders = { 'Access-Control-Allow-Origin': '*' };
      const page = await (await stage.person()).newPage();
      await page.goto(stage.otherSite);
      expect(await fetchInPage(page, api(sandbox), { method: 'POST' })).toMatchObject({ status: 200 });
      expect(await echoInPage(page, webSocketOf(sandbox))).toBe('hello');
    });
  });

  // A page under the same parent domain can set cookies for all of it; a session must not be taken from them, nor replaced.
  describe('whose neighbour plants cookies', () => {
    it('is still opened by its own session, and by nothing that was planted', async () => {
      const [victim, attacker] = [await stage.sandbox(), await stage.sandbox()];
      const person = await stage.person();
      const page = await stage.opened(victim, { port: app.port }, person);
      // The attacker's own session at the attacker's own sandbox, as good as a value can be.
      const own = await stage.person();
      await stage.opened(attacker, { port: other.port }, own);
      const value = (await own.cookies()).find(({ name }) => name.includes('session'))?.value as string;
      expect(value).toMatch(/^wrs_/);

      other.extraHeaders = {
        'Set-Cookie': [
          `sandbox_session=${value}; Domain=${DOMAIN}; Path=/; Secure`,
          `__Host-sandbox_session=${value}; Path=/; Secure`,
          `__Host-sandbox_session=${value}; Domain=${DOMAIN}; Path=/; Secure`,
          `__host-sandbox_session=${value}; Domain=${DOMAIN}; Path=/; Secure`,
          `=sandbox_session=${value}; Domain=${DOMAIN}; Path=/; Secure`,
          `planted-by-header=1; Domain=${DOMAIN}; Path=/; Secure`,
        ],
      };
      const attack = await stage.opened(attacker, { port: other.port }, person);
      for (const cookie of [
        `sandbox_session=${value}; Domain=.${DOMAIN}; Path=/; Secure`,
        `__Host-sandbox_session=${value}; Path=/; Secure`,
        `__Host-sandbox_session=${value}; Domain=.${DOMAIN}; Path=/; Secure`,
        `__host-sandbox_session=${value}; Domain=.${DOMAIN}; Path=/; Secure`,
        `=__Host-sandbox_session=${value}; Domain=.${DOMAIN}; Path=/; Secure`,
        `planted-by-script=1; Domain=.${DOMAIN}; Path=/; Secure`,
      ])
        await inPage(attack, `void (document.cookie = ${JSON.stringify(cookie)})`);

      const cookies = await person.cookies(stage.originOf(victim, app.port));
      const names = cookies.map(({ name }) => name);
      // The attack has reached the victim's host as far as a browser lets it: by script, without the prefix.
      expect(names).toContain('planted-by-script');
      expect(names).toContain('sandbox_session');
      expect(names).not.toContain('planted-by-header');
      expect(cookies.filter((cookie) => cookie.value === value && /^__host-/i.test(cookie.name))).toEqual([]);

      app.reset();
      expect((await page.reload())?.status()).toBe(200);
      expect(app.seen[0]?.headers.cookie).toBe('planted-by-script=1');

      // Who has only what was planted is let in nowhere but where it comes from.
      const stranger = await stage.person();
      await stage.opened(attacker, { port: other.port }, stranger);
      await inPage(
        stranger.pages()[0] as Page,
        `void (document.cookie = 'sandbox_session=${value}; Domain=.${DOMAIN}; Path=/; Secure')`,
      );
      app.reset();
      const tab = await stranger.newPage();
      for (const origin of [stage.originOf(victim, app.port), stage.originOf(attacker, app.port)])
        expect((await tab.goto(origin))?.status()).toBe(401);
      expect(app.seen).toEqual([]);
    });
  });

  describe('whose neighbour asks in the name of who has it open', () => {
    it('gets what its own page asks', async () => {
      const sandbox = await stage.sandbox();
      const page = await stage.opened(sandbox, { port: app.port });
      app.reset();
      await fetchInPage(page, '/transfer', { method: 'POST', mode: 'no-cors', credentials: 'include' });
      expect(await echoInPage(page, webSocketOf(sandbox))).toBe('hello');
      expect(app.seen.map(({ method, isUpgrade }) => [method, isUpgrade])).toEqual([
        ['POST', false],
        ['GET', true],
      ]);
    });

    it.each(['a sandbox of another team', 'another site'])('gets nothing from %s', async (from) => {
      const victim = await stage.sandbox();
      const person = await stage.person();
      await stage.opened(victim, { port: app.port }, person);
      const page =
        from === 'another site'
          ? await person.newPage()
          : await stage.opened(await stage.sandbox(), { port: other.port }, person);
      if (from === 'another site') await page.goto(stage.otherSite);
      app.reset();
      await attacks(page, victim);
      expect(app.seen).toEqual([]);
    });

    // A script runs with all that is in it, and a picture can be measured, whoever's page it is: no CORS rule is asked.
    it.each(['a sandbox of another team', 'another site'])('runs no script of it in %s', async (from) => {
      const victim = await stage.sandbox();
      const person = await stage.person();
      const page = await stage.opened(victim, { port: app.port }, person);
      const run = (at: Page) =>
        inPage(
          at,
          `new Promise((resolve) => {
             document.querySelector('#script').textContent = '';
             const script = document.createElement('script');
             script.onload = () => resolve(document.querySelector('#script').textContent);
             script.onerror = () => resolve('failed');
             script.src = ${JSON.stringify(`${stage.originOf(victim, app.port)}/app.js`)};
             document.body.append(script);
           })`,
        );
      expect(await run(page)).toBe('the script has run');
      const attack =
        from === 'another site'
          ? await otherSite(Promise.resolve(person))
          : await stage.opened(await stage.sandbox(), { port: other.port }, person);
      app.reset();
      expect(await run(attack)).toBe('failed');
      expect(app.seen).toEqual([]);
    });

    it('gets a WebSocket from an origin that the link names', async () => {
      const [sandbox, neighbour] = [await stage.sandbox(), await stage.sandbox()];
      const person = await stage.person();
      const allowedOrigins = [stage.originOf(neighbour, other.port)];
      await stage.opened(sandbox, { port: app.port, allowedOrigins }, person);
      const page = await stage.opened(neighbour, { port: other.port }, person);
      expect(await echoInPage(page, webSocketOf(sandbox))).toBe('hello');
    });
  });
});
