import { assert, expect } from 'vitest';
import type { Received } from '../kit/agent.js';
import { utf8 } from '../kit/byte-stream.js';
import { type Door, DOORS } from '../kit/requests.js';
import { test } from './test.js';
import type { World, Stage } from './world.js';

/** Sends `lines` through a door and returns what the agent got. */
async function pass(
  world: World,
  door: Door,
  lines: readonly string[],
): Promise<{ stage: Stage; got: Received }> {
  const stage = await world.stage();
  const { answer } = await stage.send(stage.knock(door, '/h', lines));
  expect(answer.status, 'status').toEqual(door === 'HTTP' ? 200 : 101);
  expect(stage.agent.received.length, 'requests upstream').toEqual(1);
  return { stage, got: await stage.agent.request() };
}

type DropRow = [name: string, lines: string[], gone: string, source: string];
const HOP = 'RFC 9110 7.6.1';

const DROPPED: DropRow[] = [
  ['keep-alive', ['Keep-Alive: timeout=5'], 'keep-alive', HOP],
  ['proxy-connection', ['Proxy-Connection: keep-alive'], 'proxy-connection', HOP],
  ['proxy-authorization', ['Proxy-Authorization: Basic eA=='], 'proxy-authorization', 'RFC 9110 11.7.2'],
  ['proxy-authenticate', ['Proxy-Authenticate: Basic'], 'proxy-authenticate', 'RFC 9110 11.7.1'],
  ['te-gzip', ['TE: gzip'], 'te', 'RFC 9110 10.1.4'],
  ['te-deflate-q', ['TE: deflate;q=0.5, gzip'], 'te', 'RFC 9110 10.1.4'],
  ['te-trailersx', ['TE: trailersx'], 'te', 'RFC 9110 10.1.4'],
  ['http2-settings', ['HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'], 'http2-settings', 'RFC 9113 3.1'],
  ['keep-alive-odd-case', ['kEEP-aLIVE: timeout=5'], 'keep-alive', HOP],
  ['named', ['Connection: X-Foo', 'X-Foo: 1'], 'x-foo', HOP],
  ['named-odd-case', ['Connection: x-FOO', 'X-fOO: 1'], 'x-foo', HOP],
  ['named-second', ['Connection: close, X-Foo', 'X-Foo: 1'], 'x-foo', HOP],
  ['named-among-empty', ['Connection: ,, ,X-Foo ,', 'X-Foo: 1'], 'x-foo', 'RFC 9110 5.6.1'],
  ['named-tabs', ['Connection:\tX-Foo\t', 'X-Foo: 1'], 'x-foo', HOP],
  ['named-second-line', ['Connection: keep-alive', 'Connection: X-Foo', 'X-Foo: 1'], 'x-foo', HOP],
  ['named-after-empty-line', ['Connection:', 'Connection: X-Foo', 'X-Foo: 1'], 'x-foo', 'CVE-2021-33197'],
  ['named-duplicates', ['X-Foo: 1', 'Connection: X-Foo', 'X-Foo: 2'], 'x-foo', HOP],
  ['named-before', ['X-Foo: 1', 'Connection: X-Foo'], 'x-foo', HOP],
  [
    'named-of-many',
    [`Connection: ${Array.from({ length: 60 }, (_, i) => `a${i}`).join(', ')}, X-Foo`, 'X-Foo: 1'],
    'x-foo',
    HOP,
  ],
  ['named-proto', ['Connection: __proto__', '__proto__: 1'], '__proto__', HOP],
  ['x-sandbox-error', ['X-Sandbox-Error: proxy;unauthorized'], 'x-sandbox-error', 'README'],
  ['x-sandbox-any', ['x-SANDBOX-team: a'], 'x-sandbox-team', 'README'],
  ['x-sandbox-underscore', ['X_Sandbox_Team: a'], 'x_sandbox_team', 'README'],
  ['forwarded', ['Forwarded: for=1.2.3.4'], 'forwarded', 'RFC 7239 8.1'],
  ['x-forwarded-port', ['X-Forwarded-Port: 1'], 'x-forwarded-port', 'RFC 7239 8.1'],
  ['x-forwarded-prefix', ['X-Forwarded-Prefix: /x'], 'x-forwarded-prefix', 'RFC 7239 8.1'],
  ['x-forwarded-server', ['X-Forwarded-Server: x'], 'x-forwarded-server', 'RFC 7239 8.1'],
];

