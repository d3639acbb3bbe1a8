import { describe, expect, it } from 'vitest';
import { BrowserStage } from './kit/browser-stage.js';
import { UPGRADE_LINES } from './kit/proxy-stage.js';
import type { Answer } from './kit/answer.js';

const stage = new BrowserStage();
const secure = new BrowserStage({ env: { PUBLIC_URL: 'https://example.com' } });

const FRIEND = 'https://friend.example.com';
const refused = ({ status, header }: Answer) => [status, header('x-sandbox-error')];
const REFUSED = [403, 'proxy;cross_site_request'];

/** The sandbox's own origin, as a browser would say it. */
const own = () => `http://${stage.host()}`;

/** The origins that are not the sandbox's own. */
const FOREIGN: readonly [string, () => string][] = [
  ["an attacker's", () => 'https://evil.example'],
  ['opaque', () => 'null'],
  ["a neighbour's", () => `http://3000-cl-${'1'.repeat(25)}.localhost`],
  ["another port's", () => `http://${stage.host(3001)}`],
  ['one with the own name in front', () => `http://${stage.host()}.evil.example`],
  ['one with the own name behind', () => `http://evil.${stage.host()}`],
  ['empty', () => ''],
];

describe.each(['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'])('a %s by a session', (method) => {
  it.each(FOREIGN)('is refused from an origin that is %s', async (_name, origin) => {
    const cookie = await stage.session(await stage.link());
    const lines = [`Origin: ${origin()}`, 'Content-Length: 0'];
    expect(refused(await stage.ask(stage.withCookie(cookie, method, '/', lines)))).toEqual(REFUSED);
  });

  it('is let through from the own origin', async () => {
    const cookie = await stage.session(await stage.link());
    const lines = [`Origin: ${own()}`, 'Content-Length: 0'];
    const { head } = await stage.begin(stage.withCookie(cookie, method, '/', lines));
    expect(head.startsWith(`${method} `)).toBe(true);
  });
});

describe('an upgrade by a session', () => {
  it.each(FOREIGN)('is refused from an origin that is %s', async (_name, origin) => {
    const cookie = await stage.session(await stage.link());
    const lines = [`Origin: ${origin()}`, ...UPGRADE_LINES];
    expect(refused(await stage.ask(stage.withCookie(cookie, 'GET', '/', lines)))).toEqual(REFUSED);
  });

  it.each([
    ['the own origin', own],
    ['an origin that the link names', () => FRIEND],
    ['no page at all', () => null],
  ])('is let through from %s', async (_name, origin) => {
    const cookie = await stage.session(await stage.link({ allowedOrigins: [FRIEND] }));
    const from = origin();
    const lines = [...(from === null ? [] : [`Origin: ${from}`]), ...UPGRADE_LINES];
    const { head } = await stage.begin(stage.withCookie(cookie, 'GET', '/', lines));
    expect(head).toContain('Upgrade: websocket');
  });
});

