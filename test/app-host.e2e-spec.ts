import { describe, expect, it } from 'vitest';
import { fieldsOfHead, valuesOf as valuesIn } from './kit/answer.js';
import { BrowserStage } from './kit/browser-stage.js';
import { DOORS, UPGRADE_LINES } from './kit/proxy-stage.js';

// An app compares Origin, Host and X-Forwarded-*. It has to see itself in one way in all of them.

const stage = new BrowserStage();
const unknown = new BrowserStage({ env: { AGENT_APP_HOST: '' } });
const named = new BrowserStage({ env: { AGENT_APP_HOST: 'app.internal:{port}' } });

const valuesOf = (head: string, name: string) => valuesIn(fieldsOfHead(head), name);
const origin = (port = 3000, at = stage) => `http://${at.host(port)}`;

/** The rest of an answer after which the agent's connection is not used again. */
const END = 'Content-Length: 0\r\nConnection: close\r\n\r\n';

type Way = 'key' | 'session' | 'public port';
const WAYS = DOORS.flatMap((door) =>
  (['key', 'session', 'public port'] as const).map((by) => [door, by] as const),
);

/** The lines that admit a request in that way. */
async function admitted(by: Way, at = stage): Promise<string[]> {
  if (by === 'key') return [`X-API-Key: ${at.team.key}`];
  if (by === 'public port') await at.putPort(3000, { visibility: 'public' });
  return by === 'session' ? [`Cookie: ${await at.session(await at.link())}`] : [];
}

function request(door: (typeof DOORS)[number], lines: readonly string[], at = stage): string {
  const all = [`Host: ${at.host()}`, ...lines, ...(door === 'upgrade' ? UPGRADE_LINES : [])];
  return at.bare('GET', '/a', all);
}

describe.each(WAYS)('through the door %s, by %s', (door, by) => {
  it('an app sees itself as localhost in Origin and Referer, and is told no other address', async () => {
    const lines = await admitted(by);
    const { head } = await stage.begin(
      request(door, [...lines, `Origin: ${origin()}`, `Referer: ${origin()}/b?sandbox_link=x`]),
    );
    expect([valuesOf(head, 'origin'), valuesOf(head, 'referer')]).toEqual([
      ['http://localhost:3000'],
      ['http://localhost:3000/b'],
    ]);
    expect(head).not.toMatch(/^(x-forwarded-(host|proto|port)|forwarded|x-sandbox-app-host):/im);
    expect(valuesOf(head, 'x-sandbox-url')).toEqual([origin()]);
  });

  it('an app that is to see itself from outside does so', async () => {
    const lines = await admitted(by);
    await stage.putPort(3000, {
      appHost: 'external',
      visibility: by === 'public port' ? 'public' : 'private',
    });
    const { head } = await stage.begin(
      request(door, [...lines, `Origin: ${origin()}`, `Referer: ${origin()}/b`]),
    );
    for (const [name, value] of [
      ['origin', origin()],
      ['referer', `${origin()}/b`],
      ['x-forwarded-host', stage.host()],
      ['x-forwarded-proto', 'http'],
      ['x-sandbox-app-host', 'external'],
      ['x-sandbox-url', origin()],
    ] as const)
      expect([name, valuesOf(head, name)]).toEqual([name, [value]]);
  });
});

describe.each(DOORS)('through the door %s', (door) => {
  it("a page on the visitor's own machine does not pass for the app's", async () => {
    const mine = ['Origin: http://localhost:3000', 'Referer: http://localhost:3000/'];
    const { head } = await stage.begin(request(door, [...(await admitted('key')), ...mine]));
    expect([valuesOf(head, 'origin'), valuesOf(head, 'referer')]).toEqual([['null'], []]);
  });

  it('such a page passes as it is where the team has named it, for the port or the link', async () => {
    const mine = ['Origin: http://localhost:5173', 'Referer: http://localhost:5173/'];
    await stage.putPort(3000, { cors: ['http://localhost:5173'] });
    const byPort = await stage.begin(request(door, [...(await admitted('key')), ...mine]));
    expect(valuesOf(byPort.head, 'origin')).toEqual(['http://localhost:5173']);
    await stage.putPort(3000, {});
    const cookie = await stage.session(await stage.link({ allowedOrigins: ['http://localhost:5173'] }));
    const byLink = await stage.begin(request(door, [`Cookie: ${cookie}`, ...mine]));
    expect([valuesOf(byLink.head, 'origin'), valuesOf(byLink.head, 'referer')]).toEqual([
      ['http://localhost:5173'],
      ['http://localhost:5173/'],
    ]);
  });

  it('an app that forces HTTPS is told of, instead of sending its visitors to their own machine', async () => {
    const bytes = request(door, await admitted('key'));
    const forcing = `HTTP/1.1 301 Moved\r\nLocation: https://localhost:3000/a\r\n${END}`;
    const { answer } = await stage.exchange(bytes, forcing);
    expect([answer.status, answer.header('x-sandbox-error')]).toEqual([502, 'proxy;app_forces_https']);
    await stage.putPort(3000, { appHost: 'external' });
    const { answer: passed } = await stage.exchange(bytes, forcing);
    expect([passed.status, passed.header('location')]).toEqual([301, 'https://localhost:3000/a']);
  });

  it('Origin and Referer are left out where nobody knows what the app takes for its own', async () => {
    const own = [`Origin: ${origin(3000, unknown)}`, `Referer: ${origin(3000, unknown)}/`];
    const { head } = await unknown.begin(
      request(door, [...(await admitted('key', unknown)), ...own], unknown),
    );
    expect(head).not.toMatch(/^(origin|referer):/im);
  });

  it('Origin goes by the Host that the agents of the platform send', async () => {
    const own = [`Origin: ${origin(4000, named)}`];
    const { head } = await named.begin(request(door, [...(await admitted('key', named)), ...own], named));
    expect(valuesOf(head, 'origin')).toEqual(['http://app.internal:4000']);
  });
});

