import { describe, expect, it } from 'vitest';
import { fieldsOfHead, valuesOf } from './kit/answer.js';
import { BrowserStage, type LinkOptions } from './kit/browser-stage.js';
import { DOORS, UPGRADE_LINES } from './kit/proxy-stage.js';

// A link for several ports begins a session at each of them, and pages of one may then act at another.

const stage = new BrowserStage();

const origin = (port: number) => `http://${stage.host(port)}`;
const END = 'Content-Length: 0\r\nConnection: close\r\n\r\n';
const PREFLIGHT = ['Access-Control-Request-Method: PUT', 'Access-Control-Request-Headers: x-own'];

const linkOf = (ports: readonly number[], more: LinkOptions = {}) => stage.link({ ports, ...more });

/** Follows the redirects of a link, as a client without fetch metadata does: where it ends, and the cookies by port. */
async function follow(start: string): Promise<{ end: string; cookies: Map<number, string>; ways: string[] }> {
  const cookies = new Map<number, string>();
  const ways: string[] = [];
  let [target, port] = [start, 3000];
  for (let i = 0; i < 10; i += 1) {
    ways.push(`${port}${target}`);
    const answer = await stage.open(target, [], port);
    if (answer.status !== 303) throw new Error(`${answer.status} at ${port}${target}: ${answer.body}`);
    const cookie = answer.header('set-cookie')?.split(';', 1)[0];
    if (cookie !== undefined) cookies.set(port, cookie);
    const location = answer.header('location') as string;
    if (location.startsWith('/')) return { end: `${port}${location}`, cookies, ways };
    const url = new URL(location);
    expect(url.host.slice(url.host.indexOf('-'))).toBe(stage.host().slice(stage.host().indexOf('-')));
    [port, target] = [Number.parseInt(url.host, 10), url.pathname + url.search];
    if (!target.includes('sandbox_link')) return { end: `${port}${target}`, cookies, ways };
  }
  throw new Error('the redirects do not end');
}

/** A page of `from` asks at `at`, with the cookie of that port. */
const asks = (cookie: string, from: number, at: number, method = 'POST', lines: readonly string[] = []) =>
  stage.withCookie(cookie, method, '/', [`Origin: ${origin(from)}`, ...lines, 'Content-Length: 0'], at);

