import { describe, expect, it } from 'vitest';
import { generateApiKey } from '../src/platform/identifiers/api-key.js';
import { DOORS, EMPTY_OK, ProxyStage, SWITCHING } from './kit/proxy-stage.js';
import { fieldsOfHead } from './kit/answer.js';

const stage = new ProxyStage();

/** Names of the fields in a head, lower case. */
function names(head: string): string[] {
  return fieldsOfHead(head).map(([name]) => name.toLowerCase());
}

function valuesOf(head: string, name: string): string[] {
  return fieldsOfHead(head).flatMap(([field, value]) => (field.toLowerCase() === name ? [value] : []));
}

/** An empty answer with these lines. */
function answerWith(lines: readonly string[], status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\n${lines.map((line) => `${line}\r\n`).join('')}Content-Length: 0\r\n\r\n`;
}

describe.each(DOORS)('towards the sandbox (%s)', (door) => {
  const answer = door === 'HTTP' ? EMPTY_OK : SWITCHING;
  const headOf = async (path: string, lines: readonly string[] = []): Promise<string> =>
    (await stage.exchange(stage.knock(door, path, lines), answer)).head;

  it.each(['/', '/a%2Fb//c/?x=%20&y=(1)@', '/?', '/@vite/client', '/%7Euser/.well-known/x'])(
    'the path %s is what the client sent, behind the prefix',
    async (path) => {
      expect((await headOf(path)).split('\r\n')[0]).toBe(`GET ${stage.prefix()}${path} HTTP/1.1`);
    },
  );

  it.each(['/%2e%2e/%2e%2e/cl-victim/80/x', '/../../../cl-victim/80/x', '/a/.%2E/../../cl-victim/80/x'])(
    '%s stays inside the sandbox',
    async (path) => {
      expect((await headOf(path)).split('\r\n')[0]).toBe(`GET ${stage.prefix()}/cl-victim/80/x HTTP/1.1`);
    },
  );

  it('Host is the agent, and the address that the client used stands in X-Sandbox-Url', async () => {
    const head = await headOf('/');
    expect(valuesOf(head, 'host')).toEqual([stage.agentAddress]);
    expect(valuesOf(head, 'x-sandbox-url')).toEqual([`http://${stage.host()}`]);
    expect(valuesOf(head, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(valuesOf(head, 'x-request-id')).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });

  it('what an untrusted client says of other hops, or in our name, does not pass', async () => {
    const head = await headOf('/', [
      'X-Forwarded-For: 1.2.3.4',
      'X-Forwarded-Host: evil',
      'X-Forwarded-Proto: https',
      'Forwarded: for=1.2.3.4',
      'X-Forwarded-Port: 1',
      'X_Forwarded_For: 1.2.3.4',
      'X-Sandbox-Id: cl-x',
      'X-Request-Id: mine',
    ]);
    expect(head).not.toMatch(/1\.2\.3\.4|evil|cl-x|mine|https/);
    expect(names(head)).not.toContain('forwarded');
  });

  it('no credential of the platform passes, in whatever field it came', async () => {
    const other = generateApiKey();
    const head = await headOf('/', [
      `x-api-key: ${other}`,
      `Authorization: Bearer ${other}`,
      `X-Custom: key=${other}`,

      'Cookie: a=1; sandbox_session=secret; b=2',
      `Cookie: k=${other}`,
      '__Host-sandbox_session: no-cookie',
    ]);
    expect(head).not.toMatch(/wrn_|secret/);
    expect(valuesOf(head, 'cookie')).toEqual(['a=1; b=2']);
  });

  it("the app's own credentials pass", async () => {
    const head = await headOf('/', ['Authorization: Bearer app', 'X-API-Key: app-key', 'Cookie: session=1']);
    expect(valuesOf(head, 'authorization')).toEqual(['Bearer app']);
    expect(valuesOf(head, 'x-api-key')).toEqual(['app-key']);
    expect(valuesOf(head, 'cookie')).toEqual(['session=1']);
  });

  it('everything else passes with its order, duplicates, letter case and bytes', async () => {
    const lines = [
      'aCCept: x',
      'X-Two: 1',
      'X-B: \u00e9\u00ff',
      'X-Two: 2',
      'If-None-Match: W/"a"',
      'X-Empty: ',
    ];
    const head = await headOf('/', lines);
    expect(head).toContain(`${lines.filter((line) => !line.startsWith('X-Empty')).join('\r\n')}\r\n`);
    expect(valuesOf(head, 'x-empty')).toEqual(['']);
  });
});

