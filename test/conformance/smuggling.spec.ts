import { assert, expect } from 'vitest';
import { answer, always, type Received } from '../kit/agent.js';
import { test } from './test.js';
import { checkCode, type Stage } from './world.js';

const INNER = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
type Row = [name: string, wire: (stage: Stage) => string, upstream: 0 | 1, source: string];

const post = (stage: Stage, lines: string[], rest: string): string => stage.head('POST', '/s', lines) + rest;
const TE = 'Transfer-Encoding: chunked';
const DONE = '0\r\n\r\n';
const CLTE = 'RFC 9112 6.3';
const CODING = 'RFC 9112 6.1';
const CHUNKS = 'RFC 9112 7.1';

/** Each is refused outright (0), or may be passed on as exactly one well-formed request (1). */
const ROWS: Row[] = [
  ['cl-te', (s) => post(s, ['Content-Length: 4', TE], `${DONE}${INNER}`), 0, CLTE],
  ['te-cl', (s) => post(s, [TE, 'Content-Length: 4'], `${DONE}${INNER}`), 0, CLTE],
  ['cl0-te', (s) => post(s, ['Content-Length: 0', TE], `${DONE}`), 0, CLTE],
  [
    'two-cl',
    (s) => post(s, ['Content-Length: 3', `Content-Length: ${3 + INNER.length}`], `abc${INNER}`),
    0,
    CLTE,
  ],
  ['two-equal-cl', (s) => post(s, ['Content-Length: 3', 'Content-Length: 3'], 'abc'), 0, CLTE],
  ['cl-list', (s) => post(s, ['Content-Length: 3, 5'], 'abc'), 0, CLTE],
  ['cl-equal-list', (s) => post(s, ['Content-Length: 3, 3'], 'abc'), 0, CLTE],
  ['cl-plus', (s) => post(s, ['Content-Length: +3'], 'abc'), 0, 'RFC 9110 8.6'],
  ['cl-minus', (s) => post(s, ['Content-Length: -3'], 'abc'), 0, 'RFC 9110 8.6'],
  ['cl-hex', (s) => post(s, ['Content-Length: 0x3'], 'abc'), 0, 'RFC 9110 8.6'],
  ['cl-space', (s) => post(s, ['Content-Length: 3 0'], 'abc'), 0, 'RFC 9110 8.6'],
  ['cl-empty', (s) => post(s, ['Content-Length:'], 'abc'), 0, 'RFC 9110 8.6'],
  ['cl-overflow', (s) => post(s, ['Content-Length: 18446744073709551619'], 'abc'), 0, 'RFC 9110 8.6'],
  ['cl-nul', (s) => post(s, ['Content-Length: 3\0'], 'abc'), 0, 'RFC 9110 5.5'],
  ['cl-space-colon', (s) => post(s, ['Content-Length : 3'], `abc${INNER}`), 0, 'RFC 9112 5.1'],
  ['cl-tab-colon', (s) => post(s, ['Content-Length\t: 3'], `abc${INNER}`), 0, 'RFC 9112 5.1'],
  ['te-xchunked', (s) => post(s, ['Transfer-Encoding: xchunked'], `${DONE}${INNER}`), 0, CODING],
  ['te-identity', (s) => post(s, ['Transfer-Encoding: identity'], INNER), 0, CODING],
  ['te-gzip', (s) => post(s, ['Transfer-Encoding: gzip'], `${DONE}`), 0, CODING],
  ['te-gzip-chunked', (s) => post(s, ['Transfer-Encoding: gzip, chunked'], `3\r\nabc\r\n${DONE}`), 0, CODING],
  ['te-chunked-gzip', (s) => post(s, ['Transfer-Encoding: chunked, gzip'], `${DONE}`), 0, CODING],
  [
    'te-chunked-identity',
    (s) => post(s, ['Transfer-Encoding: chunked, identity'], `${DONE}${INNER}`),
    0,
    CODING,
  ],
  ['te-twice', (s) => post(s, [TE, TE], `3\r\nabc\r\n${DONE}`), 0, CODING],
  ['te-chunked-chunked', (s) => post(s, ['Transfer-Encoding: chunked, chunked'], `${DONE}`), 0, CODING],
  ['te-two-lines', (s) => post(s, [TE, 'Transfer-Encoding: identity'], `${DONE}${INNER}`), 0, CODING],
  ['te-space-colon', (s) => post(s, ['Transfer-Encoding : chunked'], `${DONE}${INNER}`), 0, 'RFC 9112 5.1'],
  [
    'te-vertical-tab',
    (s) => post(s, ['Transfer-Encoding: \x0bchunked'], `${DONE}${INNER}`),
    0,
    'RFC 9110 5.5',
  ],
  ['te-quoted', (s) => post(s, ['Transfer-Encoding: "chunked"'], `${DONE}${INNER}`), 0, CODING],
  ['te-parameter', (s) => post(s, ['Transfer-Encoding: chunked;q=1'], `${DONE}${INNER}`), 0, CODING],
  ['te-empty', (s) => post(s, ['Transfer-Encoding:'], INNER), 0, CODING],
  ['te-nul', (s) => post(s, ['Transfer-Encoding: chunked\0'], `${DONE}`), 0, CODING],
  ['te-cr', (s) => post(s, ['X: y\rTransfer-Encoding: chunked'], `${DONE}${INNER}`), 0, 'RFC 9112 2.2'],
  [
    'te-http10',
    (s) => `${s.bare('POST /s HTTP/1.0', [`X-API-Key: ${s.key}`, TE])}3\r\nabc\r\n${DONE}`,
    0,
    CODING,
  ],
  [
    'te-underscore',
    (s) => post(s, ['Transfer_Encoding: chunked', 'Content-Length: 3'], 'abc'),
    1,
    'http-garden',
  ],
  ['obs-fold', (s) => post(s, ['X-A: a\r\n b', 'Content-Length: 3'], 'abc'), 0, 'RFC 9112 5.2'],
  ['obs-fold-te', (s) => post(s, ['Transfer-Encoding:\r\n chunked'], `${DONE}${INNER}`), 0, 'RFC 9112 5.2'],
  [
    'obs-fold-first',
    (s) => s.head('GET', '/s', []).replace('\r\nHost', '\r\n X: 1\r\nHost'),
    0,
    'RFC 9112 2.2',
  ],
  ['bare-lf', (s) => s.head('GET', '/s').replaceAll('\r\n', '\n'), 0, 'RFC 9112 2.2'],
  ['bare-lf-line', (s) => s.head('GET', '/s', ['X-A: 1\nX-B: 2']), 0, 'RFC 9112 2.2'],
  ['bare-lf-end', (s) => `${s.head('GET', '/s').slice(0, -2)}\n`, 0, 'RFC 9112 2.2'],
  ['bare-cr-line', (s) => s.head('GET', '/s', ['X-A: 1\rX-B: 2']), 0, 'RFC 9112 2.2'],
  ['bare-cr-request-line', (s) => s.head('GET', '/s\rX: y'), 0, 'RFC 9112 2.2'],
  ['cr-cr-lf', (s) => s.head('GET', '/s', ['X-A: 1\r']), 0, 'RFC 9112 2.2'],
  ['nul-value', (s) => s.head('GET', '/s', ['X-A: a\0b']), 0, 'RFC 9110 5.5'],
  ['nul-name', (s) => s.head('GET', '/s', ['X\0A: b']), 0, 'RFC 9110 5.5'],
  ['nul-target', (s) => s.head('GET', '/s\0x'), 0, 'RFC 9112 3'],
  ['control-value', (s) => s.head('GET', '/s', ['X-A: a\x01b']), 0, 'RFC 9110 5.5'],
  ['del-value', (s) => s.head('GET', '/s', ['X-A: a\x7fb']), 0, 'RFC 9110 5.5'],
  ['name-space', (s) => s.head('GET', '/s', ['X A: b']), 0, 'RFC 9112 5.1'],
  ['name-empty', (s) => s.head('GET', '/s', [': b']), 0, 'RFC 9112 5'],
  ['name-high', (s) => s.head('GET', '/s', ['X\xe9: b']), 0, 'RFC 9110 5.1'],
  ['no-colon', (s) => s.head('GET', '/s', ['X-A']), 0, 'RFC 9112 5'],
  ['chunk-size-letters', (s) => post(s, [TE], `zz\r\nabc\r\n${DONE}`), 0, CHUNKS],
  ['chunk-size-0x', (s) => post(s, [TE], `0x3\r\nabc\r\n${DONE}`), 0, CHUNKS],
  ['chunk-size-negative', (s) => post(s, [TE], `-3\r\nabc\r\n${DONE}`), 0, CHUNKS],
  ['chunk-size-plus', (s) => post(s, [TE], `+3\r\nabc\r\n${DONE}`), 0, CHUNKS],
  ['chunk-size-space', (s) => post(s, [TE], ` 3\r\nabc\r\n${DONE}`), 0, CHUNKS],
  ['chunk-size-underscore', (s) => post(s, [TE], `1_0\r\nabc\r\n${DONE}`), 0, CHUNKS],
  ['chunk-size-empty', (s) => post(s, [TE], `\r\nabc\r\n${DONE}`), 0, CHUNKS],
  ['chunk-size-overflow', (s) => post(s, [TE], `10000000000000003\r\nabc\r\n${DONE}`), 0, CHUNKS],
  ['chunk-bare-lf', (s) => post(s, [TE], `3\nabc\n0\n\n`), 0, 'CVE-2022-32214'],
  ['chunk-bare-cr', (s) => post(s, [TE], `3\rabc\r0\r\r`), 0, 'CVE-2025-23167'],
  ['chunk-too-long', (s) => post(s, [TE], `3\r\nabcdef\r\n${DONE}`), 0, CHUNKS],
  ['chunk-no-crlf', (s) => post(s, [TE], `3\r\nabc${DONE}`), 0, CHUNKS],
  ['chunk-end-cr', (s) => post(s, [TE], `3\r\nabc\r\n0\r\n\rX${INNER}`), 0, 'CVE-2025-23167'],
  ['chunk-extension', (s) => post(s, [TE], `3;a=b\r\nabc\r\n0;c\r\n\r\n`), 1, 'RFC 9112 7.1.1'],
  ['chunk-extension-quoted-crlf', (s) => post(s, [TE], `3;a="\r\nabc\r\n${DONE}"`), 0, 'RFC 9112 7.1.1'],
  ['chunk-extension-lf', (s) => post(s, [TE], `3;a\nabc\r\n${DONE}${INNER}`), 0, 'CVE-2023-30589'],
  ['chunk-extension-cr', (s) => post(s, [TE], `3;a\rb\r\nabc\r\n${DONE}`), 0, 'CVE-2023-30589'],
  [
    'chunk-extension-long',
    (s) => post(s, [TE], `3;${'x'.repeat(100_000)}\r\nabc\r\n${DONE}`),
    0,
    'CVE-2024-22019',
  ],
  ['connect', (s) => s.head('CONNECT', '10.0.0.1:22'), 0, 'RFC 9110 9.3.6'],
  ['connect-host', (s) => s.head('CONNECT', s.host), 0, 'RFC 9110 9.3.6'],
  ['h2-preface', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 0, 'RFC 9113 3.4'],
  ['version-2', (s) => s.head('GET', '/s').replace('HTTP/1.1', 'HTTP/2.0'), 0, 'RFC 9112 2.3'],
  ['version-1.2', (s) => s.head('GET', '/s').replace('HTTP/1.1', 'HTTP/1.2'), 0, 'RFC 9112 2.3'],
  ['version-missing', (s) => s.head('GET', '/s').replace(' HTTP/1.1', ''), 0, 'RFC 9112 3'],
  ['version-lower', (s) => s.head('GET', '/s').replace('HTTP/1.1', 'http/1.1'), 0, 'RFC 9112 2.3'],
  ['method-bad', (s) => s.head('G\0T', '/s'), 0, 'RFC 9110 9.1'],
  ['method-lower', (s) => s.head('get', '/s'), 0, 'RFC 9110 9.1'],
  ['method-long', (s) => s.head('X'.repeat(5_000), '/s'), 0, 'RFC 9110 9.1'],
  ['double-space', (s) => s.head('GET', ' /s'), 1, 'RFC 9112 3'],
  ['tab-separator', (s) => s.head('GET', '/s').replace('GET ', 'GET\t'), 0, 'RFC 9112 3'],
  ['space-in-target', (s) => s.head('GET', '/s x'), 0, 'RFC 9112 3.2'],
  [
    'head-body',
    (s) => s.head('HEAD', '/s', [`Content-Length: ${INNER.length}`]) + INNER,
    1,
    'RFC 9110 9.3.2',
  ],
  ['trace-body', (s) => s.head('TRACE', '/s', ['Content-Length: 3']) + 'abc', 1, 'RFC 9110 9.3.8'],
];

