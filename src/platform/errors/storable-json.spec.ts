import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRequestError } from '../../sandbox-proxy/index.js';
import { requireStorable } from './storable-json.js';

function nested(depth: number, open: string, close: string): unknown {
  return JSON.parse(`${open.repeat(depth)}1${close.repeat(depth)}`);
}

describe('requireStorable', () => {
  it('takes what JSON can say otherwise', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('\\u0000') && !/\\ud[89a-f]/.test(text));
        expect(() => requireStorable(value)).not.toThrow();
      }),
    );
    expect(() => requireStorable({ text: '𝕏 é \u{10ffff}', list: [null, true, -0, 1e300] })).not.toThrow();
  });

  it.each([
    ['text', { a: [{ b: 'x\0' }] }],
    ['a name', { a: [{ 'x\0': 1 }] }],
  ])('refuses U+0000 in %s', (_name, value) => {
    expect(() => requireStorable(value)).toThrow(InvalidRequestError);
  });

  it.each(['\ud800', 'a\udc00b', '\udc00\ud800'])('refuses half of a surrogate pair: %j', (text) => {
    for (const value of [text, [text], { [text]: 1 }, { a: { b: [text] } }])
      expect(() => requireStorable(value)).toThrow(InvalidRequestError);
  });

  it.each([
    ['[', ']'],
    ['{"a":', '}'],
  ])('refuses more than 32 levels of %s', (open, close) => {
    expect(() => requireStorable(nested(32, open, close))).not.toThrow();
    expect(() => requireStorable(nested(33, open, close))).toThrow(/32 levels/);
    expect(() => requireStorable(nested(40_000, open, close))).toThrow(/32 levels/);
  });
});
