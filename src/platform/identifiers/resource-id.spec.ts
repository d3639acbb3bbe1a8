import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeId, encodeId, type ResourceKind } from './resource-id.js';

const KINDS: readonly ResourceKind[] = ['cl', 'team', 'key', 'host', 'link', 'session'];
const kind = fc.constantFrom(...KINDS);
/** Every 128-bit value, whether or not an RFC 9562 version fits it. */
const uuid = fc
  .bigInt({ min: 0n, max: (1n << 128n) - 1n })
  .map((value) => value.toString(16).padStart(32, '0'))
  .map((hex) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));

/** 2^128 - 1 in base 36. */
const LARGEST = 'f5lxx1zz5pnorynqglhzmsp33';

describe('resource ids', () => {
  it.each([
    ['00000000-0000-0000-0000-000000000000', 'cl-0000000000000000000000000'],
    ['00000000-0000-0000-0000-000000000001', 'cl-0000000000000000000000001'],
    ['00000000-0000-0000-0000-000000000024', 'cl-0000000000000000000000010'],
    ['ffffffff-ffff-ffff-ffff-ffffffffffff', `cl-${LARGEST}`],
  ])('write %s as %s', (plain, id) => {
    expect(encodeId('cl', plain)).toBe(id);
    expect(decodeId('cl', id)).toBe(plain);
  });

  it('bring every UUID back', () => {
    fc.assert(
      fc.property(kind, uuid, (kind, uuid) => {
        const id = encodeId(kind, uuid);
        expect(id).toMatch(/^(cl|team|key|host|link|session)-[0-9a-z]{25}$/);
        expect(decodeId(kind, id)).toBe(uuid);
      }),
      { numRuns: 2_000 },
    );
  });

  it('take a UUID in capitals for the same', () => {
    fc.assert(
      fc.property(uuid, (uuid) => {
        expect(encodeId('cl', uuid.toUpperCase())).toBe(encodeId('cl', uuid));
      }),
    );
  });

  it('decode no string that is not an encoding', () => {
    const nearly = fc
      .tuple(fc.constantFrom('cl-', 'CL-', 'team-', 'cl', ''), fc.stringMatching(/^[0-9a-zA-Z\n -]{23,27}$/))
      .map(([prefix, body]) => prefix + body);
    const digits = fc.stringMatching(/^[0-9a-z]{25}$/).map((body) => `cl-${body}`);
    fc.assert(
      fc.property(fc.oneof(fc.string(), nearly, digits), (text) => {
        const decoded = decodeId('cl', text);
        // an encoding is what encodeId gives; nothing else may decode
        expect(decoded === null ? text : encodeId('cl', decoded)).toBe(text);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ['', ''],
    ['one digit short', `cl-${'0'.repeat(24)}`],
    ['one digit long', `cl-${'0'.repeat(26)}`],
    ['a line break behind', `cl-${'0'.repeat(25)}\n`],
    ['capitals', `cl-${LARGEST.toUpperCase()}`],
    ['another kind', `team-${'0'.repeat(25)}`],
    ['2^128', 'cl-f5lxx1zz5pnorynqglhzmsp34'],
    ['the largest number of 25 digits', `cl-${'z'.repeat(25)}`],
    ['a full-width digit', `cl-${'0'.repeat(24)}０`],
  ])('do not decode %s', (_name, text) => {
    expect(decodeId('cl', text)).toBeNull();
  });

  it.each(['', 'x', '00000000-0000-0000-0000-00000000000', '00000000000000000000000000000000'])(
    'are not made of %j',
    (text) => {
      expect(() => encodeId('cl', text)).toThrow(RangeError);
    },
  );
});