for (const [name, lines, gone, source] of DROPPED)
  for (const door of DOORS)
    test(`request-headers/${door}/drops-${name} — ${gone} does not reach the sandbox [${source}]`, async (world) => {
      const { got } = await pass(world, door, [...lines, 'X-Kept: yes']);
      expect(got.values(gone), `${gone} upstream`).toEqual([]);
      expect(got.values('x-kept'), 'another header').toEqual(['yes']);
    });

/** Names that a client's Connection header must not be able to remove. */
const PROTECTED = 'X-Forwarded-For X-Sandbox-Url X-Request-Id Host X-API-Key Connection'.split(' ');

for (const name of PROTECTED)
  for (const door of DOORS)
    test(`request-headers/${door}/connection-cannot-remove-${name.toLowerCase()} — Connection: ${name} removes nothing that the proxy adds or relies on [${name.startsWith('X-F') ? 'CVE-2024-45410' : 'CVE-2021-33197'}]`, async (world) => {
      for (const line of [`Connection: ${name}`, `Connection: close, ${name.toLowerCase()}, ${name}`]) {
        const { stage, got } = await pass(world, door, [line]);
        expect(got.values('host'), 'Host upstream').toEqual([stage.agent.address]);
        expect(got.values('x-sandbox-url'), 'X-Sandbox-Url').toEqual([`http://${stage.host}`]);
        expect(got.values('x-forwarded-for'), 'X-Forwarded-For').toEqual(['127.0.0.1']);
        expect(got.values('x-api-key'), 'X-API-Key upstream').toEqual([]);
        if (door === 'upgrade') expect(got.values('upgrade'), 'Upgrade upstream').toEqual(['websocket']);
      }
    });

const SPOOFED: [string, string][] = [
  ['X-Forwarded-For: 6.6.6.6', 'x-forwarded-for'],
  ['X-Forwarded-Host: evil.test', 'x-forwarded-host'],
  ['X-Forwarded-Proto: https', 'x-forwarded-proto'],
  ['X-Sandbox-Url: https://evil.test', 'x-sandbox-url'],
  ['x_forwarded_for: 6.6.6.6', 'x_forwarded_for'],
];

for (const [line, name] of SPOOFED)
  for (const door of DOORS)
    test(`request-headers/${door}/overrides-${name} — a client's ${name} is replaced by the proxy's own, or goes [RFC 7239 8.1]`, async (world) => {
      const { stage, got } = await pass(world, door, [line, line]);
      const want = {
        'x-forwarded-for': ['127.0.0.1'],
        'x-sandbox-url': [`http://${stage.host}`],
      };
      expect(got.values(name), name).toEqual(want[name as keyof typeof want] ?? []);
    });