describe('hop-by-hop fields', () => {
  it('and whatever Connection names do not reach the sandbox', async () => {
    const lines = [
      'X-Named: 1',
      'Connection: keep-alive, X-Named',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: x',
    ];
    const { head } = await stage.exchange(
      stage.head('GET', '/', [...lines, 'TE: gzip', 'Proxy-Authorization: x']),
    );
    const sent = names(head);
    for (const name of [
      'connection',
      'x-named',
      'keep-alive',
      'proxy-connection',
      'te',
      'proxy-authorization',
    ])
      expect(sent).not.toContain(name);
  });

  it('cannot take away what the proxy sets (CVE-2021-33197, CVE-2024-45410)', async () => {
    const { head } = await stage.exchange(
      stage.head('GET', '/', ['Connection: X-Forwarded-For, X-Sandbox-Url, X-Request-Id, Host']),
    );
    expect(names(head)).toEqual(
      expect.arrayContaining(['host', 'x-forwarded-for', 'x-sandbox-url', 'x-request-id']),
    );
  });

  it('and whatever Connection names do not reach the client', async () => {
    const lines = ['X-Named: 1', 'Connection: keep-alive, X-Named', 'Keep-Alive: timeout=5', 'X-Kept: 1'];
    const { answer } = await stage.exchange(stage.head('GET', '/'), answerWith(lines));
    expect(answer.header('x-named')).toBeUndefined();
    expect(answer.header('x-kept')).toBe('1');
    expect(answer.fields.map(([, value]) => value)).not.toContain('timeout=5');
  });
});

describe('towards the client', () => {
  it('fields pass with their order, duplicates, letter case and bytes, and only the request id is added', async () => {
    const lines = [
      'x-B: \u00e9',
      'Vary: a',
      'X-A: 1',
      'vary: b',
      'ETag: W/"x"',
      'Server: app',
      'Date: never',
    ];
    const { answer } = await stage.exchange(stage.head('GET', '/'), answerWith(lines));
    expect(answer.fields.slice(0, 7).map(([name, value]) => `${name}: ${value}`)).toEqual(lines);
    expect(answer.fields.slice(7).map(([name]) => name.toLowerCase())).toEqual([
      'content-length',
      'x-request-id',
      'connection',
      'keep-alive',
    ]);
  });

  it('an app cannot speak in our name', async () => {
    const lines = ['X-Sandbox-Error: proxy;unauthorized', 'X-Sandbox-Id: x'];
    const { answer } = await stage.exchange(stage.head('GET', '/'), answerWith(lines, '401 Unauthorized'));
    expect(answer.status).toBe(401);
    expect(answer.fields.filter(([name]) => /^x-sandbox-/i.test(name))).toEqual([]);
  });

  it("an agent's own error keeps its mark", async () => {
    const error = answerWith(['X-Sandbox-Error: agent;no_such_sandbox'], '404 Not Found');
    const { answer } = await stage.exchange(stage.head('GET', '/'), error);
    expect(answer.header('x-sandbox-error')).toBe('agent;no_such_sandbox');
  });

  it.each([
    ['{prefix}/login?x', '/login?x'],
    ['{prefix}', '/'],
    ['http://{agent}{prefix}/x', '/x'],
    ['/elsewhere', '/elsewhere'],
    ['https://example.com/x', 'https://example.com/x'],
    ['/proxy/cl-other/80/x', '/proxy/cl-other/80/x'],
  ])("Location %s is %s, as the app's own", async (sent, seen) => {
    const location = sent.replace('{prefix}', stage.prefix()).replace('{agent}', stage.agentAddress);
    const { answer } = await stage.exchange(
      stage.head('GET', '/'),
      answerWith([`Location: ${location}`], '302 Found'),
    );
    expect(answer.all('location')).toEqual([seen]);
  });

  it('Set-Cookie keeps its multiplicity and loses a domain that reaches the neighbours', async () => {
    const lines = [
      'Set-Cookie: a=1; Path=/',
      'Set-Cookie: a=1; Path=/',
      'Set-Cookie: b=2; Domain=localhost; Secure',
      'Set-Cookie: c=3; Domain=.LOCALHOST',
      `Set-Cookie: d=4; Domain=${stage.host()}`,
      'Set-Cookie: sandbox_session=planted',
      'Set-Cookie: =sandbox_session=planted',
    ];
    const { answer } = await stage.exchange(stage.head('GET', '/'), answerWith(lines));
    expect(answer.all('set-cookie')).toEqual([
      'a=1; Path=/',
      'a=1; Path=/',
      'b=2; Secure',
      'c=3',
      `d=4; Domain=${stage.host()}`,
    ]);
  });

  it('a 101 follows the same rules', async () => {
    const lines = ['Set-Cookie: b=2; Domain=localhost', 'X-Sandbox-Id: x', 'Sec-WebSocket-Accept: y'];
    const switching = SWITCHING.replace(/\r\n\r\n$/, `\r\n${lines.join('\r\n')}\r\n\r\n`);
    const { answer } = await stage.exchange(stage.knock('upgrade'), switching);
    expect(answer.status).toBe(101);
    expect(answer.fields).toEqual([
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
      ['Set-Cookie', 'b=2'],
      ['Sec-WebSocket-Accept', 'y'],
      ['X-Request-Id', expect.any(String)],
    ]);
  });
});