/** What reached the agent that is not the neighbour's. */
const besides = (neighbour: Stage): Received[] =>
  neighbour.agent.received.filter((one) => !one.target.startsWith(neighbour.prefix));

for (const [name, wire, upstream, source] of ROWS) {
  test(`smuggling/${name} — ${upstream ? 'one well-formed request goes on' : 'refused, and nothing goes on'} [${source}]`, async (world) => {
    const stage = await world.stage();
    const neighbour = await stage.neighbour();
    const client = await stage.client();
    client.send(wire(stage));
    const got = await client.answer(name === 'head-body' ? 'HEAD' : 'GET');
    await neighbour.proveClean();
    const seen = besides(neighbour);
    for (const { target } of seen) assert(target.startsWith(stage.prefix), `smuggled: ${target}`);
    if (upstream === 0) {
      checkCode(got, 400, 'invalid_request');
      assert(!seen.some((one) => one.body?.complete), 'a request went on');
    } else expect([got.status, seen.length], 'status, and requests upstream').toEqual([200, 1]);
    await stage.proveClean();
  });
}

/** The head of an upgrade with something about it that a WebSocket handshake never has. */
const UPGRADES: [name: string, wire: (stage: Stage) => string, source: string][] = [
  ['body-length', (s) => s.upgrade('/u', [`Content-Length: ${INNER.length}`]) + INNER, 'CVE-2026-58055'],
  ['body-chunked', (s) => `${s.upgrade('/u', [TE])}${DONE}${INNER}`, 'CVE-2026-58055'],
  [
    'body-post',
    (s) => s.upgrade('/u', ['Content-Length: 3']).replace('GET', 'POST') + 'abc',
    'CVE-2026-58055',
  ],
  ['body-cl-te', (s) => `${s.upgrade('/u', ['Content-Length: 5', TE])}${DONE}`, 'RFC 9112 6.3'],
  ['two-cl', (s) => s.upgrade('/u', ['Content-Length: 0', 'Content-Length: 5']), 'RFC 9112 6.3'],
  ['obs-fold', (s) => s.upgrade('/u', ['X-A: a\r\n b']), 'RFC 9112 5.2'],
  ['bare-lf', (s) => s.upgrade('/u', ['X-A: a\nX-B: b']), 'RFC 9112 2.2'],
  ['nul', (s) => s.upgrade('/u', ['X-A: a\0']), 'RFC 9110 5.5'],
  ['te-odd', (s) => s.upgrade('/u', ['Transfer-Encoding: xchunked']), 'RFC 9112 6.1'],
];