const INTACT: [name: string, lines: string[], source: string][] = [
  ['duplicates', ['X-D: 1', 'X-D: 2', 'X-D: 1'], 'RFC 9110 5.3'],
  ['order', ['X-B: 1', 'X-A: 2', 'X-C: 3', 'X-A: 4'], 'RFC 9110 5.3'],
  ['empty-value', ['X-Empty:', 'X-Empty: ', 'X-After: 1'], 'RFC 9110 5.5'],
  ['latin-1', ['X-Latin: caf\xe9 \xff\x80'], 'RFC 9110 5.5'],
  ['utf-8', [`X-Utf: ${utf8('zażółć 🎉 日本')}`], 'RFC 9110 5.5'],
  ['inner-tab', ['X-Tab: a\tb  c'], 'RFC 9110 5.5'],
  ['long-value', [`X-Long: ${'v'.repeat(6_000)}`], 'RFC 9110 5.4'],
  ['token-name', ["x!#$%&'*+-.^_`|~9: 1"], 'RFC 9110 5.1'],
  ['proto-name', ['__proto__: 1', 'constructor: 2', 'hasOwnProperty: 3', 'toString: 4'], 'CVE-2026-21710'],
  ['name-case', ['x-CaSe-KePt: 1', 'X-CASE-KEPT: 2'], 'RFC 9110 5.1'],
  ['authorization', ['Authorization: Bearer app-token'], 'RFC 9110 11.6.2'],
  ['authorization-basic', ['Authorization: Basic dXNlcjpwYXNz'], 'coder#22041'],
  ['cookie', ['Cookie: a=1; b=2; a=3'], 'RFC 6265 5.4'],
  ['two-cookie-lines', ['Cookie: a=1', 'Cookie: b=2'], 'RFC 6265 5.4'],
  ['cookie-odd-bytes', ['Cookie: a="x y"; b=; =c; d'], 'RFC 6265 5.4'],
  [
    'conditional',
    ['If-None-Match: "a", W/"b"', 'If-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT'],
    'RFC 9110 13',
  ],
  ['range', ['Range: bytes=0-1,5-', 'If-Range: "x"'], 'RFC 9110 14'],
  [
    'origin',
    ['Origin: https://x.test', 'Referer: https://x.test/a?b', 'Sec-Fetch-Mode: cors'],
    'RFC 9110 5.1',
  ],
  ['user-agent', ['User-Agent: curl/8 (x; y)'], 'RFC 9110 5.1'],
  ['accept-encoding', ['Accept-Encoding: br;q=1, gzip;q=0.5, *;q=0'], 'RFC 9110 12.5.3'],
  ['via', ['Via: 1.1 other', 'Max-Forwards: 3'], 'RFC 9110 7.6.3'],
  ['content-type-without-body', ['Content-Type: text/plain'], 'RFC 9110 5.1'],
  ['method-override', ['X-HTTP-Method-Override: DELETE', 'X-Original-URL: /x'], 'RFC 9110 5.1'],
  ['outer-space', ['X-Sp:   a b   '], 'RFC 9110 5.5'],
  ['no-space', ['X-Ns:a'], 'RFC 9112 5.1'],
  ['colon-value', ['X-Colon: a:b::c', 'X-Url: http://x:1/'], 'RFC 9112 5.1'],
  [
    'traceparent',
    ['traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    'W3C Trace Context 3.4',
  ],
  ['forty', Array.from({ length: 40 }, (_, i) => `X-N${i}: ${i}`), 'RFC 9110 5.1'],
  ['near-miss-names', ['X-Foo-Bar: 1', 'Connection: X-Foo'], 'RFC 9110 7.6.1'],
  [
    'near-miss-keep',
    ['Keep-Alive-X: 1', 'X-Keep-Alive: 2', 'Upgrade-Insecure-Requests: 1', 'Transfer: 1'],
    'RFC 9110 7.6.1',
  ],
  ['x-sand', ['X-Sand: 1', 'Sandbox: 2', 'X-Forward: 3', 'X-API-Keys: 4'], 'RFC 9110 5.1'],
];

/** Names that are framing or hop-by-hop: not compared by the intact cases. */
const OURS = /^(connection|upgrade)$/i;

for (const [name, lines, source] of INTACT)
  for (const door of DOORS)
    test(`request-headers/${door}/intact-${name} — end-to-end fields arrive with their bytes, order, case and number [${source}]`, async (world) => {
      const { got } = await pass(world, door, lines);
      const sent = lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')];
      });
      const names = new Set(sent.map(([n]) => n?.toLowerCase()));
      const arrived = got.head.fields.filter(([n]) => names.has(n.toLowerCase()) && !OURS.test(n));
      expect(arrived, 'fields upstream').toEqual(sent.filter(([n]) => !OURS.test(n ?? '')));
    });