describe('a session', () => {
  it('reads whichever page asks: what that page may see of it is for CORS to say', async () => {
    const cookie = await stage.session(await stage.link());
    const { answer } = await stage.exchange(
      stage.withCookie(cookie, 'GET', '/', ['Origin: https://evil.example']),
    );
    expect(answer.status).toBe(200);
    expect(answer.header('access-control-allow-origin')).toBeUndefined();
  });

  it('changes things from a page that the port lists', async () => {
    await stage.putPort(3000, { cors: [FRIEND] });
    const cookie = await stage.session(await stage.link());
    const { head } = await stage.begin(
      stage.withCookie(cookie, 'POST', '/', [`Origin: ${FRIEND}`, 'Content-Length: 0']),
    );
    expect(head).toMatch(/^POST /);
  });

  it('takes no page by plain HTTP for its own where clients use HTTPS', async () => {
    const cookie = await secure.session(await secure.link());
    const from = (origin: string) =>
      secure.withCookie(cookie, 'POST', '/', [`Origin: ${origin}`, 'Content-Length: 0']);
    expect(refused(await secure.ask(from(`http://${secure.host()}`)))).toEqual(REFUSED);
    expect((await secure.begin(from(`https://${secure.host()}:443`))).head).toMatch(/^POST /);
  });

  it.each(['cross-site', 'same-site'])(
    'shows nothing in a frame of a %s page without `embed`',
    async (site) => {
      const lines = ['Sec-Fetch-Dest: iframe', `Sec-Fetch-Site: ${site}`, 'Sec-Fetch-Mode: navigate'];
      const plain = await stage.session(await stage.link());
      expect(refused(await stage.ask(stage.withCookie(plain, 'GET', '/', lines)))).toEqual(REFUSED);
      const embedded = await stage.session(await stage.link({ embed: true }));
      expect((await stage.exchange(stage.withCookie(embedded, 'GET', '/', lines))).answer.status).toBe(200);
    },
  );

  // A page of a neighbour that runs a private script of this sandbox reads what is in it.
  it.each(['cross-site', 'same-site'])(
    'lends no script or image to a %s page without `embed`',
    async (site) => {
      const lines = ['Sec-Fetch-Dest: script', `Sec-Fetch-Site: ${site}`, 'Sec-Fetch-Mode: no-cors'];
      const plain = await stage.session(await stage.link());
      expect(refused(await stage.ask(stage.withCookie(plain, 'GET', '/a.js', lines)))).toEqual(REFUSED);
      const embedded = await stage.session(await stage.link({ embed: true }));
      expect((await stage.exchange(stage.withCookie(embedded, 'GET', '/a.js', lines))).answer.status).toBe(
        200,
      );
    },
  );

  it.each([
    ['same-origin', 200],
    ['same-site', 403],
    ['cross-site', 403],
  ])('takes a form of a page without an address for what the browser says: %s', async (site, status) => {
    const cookie = await stage.session(await stage.link());
    const lines = [
      'Origin: null',
      `Sec-Fetch-Site: ${site}`,
      'Sec-Fetch-Mode: navigate',
      'Content-Length: 0',
    ];
    const bytes = stage.withCookie(cookie, 'POST', '/', lines);
    const answer = status === 200 ? (await stage.exchange(bytes)).answer : await stage.ask(bytes);
    expect(answer.status).toBe(status);
  });

  it('shows itself in its own frames', async () => {
    const lines = ['Sec-Fetch-Dest: iframe', 'Sec-Fetch-Site: same-origin'];
    const cookie = await stage.session(await stage.link());
    expect((await stage.exchange(stage.withCookie(cookie, 'GET', '/', lines))).answer.status).toBe(200);
  });
});

describe('a public port', () => {
  it.each(['POST', 'GET'])('is as open to who has a session as to anyone: %s', async (method) => {
    await stage.putPort(3000, { visibility: 'public' });
    const cookie = await stage.session(await stage.link());
    const lines = [
      'Origin: https://evil.example',
      ...(method === 'GET' ? UPGRADE_LINES : ['Content-Length: 0']),
    ];
    const { head } = await stage.begin(stage.withCookie(cookie, method, '/', lines));
    expect(head.startsWith(`${method} `)).toBe(true);
    expect(head).not.toContain('wrs_');
  });
});

describe('a request with a key', () => {
  it('comes from no browser that sends it by itself: its origin does not matter', async () => {
    const { head } = await stage.begin(
      stage.head('POST', '/', ['Origin: https://evil.example', 'Content-Length: 0']),
    );
    expect(head).toMatch(/^POST /);
  });
});

describe('a page for a person', () => {
  const NAVIGATION = ['Accept: text/html,*/*;q=0.8', 'Sec-Fetch-Mode: navigate'];

  it("stands in the place of the agent's own error, with its status and mark", async () => {
    const said = [
      'HTTP/1.1 502 Bad Gateway',
      'X-Sandbox-Error: agent;app_unreachable',
      'Content-Type: application/json',
      'Content-Length: 2',
      '\r\n{}',
    ].join('\r\n');
    const { answer } = await stage.exchange(stage.knock('HTTP', '/', NAVIGATION), said);
    expect(answer.status).toBe(502);
    expect(answer.header('x-sandbox-error')).toBe('agent;app_unreachable');
    expect(answer.header('content-type')).toContain('text/html');
    expect(answer.body).toContain('3000');
    const plain = await stage.exchange(stage.knock('HTTP'), said);
    expect(plain.answer.body).toBe('{}');
  });

  it("does not stand in the place of an app's error", async () => {
    const said = 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\napp';
    const { answer } = await stage.exchange(stage.knock('HTTP', '/', NAVIGATION), said);
    expect(answer.body).toBe('app');
  });

  it('is never shown to an upgrade or an asset', async () => {
    for (const lines of [
      [...UPGRADE_LINES, 'Accept: text/html'],
      ['Sec-Fetch-Mode: no-cors', 'Accept: text/html'],
    ]) {
      const answer = await stage.open('/', lines);
      expect(answer.header('content-type')).toContain('application/json');
    }
  });
});
