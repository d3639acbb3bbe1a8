import { expect } from 'vitest';
import { answer, always } from '../kit/agent.js';
import { DOORS } from '../kit/requests.js';
import { test } from './test.js';
import { checkOwn } from './world.js';

/** `passed`: it is odd, and no harm. `broken`: its head was good, and what follows is cut off. */
type Want = 'invalid' | 'unreachable' | 'broken' | 'passed';
type Row = [name: string, wire: string, want: Want, source: string, then?: 'keep' | 'fin' | 'rst'];

const END = '\r\nContent-Length: 2\r\n\r\nok';
const head = (line: string): string => `${line}${END}`;
const withLine = (line: string): string => `HTTP/1.1 200 OK\r\n${line}${END}`;
const chunked = (wire: string): string => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${wire}`;
const LINE = 'RFC 9112 4';
const FIELD = 'RFC 9110 5.5';
const CHUNK = 'RFC 9112 7.1';

const ROWS: Row[] = [
  ['status-000', head('HTTP/1.1 000 X'), 'invalid', LINE],
  ['status-001', head('HTTP/1.1 001 X'), 'invalid', LINE],
  ['status-099', head('HTTP/1.1 099 X'), 'invalid', LINE],
  ['status-99', head('HTTP/1.1 99 X'), 'invalid', LINE],
  ['status-20', head('HTTP/1.1 20 X'), 'invalid', LINE],
  ['status-1000', head('HTTP/1.1 1000 X'), 'invalid', LINE],
  ['status-2000', head('HTTP/1.1 2000 OK'), 'invalid', LINE],
  ['status-letters', head('HTTP/1.1 abc OK'), 'invalid', LINE],
  ['status-2x0', head('HTTP/1.1 2x0 OK'), 'invalid', LINE],
  ['status-negative', head('HTTP/1.1 -200 OK'), 'invalid', LINE],
  ['status-plus', head('HTTP/1.1 +20 OK'), 'invalid', LINE],
  ['status-missing', head('HTTP/1.1'), 'invalid', LINE],
  ['status-empty', head('HTTP/1.1  OK'), 'invalid', LINE],
  ['status-glued', head('HTTP/1.1200 OK'), 'invalid', LINE],
  ['status-600', head('HTTP/1.1 600 X'), 'passed', 'RFC 9110 15'],
  ['status-999', head('HTTP/1.1 999 X'), 'passed', 'RFC 9110 15'],
  ['version-2.0', head('HTTP/2.0 200 OK'), 'invalid', 'RFC 9112 2.3'],
  ['version-2', head('HTTP/2 200 OK'), 'invalid', 'RFC 9112 2.3'],
  ['version-0.9', head('HTTP/0.9 200 OK'), 'invalid', 'RFC 9112 2.3'],
  ['version-9.9', head('HTTP/9.9 200 OK'), 'invalid', 'RFC 9112 2.3'],
  ['version-1.11', head('HTTP/1.11 200 OK'), 'invalid', 'RFC 9112 2.3'],
  ['version-lower', head('http/1.1 200 OK'), 'invalid', 'RFC 9112 2.3'],
  ['icy', head('ICY 200 OK'), 'invalid', LINE],
  ['ssh', 'SSH-2.0-OpenSSH_9.2p1\r\n', 'invalid', LINE, 'fin'],
  ['smtp', '220 mail ESMTP\r\n', 'invalid', LINE, 'fin'],
  ['html', '<html>hello</html>\r\n\r\n', 'invalid', LINE, 'fin'],
  ['tls-alert', '\x15\x03\x01\x00\x02\x02\x46', 'invalid', LINE, 'fin'],
  ['h2-settings', '\x00\x00\x00\x04\x00\x00\x00\x00\x00', 'invalid', LINE, 'fin'],
  ['request-as-answer', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'invalid', LINE],
  ['empty-fin', '', 'unreachable', 'RFC 9112 8', 'fin'],
  ['empty-rst', '', 'unreachable', 'RFC 9112 8', 'rst'],
  ['half-line', 'HTTP/1.1 2', 'unreachable', 'RFC 9112 8', 'fin'],
  ['half-head', 'HTTP/1.1 200 OK\r\nX-A: 1\r\n', 'unreachable', 'RFC 9112 8', 'fin'],
  ['half-head-rst', 'HTTP/1.1 200 OK\r\nX-A: 1\r\n', 'unreachable', 'RFC 9112 8', 'rst'],
  ['only-crlf', '\r\n\r\n\r\n', 'invalid', LINE, 'fin'],
  ['reason-control', head('HTTP/1.1 200 O\x01K'), 'invalid', LINE],
  ['reason-nul', head('HTTP/1.1 200 O\0K'), 'invalid', LINE],
  ['reason-bare-cr', head('HTTP/1.1 200 O\rK'), 'invalid', LINE],
  ['value-nul', withLine('X-A: a\0b'), 'invalid', FIELD],
  ['value-bare-cr', withLine('X-A: a\rb'), 'invalid', FIELD],
  ['value-bare-cr-injection', withLine('X-A: a\rSet-Cookie: evil=1'), 'invalid', FIELD],
  ['value-control', withLine('X-A: a\x01b'), 'invalid', FIELD],
  ['value-escape', withLine('X-A: a\x1bb'), 'invalid', FIELD],
  ['value-del', withLine('X-A: a\x7fb'), 'invalid', FIELD],
  ['value-vertical-tab', withLine('X-A: a\x0bb'), 'invalid', FIELD],
  ['name-space', withLine('X A: 1'), 'invalid', 'RFC 9110 5.1'],
  ['name-control', withLine('X\x01A: 1'), 'invalid', 'RFC 9110 5.1'],
  ['name-high', withLine('X\xe9: 1'), 'invalid', 'RFC 9110 5.1'],
  ['name-empty', withLine(': 1'), 'invalid', 'RFC 9110 5.1'],
  ['name-nul', withLine('X\0A: 1'), 'invalid', 'RFC 9110 5.1'],
  ['name-parens', withLine('X(A): 1'), 'invalid', 'RFC 9110 5.1'],
  ['no-colon', withLine('X-A'), 'invalid', 'RFC 9112 5'],
  ['space-before-colon', withLine('X-A : 1'), 'invalid', 'RFC 9112 5.1'],
  ['space-before-length-colon', 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok', 'invalid', 'RFC 9112 5.1'],
  ['obs-fold', withLine('X-A: a\r\n b'), 'invalid', 'RFC 9112 5.2'],
  [
    'leading-space-line',
    'HTTP/1.1 200 OK\r\n X-A: 1\r\nContent-Length: 2\r\n\r\nok',
    'invalid',
    'RFC 9112 2.2',
  ],
  ['bare-lf', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', 'invalid', 'RFC 9112 2.2'],
  ['bare-lf-one', 'HTTP/1.1 200 OK\r\nX-A: 1\nContent-Length: 2\r\n\r\nok', 'invalid', 'RFC 9112 2.2'],
  [
    'cl-te',
    'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    'invalid',
    'RFC 9112 6.3',
  ],
  [
    'te-cl',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    'invalid',
    'RFC 9112 6.3',
  ],
  ['two-lengths', withLine('Content-Length: 3'), 'invalid', 'RFC 9112 6.3'],
  ['two-equal-lengths', withLine('Content-Length: 2'), 'invalid', 'RFC 9112 6.3'],
  ['length-list', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok', 'invalid', 'RFC 9112 6.3'],
  ['length-equal-list', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok', 'invalid', 'RFC 9112 6.3'],
  ['length-negative', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok', 'invalid', 'RFC 9110 8.6'],
  ['length-plus', 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok', 'invalid', 'RFC 9110 8.6'],
  ['length-hex', 'HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok', 'invalid', 'RFC 9110 8.6'],
  ['length-letters', 'HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok', 'invalid', 'RFC 9110 8.6'],
  ['length-empty', 'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok', 'invalid', 'RFC 9110 8.6'],
  ['length-inner-space', 'HTTP/1.1 200 OK\r\nContent-Length: 1 2\r\n\r\nok', 'invalid', 'RFC 9110 8.6'],
  [
    'length-overflow',
    'HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\nok',
    'invalid',
    'RFC 9110 8.6',
  ],
  [
    'length-huge',
    `HTTP/1.1 200 OK\r\nContent-Length: ${'9'.repeat(60)}\r\n\r\nok`,
    'invalid',
    'RFC 9110 8.6',
  ],
  [
    'te-twice',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    'invalid',
    'RFC 9112 7.1',
  ],
  [
    'te-chunked-not-last',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    'invalid',
    'RFC 9112 6.3',
    'fin',
  ],
  ['te-gzip', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok', 'invalid', 'RFC 9112 6.3', 'fin'],
  [
    'te-xchunked',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    'invalid',
    'RFC 9112 6.3',
    'fin',
  ],
  [
    'te-http10',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    'invalid',
    'RFC 9112 6.1',
    'fin',
  ],
  ['chunk-size-letters', chunked('zz\r\nok\r\n0\r\n\r\n'), 'broken', CHUNK],
  ['chunk-size-negative', chunked('-1\r\nok\r\n0\r\n\r\n'), 'broken', CHUNK],
  ['chunk-size-0x', chunked('0x2\r\nok\r\n0\r\n\r\n'), 'broken', CHUNK],
  ['chunk-size-space', chunked(' 2\r\nok\r\n0\r\n\r\n'), 'broken', CHUNK],
  ['chunk-size-empty', chunked('\r\nok\r\n0\r\n\r\n'), 'broken', CHUNK],
  ['chunk-size-overflow', chunked(`${'f'.repeat(17)}\r\nok\r\n0\r\n\r\n`), 'broken', CHUNK],
  ['chunk-size-wraps', chunked('10000000000000002\r\nok\r\n0\r\n\r\n'), 'broken', CHUNK],
  ['chunk-no-crlf', chunked('2\r\nokX0\r\n\r\n'), 'broken', CHUNK],
  ['chunk-bare-lf', chunked('2\nok\n0\n\n'), 'broken', CHUNK],
  ['chunk-bare-cr', chunked('2\rok\r0\r\r'), 'broken', CHUNK],
  ['chunk-cr-without-lf', chunked('2\r\nok\rX0\r\n\r\n'), 'broken', CHUNK],
  ['chunk-long-data', chunked('2\r\nokay\r\n0\r\n\r\n'), 'broken', CHUNK],
  ['chunk-extension-lf', chunked('2;a\nb\r\nok\r\n0\r\n\r\n'), 'broken', 'CVE-2022-32214'],
  [
    'chunk-extension-endless',
    chunked(`2;${'x'.repeat(200_000)}\r\nok\r\n0\r\n\r\n`),
    'broken',
    'CVE-2024-22019',
  ],
  ['chunk-cut', chunked('5\r\nab'), 'broken', CHUNK, 'fin'],
  ['trailer-malformed', chunked('2\r\nok\r\n0\r\nBad Trailer: 1\r\n\r\n'), 'broken', 'RFC 9112 7.1.2'],
  [
    'trailer-endless',
    chunked(`2\r\nok\r\n0\r\n${'X-T: 1234567890\r\n'.repeat(20_000)}\r\n`),
    'broken',
    'RFC 9112 7.1.2',
  ],
  ['head-1mb-line', withLine(`X-A: ${'a'.repeat(1_048_576)}`), 'invalid', 'RFC 9110 5.4'],
  [
    'head-1mb-lines',
    withLine(Array.from({ length: 20_000 }, (_, i) => `X-${i}: ${'b'.repeat(40)}`).join('\r\n')),
    'invalid',
    'RFC 9110 5.4',
  ],
  ['status-line-100k', head(`HTTP/1.1 200 ${'r'.repeat(100_000)}`), 'invalid', 'RFC 9110 5.4'],
];

const RULES = {
  invalid: 'an impossible answer is a 502, never an exception, never passed on',
  unreachable: 'an end before a whole head is a 502',
  broken: 'an answer with an impossible body breaks off, and is never passed on',
  passed: 'an answer with an odd status is passed on',
} satisfies Record<Want, string>;

for (const [name, wire, want, source, then] of ROWS)
  for (const door of DOORS)
    test(`bad-upstream/${door}/${name} — ${RULES[want]} [${source}]`, async (world) => {
      const stage = await world.stage(always(wire, then ?? 'keep'));
      const client = await stage.client();
      client.send(stage.knock(door, '/bad'));
      const got = await client.answer();
      if (want === 'invalid') checkOwn(got, 502, 'upstream_invalid_response');
      else if (want === 'unreachable') checkOwn(got, 502, 'upstream_unreachable');
      else if (want === 'broken')
        expect([got.status, got.complete], 'status and complete').toEqual([200, false]);
      else
        expect([String(got.status), got.body, got.complete], 'answer').toEqual([
          wire.slice(9, 12),
          'ok',
          true,
        ]);
      expect(
        /[\0\r]|evil=1/.test(got.raw.replaceAll('\r\n', '')),
        'control bytes towards the client',
      ).toEqual(false);
      stage.agent.script = always(answer(200, 'ok'));
      await stage.proveClean();
    });