describe('an app and its API on two ports of a sandbox', () => {
  const allow = (value: string, more = '') =>
    `HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: ${value}\r\n${more}${END}`;

  it('work with the CORS setting that they have for localhost', async () => {
    await stage.putPort(3000, { visibility: 'public' });
    const asks = stage.bare('OPTIONS', '/a', [
      `Host: ${stage.host()}`,
      `Origin: ${origin(4000)}`,
      'Access-Control-Request-Method: PUT',
    ]);
    const preflight = await stage.exchange(asks, allow('http://localhost:4000'));
    expect(valuesOf(preflight.head, 'origin')).toEqual(['http://localhost:4000']);
    expect(preflight.answer.header('access-control-allow-origin')).toBe(origin(4000));
    expect(preflight.answer.header('vary')).toBe('Origin');
    const get = request('HTTP', [`Origin: ${origin(4000)}`]);
    const { answer } = await stage.exchange(get, allow('http://localhost:4000', 'Vary: Origin\r\n'));
    expect(answer.fields.filter(([name]) => /^(vary|access-control)/i.test(name))).toEqual([
      ['Access-Control-Allow-Origin', origin(4000)],
      ['Vary', 'Origin'],
    ]);
  });

  it('let no page read that the app does not mean', async () => {
    await stage.putPort(3000, { visibility: 'public' });
    for (const page of [
      origin(5000),
      'http://localhost:4000',
      'https://evil.example',
      `${origin(4000)}.evil.example`,
    ]) {
      const { answer } = await stage.exchange(
        request('HTTP', [`Origin: ${page}`]),
        allow('http://localhost:4000'),
      );
      expect([page, answer.header('access-control-allow-origin')]).toEqual([page, undefined]);
    }
  });

  it('redirect to each other', async () => {
    const to = (location: string) => `HTTP/1.1 302 Found\r\nLocation: ${location}\r\n${END}`;
    const bytes = request('HTTP', await admitted('key'));
    const other = await stage.exchange(bytes, to('http://localhost:4000/login?x'));
    expect(other.answer.header('location')).toBe(`${origin(4000)}/login?x`);
    const same = await stage.exchange(bytes, to('http://localhost:3000/login?x'));
    expect(same.answer.header('location')).toBe('/login?x');
  });
});

it('the setting is of the port, in the API and in what other processes hear', async () => {
  const { body } = await stage.api('PUT', `/v1/sandboxes/${stage.sandbox.id}/ports/3000`, {
    appHost: 'external',
  });
  expect(body).toEqual({ port: 3000, visibility: 'private', cors: 'app', appHost: 'external' });
  expect(
    (await stage.api('PUT', `/v1/sandboxes/${stage.sandbox.id}/ports/3000`, { appHost: 'x' })).status,
  ).toBe(400);
  const bytes = request('HTTP', await admitted('key'));
  expect(
    valuesOf((await stage.exchange(bytes, `HTTP/1.1 200 OK\r\n${END}`)).head, 'x-sandbox-app-host'),
  ).toEqual(['external']);
  await stage.told(() =>
    stage.started.db.query(`UPDATE sandbox_ports SET app_host = 'local' WHERE sandbox_id = $1`, [
      stage.sandbox.uuid,
    ]),
  );
  expect(
    valuesOf((await stage.exchange(bytes, `HTTP/1.1 200 OK\r\n${END}`)).head, 'x-sandbox-app-host'),
  ).toEqual([]);
});
