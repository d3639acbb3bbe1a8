import { type Case, type Door, DOORS } from '../harness/case.js';
import { check, same } from '../harness/check.js';
import { utf8 } from '../harness/byte-stream.js';
import type { Received } from '../harness/agent.js';
import type { Stage, World } from '../harness/world.js';

/** Sends `lines` through a door and returns what the agent got. */
async function pass(
  world: World,
  door: Door,
  lines: readonly string[],
): Promise<{ stage: Stage; got: Received }> {
  const stage = await world.stage();
  const { answer } = await stage.send(stage.knock(door, '/h', lines));
  same(answer.status, door === 'http' ? 200 : 101, 'status');
  same(stage.agent.received.length, 1, 'requests upstream');
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
  ['x-sandbox-error', ['X-Sandbox-Error: proxy;unauthorized'], 'x-sandbox-error', 'architecture 6'],
  ['x-sandbox-any', ['x-SANDBOX-team: a'], 'x-sandbox-team', 'architecture 6'],
  ['x-sandbox-underscore', ['X_Sandbox_Team: a'], 'x_sandbox_team', 'architecture 6'],
  ['forwarded', ['Forwarded: for=1.2.3.4'], 'forwarded', 'architecture 6'],
  ['x-forwarded-port', ['X-Forwarded-Port: 1'], 'x-forwarded-port', 'architecture 6'],
  ['x-forwarded-prefix', ['X-Forwarded-Prefix: /x'], 'x-forwarded-prefix', 'architecture 6'],
  ['x-forwarded-server', ['X-Forwarded-Server: x'], 'x-forwarded-server', 'architecture 6'],
];

const dropped = DROPPED.flatMap(([name, lines, gone, source]) =>
  DOORS.map((door): Case => ({
    id: `request-headers/${door}/drops-${name}`,
    rule: `${gone} does not reach the sandbox`,
    source,
    run: async (world) => {
      const { got } = await pass(world, door, [...lines, 'X-Kept: yes']);
      same(got.values(gone), [], `${gone} upstream`);
      same(got.values('x-kept'), ['yes'], 'another header');
    },
  })),
);

/** Names that a client's Connection header must not be able to remove. */
const PROTECTED = [
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Request-Id',
  'Host',
  'X-API-Key',
  'Connection',
];

const protectedNames = PROTECTED.flatMap((name) =>
  DOORS.map((door): Case => ({
    id: `request-headers/${door}/connection-cannot-remove-${name.toLowerCase()}`,
    rule: `Connection: ${name} removes nothing that the proxy adds or relies on`,
    source: name.startsWith('X-F') ? 'CVE-2024-45410' : 'CVE-2021-33197',
    run: async (world) => {
      for (const line of [`Connection: ${name}`, `Connection: close, ${name.toLowerCase()}, ${name}`]) {
        const { stage, got } = await pass(world, door, [line]);
        same(got.values('host'), [stage.agent.address], 'Host upstream');
        same(got.values('x-forwarded-host'), [stage.host], 'X-Forwarded-Host');
        same(got.values('x-forwarded-for'), ['127.0.0.1'], 'X-Forwarded-For');
        same(got.values('x-forwarded-proto'), ['http'], 'X-Forwarded-Proto');
        same(got.values('x-api-key'), [], 'X-API-Key upstream');
        if (door === 'upgrade') same(got.values('upgrade'), ['websocket'], 'Upgrade upstream');
      }
    },
  })),
);

