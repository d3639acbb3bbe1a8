import { describe, expect, it } from 'vitest';
import { difference, ReaderComparison } from '../../../test/differential/compare-readers.js';
import { Random } from '../../../test/kit/random.js';
import type { Outcome } from '../../../test/differential/response-readers.js';
import { generateResponse } from '../../../test/differential/response-generator.js';

// The long run is `npm run fuzz:parser`; here one seed, so that a failure is the change's and not the day's.
const SEED = 20_240_601;
const RESPONSES = 10_000;

describe("ResponseParser against Node's own", () => {
  it('differs in listed ways only, whole or cut at any byte', { timeout: 120_000 }, () => {
    const random = new Random(SEED);
    const comparison = new ReaderComparison(new Random(SEED + 1));
    for (let index = 0; index < RESPONSES; index++) comparison.check(generateResponse(random));
    expect(comparison.responses).toBe(RESPONSES);
    expect(comparison.verdicts.get('complete / complete')).toBeGreaterThan(RESPONSES / 5);
    expect(comparison.verdicts.get('rejected / rejected')).toBeGreaterThan(RESPONSES / 5);
  });

  it.each([
    ['a repeated length', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na', ''],
    [
      'a coding list',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      'Transfer-Encoding other than one chunked',
    ],
    [
      'a framing field as trailer',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n',
      'framing fields as trailers',
    ],
    [
      'HTAB after the coding',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n1\r\na\r\n0\r\n\r\n',
      'HTAB around a length or a coding',
    ],
    [
      'much framing and little data',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${`1;${'a'.repeat(900)}\r\na\r\n`.repeat(20)}0\r\n\r\n`,
      'framing that costs more than it carries',
    ],
    [
      'chunked without a body',
      'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'connection not reused',
    ],
  ])('%s: the difference is the listed one', (_, text, name) => {
    const comparison = new ReaderComparison(new Random(1));
    comparison.check({ method: 'GET', isUpgrade: false, text });
    expect([...comparison.differences.keys()]).toEqual(name === '' ? [] : [name]);
  });

  it.each([
    ['verdict', { verdict: 'truncated' }],
    ['heads', { heads: ['1.1 200 OK\nX\n2'] }],
    ['body', { body: 'b' }],
    ['trailers', { trailers: ['X', '2'] }],
    ['keepAlive', { keepAlive: false }],
    ['end', { consumed: 41 }],
  ] as const)('notices a different %s', (what, change) => {
    const outcome: Outcome = {
      verdict: 'complete',
      why: '',
      heads: ['1.1 200 OK\nX\n1'],
      keepAlive: true,
      body: 'a',
      trailers: [],
      consumed: 40,
    };
    expect(difference(outcome, outcome)).toBe('');
    expect(difference(outcome, { ...outcome, ...(change as Partial<Outcome>) })).toContain(what);
  });
});