const ADDED = 'host x-forwarded-for x-sandbox-url x-request-id connection'.split(' ');
const WS_OWN = ['upgrade', 'sec-websocket-version', 'sec-websocket-key'];

for (const door of DOORS) {
  test(`request-headers/${door}/nothing-invented — no User-Agent, Accept, Accept-Encoding or other header is invented [RFC 9110 7.7]`, async (world) => {
    const { got } = await pass(world, door, []);
    const names = got.head.fields.map(([n]) => n.toLowerCase());
    const extra = names.filter((n) => !ADDED.includes(n) && !(door === 'upgrade' && WS_OWN.includes(n)));
    expect(extra, 'invented headers').toEqual([]);
    expect(new Set(names).size, 'doubled headers').toEqual(names.length);
  });

  test(`request-headers/${door}/te-trailers-at-most — of TE at most "trailers" goes on [RFC 9110 10.1.4]`, async (world) => {
    const { got } = await pass(world, door, ['TE: trailers, gzip;q=0.5', 'Connection: TE']);
    assert(
      got.values('te').every((value) => value === 'trailers'),
      `TE upstream: ${got.values('te').join('|')}`,
    );
  });

  test(`request-headers/${door}/host-first — Host is the first line and is the agent’s address [RFC 9110 7.2]`, async (world) => {
    const { stage, got } = await pass(world, door, ['X-A: 1']);
    expect(got.head.fields[0], 'first line').toEqual(['Host', stage.agent.address]);
  });

  test(`request-headers/${door}/request-id-unique — every request gets an X-Request-Id of its own, whatever the client says [README]`, async (world) => {
    const first = await pass(world, door, ['X-Request-Id: forged-id']);
    const second = await pass(world, door, []);
    const [a, b] = [first.got.values('x-request-id'), second.got.values('x-request-id')];
    assert(a.length === 1 && b.length === 1 && a[0] !== b[0], `ids ${a.join()} ${b.join()}`);
    assert(a[0] !== 'forged-id', 'the client chose the id');
  });

  test(`request-headers/${door}/url-as-sent — X-Sandbox-Url is the origin that the client used, port included [README]`, async (world) => {
    const stage = await world.stage();
    const host = `${stage.host}:8443`;
    await stage.send(stage.knock(door, '/').replace(`Host: ${stage.host}`, `Host: ${host}`));
    expect((await stage.agent.request()).values('x-sandbox-url'), 'X-Sandbox-Url').toEqual([
      `http://${host}`,
    ]);
  });

  test(`request-headers/${door}/trusted-proxy-chain — a trusted proxy’s X-Forwarded-For is continued and its Proto believed [RFC 7239 8.1]`, async (base) => {
    const world = await base.on('trusted');
    const { got } = await pass(world, door, ['X-Forwarded-For: 6.6.6.6', 'X-Forwarded-Proto: https']);
    expect(got.values('x-forwarded-for'), 'X-Forwarded-For').toEqual(['6.6.6.6, 127.0.0.1']);
    expect(got.values('x-sandbox-url')[0], 'X-Sandbox-Url').toMatch(/^https:/);
  });
}

/** The head of a request leaves at the end of the turn, with what has come of a small body until then. */
test('request-headers/HTTP/intact-latin-1-before-a-body — end-to-end fields arrive with their bytes, also ahead of a body [RFC 9110 5.5]', async (world) => {
  const stage = await world.stage();
  const head = stage.head('POST', '/h', ['X-Latin: caf\xe9 \xff\x80', 'Content-Length: 2']);
  const { answer } = await stage.send(`${head}ok`, 'POST');
  expect(answer.status, 'status').toEqual(200);
  expect((await stage.agent.request()).values('x-latin'), 'X-Latin upstream').toEqual(['caf\xe9 \xff\x80']);
});