const SPOOFED: [string, string][] = [
  ['X-Forwarded-For: 6.6.6.6', 'x-forwarded-for'],
  ['X-Forwarded-Host: evil.test', 'x-forwarded-host'],
  ['X-Forwarded-Proto: https', 'x-forwarded-proto'],
  ['x_forwarded_for: 6.6.6.6', 'x_forwarded_for'],
];
const spoofed = SPOOFED.flatMap(([line, name]) =>
  DOORS.map((door): Case => ({
    id: `request-headers/${door}/overrides-${name}`,
    rule: `a client's ${name} is replaced by the proxy's own`,
    source: 'architecture 6',
    run: async (world) => {
      const { stage, got } = await pass(world, door, [line, line]);
      const want = {
        'x-forwarded-for': ['127.0.0.1'],
        'x-forwarded-host': [stage.host],
        'x-forwarded-proto': ['http'],
      };
      same(got.values(name), want[name as keyof typeof want] ?? [], name);
    },
  })),
);

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
  ['name-case', ['x-CaSe-KePt: 1', 'X-CASE-KEPT: 2'], 'architecture 6'],
  ['authorization', ['Authorization: Bearer app-token'], 'architecture 6'],
  ['authorization-basic', ['Authorization: Basic dXNlcjpwYXNz'], 'coder#22041'],
  ['cookie', ['Cookie: a=1; b=2; a=3'], 'architecture 6'],
  ['two-cookie-lines', ['Cookie: a=1', 'Cookie: b=2'], 'architecture 6'],
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
    'architecture 6',
  ],
  ['user-agent', ['User-Agent: curl/8 (x; y)'], 'architecture 6'],
  ['accept-encoding', ['Accept-Encoding: br;q=1, gzip;q=0.5, *;q=0'], 'RFC 9110 12.5.3'],
  ['via', ['Via: 1.1 other', 'Max-Forwards: 3'], 'RFC 9110 7.6.3'],
  ['content-type-without-body', ['Content-Type: text/plain'], 'architecture 6'],
  ['method-override', ['X-HTTP-Method-Override: DELETE', 'X-Original-URL: /x'], 'architecture 6'],
  ['outer-space', ['X-Sp:   a b   '], 'RFC 9110 5.5'],
  ['no-space', ['X-Ns:a'], 'RFC 9112 5.1'],
  ['colon-value', ['X-Colon: a:b::c', 'X-Url: http://x:1/'], 'RFC 9112 5.1'],
  ['traceparent', ['traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'], 'architecture 6'],
  ['forty', Array.from({ length: 40 }, (_, i) => `X-N${i}: ${i}`), 'architecture 6'],
  ['near-miss-names', ['X-Foo-Bar: 1', 'Connection: X-Foo'], 'RFC 9110 7.6.1'],
  [
    'near-miss-keep',
    ['Keep-Alive-X: 1', 'X-Keep-Alive: 2', 'Upgrade-Insecure-Requests: 1', 'Transfer: 1'],
    'RFC 9110 7.6.1',
  ],
  ['x-sand', ['X-Sand: 1', 'Sandbox: 2', 'X-Forward: 3', 'X-API-Keys: 4'], 'architecture 6'],
];

/** Names that are framing or hop-by-hop: not compared by the intact cases. */
const OURS = /^(connection|upgrade)$/i;

const intact = INTACT.flatMap(([name, lines, source]) =>
  DOORS.map((door): Case => ({
    id: `request-headers/${door}/intact-${name}`,
    rule: 'end-to-end fields arrive with their bytes, order, case and number',
    source,
    run: async (world) => {
      const { got } = await pass(world, door, lines);
      const sent = lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')];
      });
      const names = new Set(sent.map(([n]) => n?.toLowerCase()));
      const arrived = got.head.fields.filter(([n]) => names.has(n.toLowerCase()) && !OURS.test(n));
      same(
        arrived,
        sent.filter(([n]) => !OURS.test(n ?? '')),
        'fields upstream',
      );
    },
  })),
);

const ADDED = [
  'host',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
  'connection',
];
const WS_OWN = ['upgrade', 'sec-websocket-version', 'sec-websocket-key'];

