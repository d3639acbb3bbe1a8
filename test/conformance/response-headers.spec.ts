import { gzipSync } from 'node:zlib';
import { assert, expect } from 'vitest';
import { answer, always, type Script } from '../kit/agent.js';
import type { Answer } from '../kit/answer.js';
import { utf8 } from '../kit/byte-stream.js';
import { test } from './test.js';
import type { World } from './world.js';

/** The five kinds of answer that carry headers of a sandbox. */
type Kind = 'ok' | 'error' | 'switch' | 'refused-upgrade' | 'chunked';
const KINDS: readonly Kind[] = ['ok', 'error', 'switch', 'refused-upgrade', 'chunked'];

function scriptOf(kind: Kind, lines: readonly string[]): Script {
  const block = lines.map((line) => `${line}\r\n`).join('');
  if (kind === 'ok') return always(answer(200, 'ok', lines));
  if (kind === 'error') return always(answer(500, 'no', lines));
  if (kind === 'refused-upgrade') return always(answer(403, 'no', lines));
  if (kind === 'chunked')
    return always(`HTTP/1.1 200 OK\r\n${block}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`);
  return (exchange) => {
    exchange.tunnel(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${block}\r\n`,
    );
  };
}

/** The answer that a client gets when the sandbox's has `lines`. */
async function receive(world: World, kind: Kind, lines: readonly string[]): Promise<Answer> {
  const stage = await world.stage(scriptOf(kind, lines));
  const door = kind === 'switch' || kind === 'refused-upgrade' ? 'upgrade' : 'HTTP';
  const got = (await stage.send(stage.knock(door, '/h'))).answer;
  expect(got.status, 'status').toEqual(
    { ok: 200, error: 500, switch: 101, 'refused-upgrade': 403, chunked: 200 }[kind],
  );
  if (kind !== 'switch') expect(got.body, 'body').toEqual(kind === 'ok' || kind === 'chunked' ? 'ok' : 'no');
  return got;
}

const HOP = 'RFC 9110 7.6.1';
const DROPPED: [name: string, lines: string[], gone: string, source: string][] = [
  ['keep-alive', ['Keep-Alive: timeout=77'], 'keep-alive', HOP],
  ['proxy-connection', ['Proxy-Connection: close'], 'proxy-connection', HOP],
  ['proxy-authenticate', ['Proxy-Authenticate: Basic realm=x'], 'proxy-authenticate', 'RFC 9110 11.7.1'],
  ['named', ['Connection: X-Foo', 'X-Foo: 1'], 'x-foo', HOP],
  ['named-odd-case', ['Connection: keep-alive, x-fOO', 'X-Foo: 1', 'x-foo: 2'], 'x-foo', HOP],
  ['te', ['TE: trailers'], 'te', 'RFC 9110 10.1.4'],
  ['x-sandbox-any', ['X-Sandbox-Anything: 1'], 'x-sandbox-anything', 'README'],
  ['x-sandbox-proxy-error', ['X-Sandbox-Error: proxy;unauthorized'], 'x-sandbox-error', 'README'],
  ['x-sandbox-odd-error', ['x-sandbox-ERROR: app;oops'], 'x-sandbox-error', 'README'],
];

for (const [name, lines, gone, source] of DROPPED)
  for (const kind of KINDS)
    test(`response-headers/${kind}/drops-${name} — ${gone} of a sandbox does not reach the client [${source}]`, async (world) => {
      const got = await receive(world, kind, [...lines, 'X-Kept: yes']);
      const values = got.all(gone).filter((value) => gone !== 'keep-alive' || value.includes('77'));
      expect(values, gone).toEqual([]);
      expect(got.all('x-kept'), 'another header').toEqual(['yes']);
    });

const INTACT: [name: string, lines: string[], source: string][] = [
  ['duplicates', ['X-D: 1', 'X-D: 2', 'X-D: 1'], 'RFC 9110 5.3'],
  ['order', ['X-B: 1', 'X-A: 2', 'X-C: 3', 'X-A: 4'], 'RFC 9110 5.3'],
  ['empty-value', ['X-Empty:', 'X-After: 1'], 'RFC 9110 5.5'],
  ['latin-1', ['X-Latin: caf\xe9 \xff\x80'], 'nodejs/node#1693'],
  ['utf-8', [`X-Utf: ${utf8('zażółć 🎉 日本')}`], 'nodejs/node#1693'],
  ['set-cookies', ['Set-Cookie: a=1', 'Set-Cookie: b=2; Path=/', 'Set-Cookie: a=3'], 'RFC 6265 3'],
  ['set-cookie-comma', ['Set-Cookie: a=1; Expires=Sat, 29 Oct 2044 19:43:31 GMT'], 'RFC 6265 3'],
  ['name-case', ['x-CaSe-KePt: 1', 'ETag: "x"', 'etag2: W/"y"'], 'RFC 9110 5.1'],
  ['proto-name', ['__proto__: 1', 'constructor: 2'], 'CVE-2026-21710'],
  ['app-cors', ['Access-Control-Allow-Origin: *', 'Access-Control-Allow-Credentials: true'], 'coder#15096'],
  [
    'app-csp',
    ["Content-Security-Policy: default-src 'self'", 'X-Powered-By: app', 'Server: app'],
    'RFC 9110 5.1',
  ],
  [
    'www-authenticate',
    ['WWW-Authenticate: Basic realm="a, b"', 'WWW-Authenticate: Bearer'],
    'RFC 9110 11.6.1',
  ],
  ['date', ['Date: Sat, 29 Oct 1994 19:43:31 GMT', 'Age: 4', 'Expires: 0'], 'RFC 9110 6.6.1'],
  [
    'websocket',
    ['Sec-WebSocket-Protocol: chat', 'Sec-WebSocket-Extensions: permessage-deflate'],
    'RFC 6455 4.2.2',
  ],
  ['link-early', ['Link: </a>; rel=preload, </b>; rel=x', 'Alt-Svc: h3=":443"'], 'RFC 8297'],
  ['long-value', [`X-Long: ${'v'.repeat(6_000)}`], 'RFC 9110 5.4'],
  ['vary', ['Vary: Origin', 'Vary: Accept', 'Content-Type: text/html; charset="utf-8"'], 'RFC 9110 12.5.5'],
];

for (const [name, lines, source] of INTACT)
  for (const kind of KINDS)
    test(`response-headers/${kind}/intact-${name} — a sandbox’s end-to-end fields reach the client with bytes, order, case and number [${source}]`, async (world) => {
      const got = await receive(world, kind, lines);
      const sent = lines.map((line) => [
        line.slice(0, line.indexOf(':')),
        line.slice(line.indexOf(':') + 1).trim(),
      ]);
      const names = new Set(sent.map(([n]) => n?.toLowerCase()));
      expect(
        got.fields.filter(([n]) => names.has(n.toLowerCase())),
        'fields',
      ).toEqual(sent);
    });

/**
 * Framing of the next hop, Date, which a proxy with a clock adds where it is missing (RFC 9110 6.6.1), and the name of
 * the request in the proxy's log.
 */
const FRAME =
  'date content-length transfer-encoding connection keep-alive upgrade sec-websocket-accept x-request-id'.split(
    ' ',
  );

for (const kind of KINDS)
  test(`response-headers/${kind}/nothing-invented — no Server, X-Powered-By, ETag, Vary, CORS or security header is invented [RFC 9110 7.7]`, async (world) => {
    const got = await receive(world, kind, []);
    expect(
      got.fields.map(([n]) => n.toLowerCase()).filter((n) => !FRAME.includes(n)),
      'invented headers',
    ).toEqual([]);
  });

for (const kind of ['error', 'refused-upgrade'] as const)
  test(`response-headers/${kind}/agent-mark-passes — the mark of an agent’s own error reaches the client [README]`, async (world) => {
    const got = await receive(world, kind, ['X-Sandbox-Error: agent;sandbox_unavailable']);
    expect(got.all('x-sandbox-error'), 'X-Sandbox-Error').toEqual(['agent;sandbox_unavailable']);
  });

for (const kind of ['ok', 'switch', 'chunked'] as const)
  test(`response-headers/${kind}/agent-mark-only-on-errors — an agent’s error mark on a success is an app’s forgery and does not pass [README]`, async (world) => {
    const got = await receive(world, kind, ['X-Sandbox-Error: agent;x']);
    expect(got.all('x-sandbox-error'), 'X-Sandbox-Error').toEqual([]);
  });

for (const coding of ['gzip', 'br', 'zstd'])
  test(`response-headers/encoded-${coding} — encoded bodies pass as they are [RFC 9110 8.4]`, async (world) => {
    const body = gzipSync(Buffer.from('hello '.repeat(500)));
    const head = `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n`;
    const stage = await world.stage(always(Buffer.concat([Buffer.from(head), body])));
    for (const lines of [[], ['Accept-Encoding: identity'], ['Accept-Encoding: gzip, br']]) {
      const got = await stage.ask('GET', '/', lines);
      expect(got.all('content-encoding'), 'Content-Encoding').toEqual([coding]);
      assert(got.body === body.toString('latin1'), 'body bytes differ');
      expect((await stage.agent.request()).values('accept-encoding'), 'Accept-Encoding upstream').toEqual([]);
    }
  });

test('response-headers/reason-phrase — the reason phrase passes as it came [RFC 9112 4]', async (world) => {
  for (const reason of ['OK', 'Very Fine Indeed', 'caf\xe9', '']) {
    const stage = await world.stage(always(`HTTP/1.1 200 ${reason}\r\nContent-Length: 2\r\n\r\nok`));
    expect((await stage.ask('GET', '/')).reason, 'reason').toEqual(reason);
  }
});

test('response-headers/not-modified-by-app-alone — conditional requests are answered by the app and not by the proxy [RFC 9110 13.1]', async (world) => {
  const stage = await world.stage(always(answer(200, 'ok', ['ETag: "x"'])));
  expect((await stage.ask('GET', '/', ['If-None-Match: "x"'])).status, 'status').toEqual(200);
});

const LOCATIONS: [
  name: string,
  sent: (prefix: string, authority: string) => string,
  want: (prefix: string, authority: string) => string,
][] = [
  ['prefixed', (p) => `${p}/login?x=1`, () => '/login?x=1'],
  ['prefix-alone', (p) => p, () => '/'],
  ['prefix-query', (p) => `${p}?a`, () => '/?a'],
  ['absolute-agent', (p, a) => `http://${a}${p}/x`, () => '/x'],
  ['relative', () => 'next/page', () => 'next/page'],
  ['rooted', () => '/next', () => '/next'],
  ['foreign', () => 'https://other.test/proxy/x', () => 'https://other.test/proxy/x'],
  ['lookalike-port', (p) => `${p}0/x`, (p) => `${p}0/x`],
  ['other-sandbox', (p) => p.replace('/cl-', '/cl-x'), (p) => p.replace('/cl-', '/cl-x')],
  ['bytes', (p) => `${p}/a%2Fb//c?d=%20#e`, () => '/a%2Fb//c?d=%20#e'],
  ['double-slash', (p) => `${p}//cdn.test/x`, () => '//cdn.test/x'],
];

for (const [name, sent, want] of LOCATIONS)
  for (const status of [301, 201, 101] as const)
    test(`response-headers/location-${status}-${name} — Location loses the agent’s prefix and nothing else [RFC 9110 10.2.2]`, async (world) => {
      const stage = await world.stage((exchange) => {
        const line = `Location: ${sent(stage.prefix, stage.agent.address)}`;
        if (status === 101)
          exchange.tunnel(
            `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${line}\r\n\r\n`,
          );
        else exchange.send(answer(status, 'x', [line]));
      });
      const got = (await stage.send(stage.knock(status === 101 ? 'upgrade' : 'HTTP', '/'))).answer;
      expect([got.status, got.all('location')], 'Location').toEqual([
        status,
        [want(stage.prefix, stage.agent.address)],
      ]);
    });