describe('a link for several ports', () => {
  it('begins a session at each, by redirects that end where the visitor wanted to be', async () => {
    const { token } = await linkOf([3000, 4000, 4100]);
    const { end, cookies, ways } = await follow(`/a?b=1&sandbox_link=${token}`);
    expect(end).toBe('3000/a?b=1');
    expect([...cookies.keys()]).toEqual([3000, 4000, 4100]);
    expect(ways.map((way) => Number.parseInt(way, 10))).toEqual([3000, 4000, 4100]);
    for (const [port, cookie] of cookies)
      expect((await stage.begin(stage.withCookie(cookie, 'GET', '/', [], port))).head).toContain(
        `/${port}/ `,
      );
  });

  it('answers a browser with a page, which fetches the exchange at each other port', async () => {
    const { token } = await linkOf([3000, 4000]);
    const opened = await stage.open(`/a?sandbox_link=${token}`, ['Sec-Fetch-Mode: navigate']);
    expect([opened.status, opened.header('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(opened.header('set-cookie')).toMatch(/^sandbox_session=wrs_/);
    expect(opened.header('content-security-policy')).toContain(`connect-src ${origin(4000)};`);
    const url = new URL(/data-exchanges="([^"]*)"/.exec(opened.body)?.[1] ?? '');
    expect([url.origin, /data-location="([^"]*)"/.exec(opened.body)?.[1]]).toEqual([origin(4000), '/a']);
    const fetched = await stage.open(
      url.pathname + url.search,
      [`Origin: ${origin(3000)}`, 'Sec-Fetch-Mode: cors', 'Sec-Fetch-Site: cross-site'],
      4000,
    );
    expect([fetched.status, fetched.header('access-control-allow-origin')]).toEqual([204, origin(3000)]);
    expect(fetched.header('access-control-allow-credentials')).toBe('true');
    expect(fetched.header('set-cookie')).toMatch(/Secure; SameSite=None; Partitioned$/);
  });

  it('gives a page of the same site a cookie of that site', async () => {
    const { token } = await linkOf([3000, 4000]);
    const opened = await stage.open(`/?sandbox_link=${token}`, ['Sec-Fetch-Mode: navigate']);
    const url = new URL(/data-exchanges="([^"]*)"/.exec(opened.body)?.[1] ?? '');
    const lines = [`Origin: ${origin(3000)}`, 'Sec-Fetch-Mode: cors', 'Sec-Fetch-Site: same-site'];
    const fetched = await stage.open(url.pathname + url.search, lines, 4000);
    expect(fetched.header('set-cookie')).toMatch(/; SameSite=Lax$/);
  });

  it('cannot be entered in the middle, and no part of it is good twice, or elsewhere', async () => {
    const { token } = await linkOf([3000, 4000]);
    const { ways } = await follow(`/?sandbox_link=${token}`);
    const middle = (ways[1] as string).slice(4);
    expect((await stage.open(middle, [], 4000)).status).toBe(401);
    expect((await stage.open(`/?sandbox_link=${token}`, [], 4000)).status).toBe(401);
    const again = await linkOf([3000, 4000]);
    const first = await stage.open(`/?sandbox_link=${again.token}`);
    const exchange = new URL(first.header('location') as string).search;
    expect((await stage.open(`/${exchange}`, [], 4100)).status).toBe(401);
    expect((await stage.open(`/${exchange}`, [], 4000)).status).toBe(303);
    expect((await stage.open(`/${exchange}`, [], 4000)).status).toBe(401);
  });

  it.each([
    '3000.evil',
    '99999',
    '0',
    'evil.example',
    '3000@evil.example',
    '//evil.example',
    '-1',
    '4000.a,\r\nX-Evil: 1',
  ])('is not led out of the sandbox by what is put behind its token: %s', async (hop) => {
    const { token } = await linkOf([3000]);
    const answer = await stage.open(`/a?sandbox_link=${token},${encodeURIComponent(hop)}`);
    const location = answer.header('location') ?? '';
    expect(location === '/a' || new URL(location).host.endsWith(stage.host().slice(4))).toBe(true);
    expect(location).not.toContain('evil.example');
  });

  it('ends at all of them when it is revoked, an exchange that was not made among them', async () => {
    const { id, token } = await linkOf([3000, 4000, 4100]);
    const first = await stage.open(`/?sandbox_link=${token}`);
    const exchange = new URL(first.header('location') as string).search;
    const second = await stage.open(`/${exchange}`, [], 4000);
    const cookie = second.header('set-cookie')?.split(';', 1)[0] as string;
    const last = new URL(second.header('location') as string).search;
    await stage.api('DELETE', `/v1/sandboxes/${stage.sandbox.id}/links/${id}`);
    expect((await stage.ask(stage.withCookie(cookie, 'GET', '/', [], 4000))).status).toBe(401);
    expect((await stage.open(`/${last}`, [], 4100)).status).toBe(401);
  });

  it('for one browser is used up as a whole, by its page', async () => {
    const { token } = await linkOf([3000, 4000], { once: true });
    expect((await stage.open(`/?sandbox_link=${token}`)).status).toBe(200);
    const post = stage.bare('POST', `/?sandbox_link=${token}`, [
      `Host: ${stage.host()}`,
      `Origin: ${origin(3000)}`,
      'Content-Length: 0',
    ]);
    const posted = await stage.ask(post);
    const exchange = new URL(posted.header('location') as string).search;
    expect((await stage.open(`/${exchange}`, [], 4000)).status).toBe(303);
    expect((await stage.ask(post)).status).toBe(401);
  });

  it.each([
    { port: 3000, ports: [3000] },
    { ports: [] },
    { ports: [1, 2, 3, 4, 5, 6] },
    { ports: [3000, 3000] },
    { ports: [3000, 0] },
    { ports: [3000, 22] },
    { ports: 3000 },
  ])('is refused: %j', async (body) => {
    expect((await stage.api('POST', `/v1/sandboxes/${stage.sandbox.id}/links`, body)).status).toBe(400);
  });

  it('is shown with all its ports', async () => {
    const { id } = await linkOf([3000, 4000]);
    const { body } = await stage.api('GET', `/v1/sandboxes/${stage.sandbox.id}/links`);
    expect(body.items).toEqual([expect.objectContaining({ id, port: 3000, ports: [3000, 4000] })]);
  });
});

describe('a page of one port at another', () => {
  it('may act there, and read, by a link for both', async () => {
    const { cookies } = await follow(`/?sandbox_link=${(await linkOf([3000, 4000])).token}`);
    const answer = `HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: http://localhost:3000\r\n${END}`;
    const posted = await stage.exchange(asks(cookies.get(4000) as string, 3000, 4000), answer);
    expect(valuesOf(fieldsOfHead(posted.head), 'origin')).toEqual(['http://localhost:3000']);
    expect(posted.answer.header('access-control-allow-origin')).toBe(origin(3000));
    const upgrade = asks(cookies.get(4000) as string, 3000, 4000, 'GET', UPGRADE_LINES).replace(
      'Content-Length: 0\r\n',
      '',
    );
    expect((await stage.begin(upgrade)).head).toContain('Origin: http://localhost:3000');
  });

  it('may also where the team has a CORS list for the port', async () => {
    await stage.putPort(4000, { cors: ['https://app.example'] });
    const { cookies } = await follow(`/?sandbox_link=${(await linkOf([3000, 4000])).token}`);
    const { answer } = await stage.exchange(
      asks(cookies.get(4000) as string, 3000, 4000),
      `HTTP/1.1 200 OK\r\n${END}`,
    );
    expect(answer.header('access-control-allow-origin')).toBe(origin(3000));
  });

  it.each(DOORS)('may not by a link that does not name its port, not even to read (%s)', async (door) => {
    const { cookies } = await follow(`/?sandbox_link=${(await linkOf([3000, 4000])).token}`);
    const upgrade = door === 'upgrade' ? UPGRADE_LINES : [];
    const bytes = stage.withCookie(
      cookies.get(4000) as string,
      'GET',
      '/',
      [`Origin: ${origin(5000)}`, ...upgrade],
      4000,
    );
    expect((await stage.ask(bytes)).status).toBe(403);
    const single = await stage.session(await stage.link({ port: 3000 }));
    const other = stage.withCookie(single, 'GET', '/', [`Origin: ${origin(4000)}`, ...upgrade]);
    expect((await stage.ask(other)).status).toBe(403);
  });

  it('is answered its preflight from the addresses alone, whether or not anything is there', async () => {
    const elsewhere = stage.host(3000).replace(stage.sandbox.id, `cl-${'0'.repeat(24)}7`);
    const ask = (host: string) =>
      stage.ask(
        stage.bare('OPTIONS', '/', [
          `Host: ${host}`,
          `Origin: http://${host.replace('3000', '4000')}`,
          ...PREFLIGHT,
        ]),
      );
    for (const host of [stage.host(3000), elsewhere]) {
      const answer = await ask(host);
      expect([answer.status, answer.header('access-control-allow-methods')]).toEqual([204, 'PUT']);
      expect(answer.header('access-control-allow-origin')).toBe(`http://${host.replace('3000', '4000')}`);
    }
  });

  it('is answered none of another sandbox', async () => {
    const neighbour = `http://4000-cl-${'0'.repeat(24)}7.localhost`;
    const bytes = stage.bare('OPTIONS', '/', [`Host: ${stage.host()}`, `Origin: ${neighbour}`, ...PREFLIGHT]);
    expect((await stage.ask(bytes)).status).toBe(401);
  });
});

describe('a program that shows the token of a link', () => {
  const shown = (token: string, port: number, lines: readonly string[] = []) =>
    stage.bare('GET', '/', [`Host: ${stage.host(port)}`, `X-Sandbox-Link: ${token}`, ...lines]);

  it.each(DOORS)(
    'is admitted at all its ports and no other, and the app does not see the token (%s)',
    async (door) => {
      const lines = door === 'upgrade' ? UPGRADE_LINES : [];
      const { token, id } = await linkOf([3000, 4000]);
      for (const port of [3000, 4000]) {
        const { head } = await stage.begin(shown(token, port, lines));
        expect(head).not.toContain(token);
      }
      expect((await stage.ask(shown(token, 4100, lines))).status).toBe(401);
      await stage.api('DELETE', `/v1/sandboxes/${stage.sandbox.id}/links/${id}`);
      expect((await stage.ask(shown(token, 3000, lines))).status).toBe(401);
    },
  );

  it('has what it opened cut with the link', async () => {
    const { token, id } = await linkOf([3000]);
    const { client } = await stage.stream(shown(token, 3000));
    await stage.api('DELETE', `/v1/sandboxes/${stage.sandbox.id}/links/${id}`);
    expect(await client.closed()).toBeDefined();
  });

  it('is not admitted by a link for one browser', async () => {
    const { token } = await linkOf([3000], { once: true });
    expect((await stage.ask(shown(token, 3000))).status).toBe(401);
  });
});