const single: Case[] = DOORS.flatMap((door): Case[] => [
  {
    id: `request-headers/${door}/nothing-invented`,
    rule: 'no User-Agent, Accept, Accept-Encoding or other header is invented',
    source: 'issue 3, Headers',
    run: async (world) => {
      const { got } = await pass(world, door, []);
      const names = got.head.fields.map(([n]) => n.toLowerCase());
      const extra = names.filter((n) => !ADDED.includes(n) && !(door === 'upgrade' && WS_OWN.includes(n)));
      same(extra, [], 'invented headers');
      same(new Set(names).size, names.length, 'doubled headers');
    },
  },
  {
    id: `request-headers/${door}/te-trailers-at-most`,
    rule: 'of TE at most "trailers" goes on',
    source: 'RFC 9110 10.1.4',
    run: async (world) => {
      const { got } = await pass(world, door, ['TE: trailers, gzip;q=0.5', 'Connection: TE']);
      check(
        got.values('te').every((value) => value === 'trailers'),
        `TE upstream: ${got.values('te').join('|')}`,
      );
    },
  },
  {
    id: `request-headers/${door}/host-first`,
    rule: 'Host is the first line and is the agent’s address',
    source: 'RFC 9110 7.2',
    run: async (world) => {
      const { stage, got } = await pass(world, door, ['X-A: 1']);
      same(got.head.fields[0], ['Host', stage.agent.address], 'first line');
    },
  },
  {
    id: `request-headers/${door}/request-id-unique`,
    rule: 'every request gets an X-Request-Id of its own, whatever the client says',
    source: 'architecture 6',
    run: async (world) => {
      const first = await pass(world, door, ['X-Request-Id: forged-id']);
      const second = await pass(world, door, []);
      const [a, b] = [first.got.values('x-request-id'), second.got.values('x-request-id')];
      check(a.length === 1 && b.length === 1 && a[0] !== b[0], `ids ${a.join()} ${b.join()}`);
      check(a[0] !== 'forged-id', 'the client chose the id');
    },
  },
  {
    id: `request-headers/${door}/forwarded-host-as-sent`,
    rule: 'X-Forwarded-Host is the Host that the client used, port included',
    source: 'architecture 6',
    run: async (world) => {
      const stage = await world.stage();
      const host = `${stage.host}:8443`;
      await stage.send(stage.knock(door, '/').replace(`Host: ${stage.host}`, `Host: ${host}`));
      same((await stage.agent.request()).values('x-forwarded-host'), [host], 'X-Forwarded-Host');
    },
  },
  {
    id: `request-headers/${door}/trusted-proxy-chain`,
    rule: 'a trusted proxy’s X-Forwarded-For is continued and its Proto kept',
    source: 'architecture 6',
    variant: 'trusted',
    run: async (world) => {
      const { got } = await pass(world, door, ['X-Forwarded-For: 6.6.6.6', 'X-Forwarded-Proto: https']);
      same(got.values('x-forwarded-for'), ['6.6.6.6, 127.0.0.1'], 'X-Forwarded-For');
      same(got.values('x-forwarded-proto'), ['https'], 'X-Forwarded-Proto');
    },
  },
]);

/** The head of a request with a body leaves at once, that of others at the end of the turn. */
const latin1WithBody: Case = {
  id: 'request-headers/http/intact-latin-1-before-a-body',
  rule: 'end-to-end fields arrive with their bytes, also ahead of a body',
  source: 'RFC 9110 5.5',
  run: async (world) => {
    const stage = await world.stage();
    const head = stage.head('POST', '/h', ['X-Latin: caf\xe9 \xff\x80', 'Content-Length: 2']);
    const { answer } = await stage.send(`${head}ok`, 'POST');
    same(answer.status, 200, 'status');
    same((await stage.agent.request()).values('x-latin'), ['caf\xe9 \xff\x80'], 'X-Latin upstream');
  },
};

export const requestHeaders: readonly Case[] = [
  ...dropped,
  ...protectedNames,
  ...spoofed,
  ...intact,
  latin1WithBody,
  ...single,
];
