import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeId, encodeId } from '../../platform/identifiers/resource-id.js';
import { Base36SandboxIds } from './sandbox-ids.js';

const ids = new Base36SandboxIds();
const LIMIT = 1n << 128n;

/** So many characters of the base. */
function digits(length: number): fc.Arbitrary<string> {
  const unit = fc.constantFrom(...'0123456789abcdefghijklmnopqrstuvwxyz');
  return fc.string({ unit, minLength: length, maxLength: length });
}

function idOf(value: bigint, digits = 25): string {
  return `cl-${value.toString(36).padStart(digits, '0')}`;
}

describe('a sandbox id', () => {
  it.each([
    [idOf(0n), true],
    [idOf(1n), true],
    [idOf(LIMIT - 1n), true],
    [idOf(LIMIT), false],
    [idOf(LIMIT + 1n), false],
    [`cl-${'z'.repeat(25)}`, false],
    ['cl-', false],
    ['cl-0', false],
    [idOf(1n, 24), false],
    [idOf(1n, 26), false],
  ])('%s: %s', (id, isWellFormed) => {
    expect(ids.isWellFormed(id)).toBe(isWellFormed);
  });

  it('is 128 bits as 25 characters in base 36, like the ids that the platform decodes', () => {
    const near = fc.bigInt({ min: LIMIT - 1_000n, max: LIMIT + 1_000n }).map((value) => idOf(value).slice(3));
    const prefixed = fc.tuple(fc.constant('f5lxx1zz5p'), digits(15)).map((parts) => parts.join(''));
    const body = fc.oneof(
      digits(25),
      near,
      prefixed,
      fc.integer({ min: 1, max: 30 }).chain((length) => digits(length)),
    );
    fc.assert(
      fc.property(body, (text) => {
        const id = `cl-${text}`;
        expect(`${id} ${ids.isWellFormed(id)}`).toBe(`${id} ${decodeId('cl', id) !== null}`);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is whatever a UUID encodes to', () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        expect(ids.isWellFormed(encodeId('cl', uuid))).toBe(true);
      }),
    );
  });

  it('stands in host names by a pattern that is wider than its form', () => {
    const pattern = new RegExp(`^(?:${ids.hostPattern})$`);
    for (const text of [idOf(1n), 'cl-x', `cl-${'z'.repeat(99)}`]) expect(pattern.test(text)).toBe(true);
    for (const text of ['', 'cl-', 'cl', 'vm-1', 'cl-A', 'cl-a.b', 'xcl-a'])
      expect(pattern.test(text)).toBe(false);
  });
});
