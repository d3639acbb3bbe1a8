import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StartedApp, startApp } from './kit/app.js';

const PATHS = ['/', '/console.css', '/console.js'] as const;

const fieldsIn = (markup: string) => markup.match(/<(?:input|select|textarea)\b/g)?.length;

describe('the console', () => {
  let started: StartedApp;
  const get = (path: string, init?: RequestInit) => fetch(`${started.url}${path}`, init);
  const textOf = async (path: string) => (await get(path)).text();

  beforeAll(async () => {
    started = await startApp();
  });
  afterAll(() => started.close());

  it.each([
    ['/', 'text/html; charset=utf-8', 'no-store'],
    ['/console.css', 'text/css; charset=utf-8', 'no-cache'],
    ['/console.js', 'text/javascript; charset=utf-8', 'no-cache'],
  ])('serves %s as %s to anyone, with Cache-Control: %s', async (path, type, cacheControl) => {
    const answer = await get(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.headers.get('cache-control')).toBe(cacheControl);
    expect((await answer.text()).length).toBeGreaterThan(1_000);
  });

  it.each(PATHS)('allows %s nothing but itself', async (path) => {
    const { headers } = await get(path);
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('set-cookie')).toBeNull();
  });

  it('offers links that last as long as the operator allows, and no longer', async () => {
    const offered = async (url: string): Promise<string[]> =>
      [...(await (await fetch(url)).text()).matchAll(/<option value="(\d+)"/g)].map(([, seconds]) =>
        String(seconds),
      );
    expect(await offered(started.url)).toEqual(['60', '300', '900', '3600', '28800', '86400']);
    const generous = await startApp({ env: { LINK_MAX_TTL_SECONDS: '2592000' } });
    expect((await offered(generous.url)).slice(-2)).toEqual(['604800', '2592000']);
    await generous.close();
  });

  it('answers HEAD as GET, without the page', async () => {
    const answer = await get('/', { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it.each([
    '/console',
    '/console.html',
    '/index.html',
    '/public/console.js',
    '/console.js/x',
    '/tsconfig.json',
  ])('leaves %s as it was: not found, in JSON', async (path) => {
    const answer = await get(path);
    expect([answer.status, await answer.json()]).toEqual([
      404,
      { error: expect.objectContaining({ code: 'not_found', message: 'route not found' }) },
    ]);
  });

  it('takes no POST', async () => {
    expect((await get('/', { method: 'POST' })).status).toBe(404);
  });

  it('is not what the host of a sandbox shows at /', async () => {
    const request = http.get(started.url, {
      headers: { host: `3000-cl-0123456789abcdefghijklmno.localhost:${started.port}` },
    });
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(answer.statusCode).toBe(401);
    expect(await text(answer)).not.toContain('console');
  });

  describe('markup', () => {
    it('has no inline script, no inline style and no event handler', async () => {
      const page = await textOf('/');
      expect(page.match(/<script\b[^>]*>[^<]*/g)).toEqual(['<script type="module" src="/console.js">']);
      expect(page).not.toMatch(/<style\b|<base\b|<iframe\b|<img\b|\sstyle\s*=|\son[a-z]+\s*=|javascript:/i);
    });

    it('refers to its own files only', async () => {
      const page = await textOf('/');
      const references = [...page.matchAll(/\s(?:src|href|action|formaction|srcset)\s*=\s*"([^"]*)"/gi)];
      expect(references.map(([, reference]) => reference)).toEqual(['/console.css', '/console.js']);
      expect(await textOf('/console.css')).not.toMatch(/@import|url\(/i);
    });

    it('asks for the key in a field that is neither completed, nor shown, nor sent with a form', async () => {
      const field = /<input\s[^>]*id="key"[^>]*>/.exec(await textOf('/'))?.[0];
      expect(field).toContain('type="password"');
      expect(field).toContain('autocomplete="off"');
      expect(field).not.toMatch(/\sname=/);
    });

    it('names every field by a label around it', async () => {
      const page = await textOf('/');
      const labelled = [...page.matchAll(/<label\b[^]*?<\/label>/g)].join('');
      expect(fieldsIn(page)).toBeGreaterThan(8);
      expect(fieldsIn(labelled)).toBe(fieldsIn(page));
    });

    it('opens new tabs without a way back', async () => {
      const anchors = (await textOf('/')).match(/<a\b[^>]*>/g) ?? [];
      expect(anchors).toHaveLength(1);
      expect(anchors[0]).toContain('target="_blank" rel="noopener noreferrer"');
    });
  });

  describe('script', () => {
    it.each([
      'innerHTML',
      'outerHTML',
      'insertAdjacentHTML',
      'document.write',
      'setHTMLUnsafe',
      'DOMParser',
      'localStorage',
      'sessionStorage',
      'indexedDB',
      'document.cookie',
      'history.',
      'location',
      'eval',
      'Function(',
      'import(',
      'serviceWorker',
      'postMessage',
    ])('does without %s', async (word) => {
      expect(await textOf('/console.js')).not.toContain(word);
    });

    it('calls the API by paths: no address of another host is in it', async () => {
      const script = await textOf('/console.js');
      expect(script.match(/(['"`])(?:https?:)?\/\/[^'"`]*/g)).toBeNull();
      expect(script.match(/fetch\([^,]*/g)).toEqual(['fetch(path']);
      expect(script).not.toMatch(/XMLHttpRequest|WebSocket|EventSource|sendBeacon/);
      expect(script).not.toMatch(/^\s*(?:import|export)\b/m);
    });

    it('finds in the page whatever it looks for', async () => {
      const [page, script] = [await textOf('/'), await textOf('/console.js')];
      const ids = [...script.matchAll(/find\(\w+, '#([\w-]+)'|copyOf\('([\w-]+)'/g)].map(
        ([, a, b]) => a ?? b,
      );
      const slots = [...script.matchAll(/slot\(\w+, '(\w+)'\)/g)].map(([, name]) => name);
      expect(ids.length).toBeGreaterThan(12);
      expect(slots.length).toBeGreaterThan(8);
      for (const id of ids) expect(page).toContain(`id="${id}"`);
      for (const name of slots) expect(page).toContain(`data-slot="${name}"`);
    });
  });
});