for (const [name, wire, source] of UPGRADES)
  test(`smuggling/upgrade-${name} — an upgrade with a body or a malformed head is refused, and nothing goes on [${source}]`, async (world) => {
    const stage = await world.stage();
    const { client, answer: got } = await stage.send(wire(stage));
    expect(got.status, 'status').toEqual(400);
    await client.closed();
    const neighbour = await stage.neighbour();
    await neighbour.proveClean();
    expect(besides(neighbour).length, 'requests upstream').toEqual(0);
  });

for (const status of [401, 200, 426, 302])
  test(`smuggling/bytes-after-refused-upgrade-${status} — bytes behind an upgrade that was answered ${status} are no second request upstream [0ang3el/websocket-smuggle]`, async (world) => {
    const stage = await world.stage(always(answer(status, 'no')));
    const client = await stage.client();
    client.send(stage.upgrade('/u') + INNER);
    expect((await client.answer()).status, 'status').toEqual(status);
    client.send(INNER);
    stage.agent.script = always(answer(200, 'ok'));
    const neighbour = await stage.neighbour();
    await neighbour.proveClean();
    expect(besides(neighbour).length, 'requests upstream').toEqual(1);
    expect(
      stage.agent.connections.some((one) => one.transcript.includes('smuggled')),
      'smuggled bytes upstream',
    ).toEqual(false);
  });

for (const [i, protocol] of ['h2c', 'HTTP/2.0', 'TLS/1.0', 'h2c, websocket', 'H2C'].entries())
  test(`smuggling/upgrade-to-another-http-${i} — Upgrade: ${protocol} opens no tunnel in which requests pass unseen [https://github.com/BishopFox/h2csmuggler]`, async (world) => {
    const stage = await world.stage(async (exchange) => {
      await exchange.body();
      if (exchange.request.isUpgrade && /h2c|http|tls/i.test(exchange.request.values('upgrade').join()))
        exchange.tunnel(`HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
      else exchange.send(answer(200, 'plain'));
    });
    const client = await stage.client();
    client.send(
      `${stage.head('GET', '/u', ['Connection: Upgrade, HTTP2-Settings', `Upgrade: ${protocol}`, 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'])}`,
    );
    const got = await client.answer();
    expect([got.status, got.body], 'answer').toEqual([200, 'plain']);
    assert(
      !stage.agent.received.some((one) => /h2c|http|tls/i.test(one.values('upgrade').join())),
      'Upgrade upstream',
    );
    await (await stage.neighbour()).proveClean();
  });
