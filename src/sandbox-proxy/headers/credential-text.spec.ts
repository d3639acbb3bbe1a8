import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CredentialText } from './credential-text.js';

const HEX = '0123456789abcdef'.repeat(2);
const KEY = `wrn_${HEX}`;
const API_KEY = /wrn_[0-9a-f]{32}/;
const TOKEN = /wr[ls]_[0-9a-z]{4}/;

describe('a text that holds an API key', () => {
  const credentials = new CredentialText([API_KEY]);

  it.each([
    KEY,
    `Bearer ${KEY}`,
    `a=1; key=${KEY}; b=2`,
    `${KEY}0`,
    `/path?x=${KEY}#y`,
    KEY.replace('w', '%77'),
    KEY.replace('_', '%5F'),
    [...KEY].map((character) => `%${character.charCodeAt(0).toString(16)}`).join(''),
    `100% of ${KEY}`,
    `%zz%7${KEY}`,
  ])('%s', (text) => {
    expect(credentials.isIn(text)).toBe(true);
  });

  it.each([
    '',
    'wrn_',
    KEY.slice(0, -1),
    KEY.replace('wrn_', 'wrn-'),
    `wrn_${'g'.repeat(32)}`,
    KEY.toUpperCase(),
    '%77rn_',
    '%',
    '%%%7',
  ])('is not %j', (text) => {
    expect(credentials.isIn(text)).toBe(false);
  });

  it('is found wherever it stands, and in whatever of its characters are escaped', () => {
    const escaped = fc
      .array(fc.boolean(), { minLength: KEY.length, maxLength: KEY.length })
      .map((choices) =>
        [...KEY]
          .map((c, i) => (choices[i] ? `%${c.charCodeAt(0).toString(16).padStart(2, '0')}` : c))
          .join(''),
      );
    fc.assert(
      fc.property(fc.string(), escaped, fc.string(), (before, key, after) => {
        // an escape that the text before has begun would take two characters of the key for itself
        fc.pre(!/%[0-9a-f]?$/i.test(before));
        expect(credentials.isIn(before + key + after)).toBe(true);
      }),
    );
  });
});

describe('the patterns of several schemes', () => {
  const credentials = new CredentialText([API_KEY, TOKEN, API_KEY]);

  it.each([KEY, 'wrl_0abc', 'wrs_zzzz', 'x wrl_0abc y', 'wr%6c_0abc'])('are all looked for: %s', (text) => {
    expect(credentials.isIn(text)).toBe(true);
  });

  it.each(['wrx_0abc', 'wrl_0a', 'wr'])('find nothing else: %s', (text) => {
    expect(credentials.isIn(text)).toBe(false);
  });

  it('hold an alternation together: what stands beside it belongs to each of its sides', () => {
    const alternation = new CredentialText([/tok_a|tok_b/, /sec_[0-9]/]);
    for (const text of ['tok_a', 'tok_b', 'sec_1']) expect(alternation.isIn(`x${text}y`)).toBe(true);
    for (const text of ['tok_', 'b', 'sec_', 'tok_sec_']) expect(alternation.isIn(text)).toBe(false);
  });

  it('are none where no scheme has one', () => {
    const none = new CredentialText([]);
    expect([none.isIn(KEY), none.isIn(''), none.resembles(KEY)]).toEqual([false, false, false]);
  });
});

// The text in front of a pattern is looked for first, since that is cheaper: it must never rule out a match.
describe('a pattern that begins with', () => {
  it.each<[string, RegExp, string[], string[]]>([
    ['a fixed text', /wrn_[0-9]/, ['wrn_1'], ['wrn1']],
    ['a text whose last character is optional', /wrn_?[0-9]/, ['wrn_1', 'wrn1'], ['wr1']],
    ['a text whose last character is repeated', /ab+c/, ['abc', 'abbbc'], ['ac']],
    ['a text whose last character may be missing', /ab*c/, ['ac', 'abc'], ['bc']],
    ['a text whose last character is counted', /tk{0,2}_/, ['t_', 'tkk_'], ['k_']],
    ['one optional character', /x?yz/, ['yz', 'xyz'], ['xz']],
    ['a class', /[pq]_[0-9]/, ['p_1', 'q_1'], ['r_1']],
    ['a group', /(?:live|test)_[0-9]/, ['live_1', 'test_1'], ['prod_1']],
    ['a boundary', /\bsk-[0-9]/, ['sk-1', 'a sk-1'], ['ask-1']],
    ['an escape', /\$tok[0-9]/, ['$tok1'], ['tok1']],
    ['any character', /.tok[0-9]/, ['atok1'], ['tok1']],
    ['one of two texts', /live_[0-9]|test_[0-9]/, ['live_1', 'test_1'], ['live_test_']],
    ['a text that has a class with a bar in it', /tok[|a]1/, ['tok|1', 'toka1'], ['tokb1']],
  ])('%s', (_what, pattern, matching, others) => {
    const credentials = new CredentialText([pattern]);
    for (const text of matching) expect([text, credentials.isIn(text)]).toEqual([text, true]);
    for (const text of others) expect([text, credentials.isIn(text)]).toEqual([text, false]);
  });

  it('a text that begins like another one is found as well', () => {
    for (const patterns of [
      [/wr[0-9]/, /wrn_[0-9]/],
      [/wrn_[0-9]/, /wr[0-9]/],
    ]) {
      const credentials = new CredentialText(patterns);
      expect([credentials.isIn('wr1'), credentials.isIn('wrn_1'), credentials.isIn('wrn')]).toEqual([
        true,
        true,
        false,
      ]);
    }
  });
});

describe('a pattern that is not particular about case', () => {
  it.each(['TOK_AB', 'tok_ab', 'Tok_aB', '%54ok_ab'])('finds %s', (text) => {
    expect(new CredentialText([/tok_[a-f]{2}/i]).isIn(text)).toBe(true);
  });

  it('leaves none of the others out', () => {
    const credentials = new CredentialText([API_KEY, /tok_[a-f]{2}/i]);
    expect([credentials.isIn(KEY), credentials.isIn('TOK_AB')]).toEqual([true, true]);
  });
});

it('answers the same every time, also for patterns that remember where they were', () => {
  const pattern = /wrn_[0-9a-f]{32}/g;
  const credentials = new CredentialText([pattern, /tok_[0-9]/y]);
  for (const text of [KEY, KEY, `x ${KEY}`, 'a tok_1', 'a tok_1']) expect(credentials.isIn(text)).toBe(true);
  expect(pattern.lastIndex).toBe(0);
});

describe('a text that begins like a credential', () => {
  const credentials = new CredentialText([API_KEY, /[A-Z]{4}[0-9]{4}/, /ab[0-9]{6}/]);

  it.each([KEY, KEY.toUpperCase(), 'wrn_', `x WRN_1`, 'ABCD1234', 'ab123456'])('is %s', (text) => {
    expect(credentials.resembles(text)).toBe(true);
  });

  it.each(['', 'wrn', 'ABCD', 'ab', 'ab12', 'an app of its own'])(
    'is not %j: what a pattern begins with may be too short to tell',
    (text) => {
      expect(credentials.resembles(text)).toBe(false);
    },
  );
});
