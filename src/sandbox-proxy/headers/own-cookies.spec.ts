import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CredentialText } from './credential-text.js';
import { OwnCookies } from './own-cookies.js';

const KEY = `wrn_${'0123456789abcdef'.repeat(2)}`;
const own = new OwnCookies(
  ['__Host-sandbox_session', 'sandbox_session', 'Console_Login'],
  new CredentialText([/wrn_[0-9a-f]{32}/]),
);

describe('a Cookie header without our own cookies', () => {
  it.each([
    ['a=1; sandbox_session=x; b=2', 'a=1; b=2'],
    ['sandbox_session=x; a=1', 'a=1'],
    ['a=1; __Host-sandbox_session=x', 'a=1'],
    ['a=1;sandbox_session=x;b=2', 'a=1;b=2'],
    ['a=1; SANDBOX_session=x; __HOST-SANDBOX_SESSION=y', 'a=1'],
    ['a=1;  sandbox_session =x', 'a=1'],
    ['a=1; sandbox_session', 'a=1'],
    ['sandbox_session=x', null],
    ['console_login=x; a=1', 'a=1'],
    ['CONSOLE_LOGIN=x', null],
    ['sandbox_session=x; sandbox_session=y;', null],
  ])('%s -> %s', (value, left) => {
    expect(own.strip(value)?.replace(/;$/, '') || null).toBe(left);
  });

  it.each([
    'a=1; b=2',
    'a="x; y"',
    'my_sandbox_session=1',
    'sandbox_sessions=1',
    'a=sandbox_session',
    '',
    ';;',
    'a',
  ])('leaves %j as it is', (value) => {
    expect(own.strip(value)).toBe(value);
  });

  it.each([
    [`a=1; key=${KEY}; b=2`, 'a=1; b=2'],
    [`${KEY}=1; b=2`, 'b=2'],
    [`a=${encodeURIComponent(KEY).replace('w', '%77')}; b=2`, 'b=2'],
    [`a=${KEY}`, null],
  ])('loses the pairs that hold a credential, and no other: %s -> %s', (value, left) => {
    expect(own.strip(value)).toBe(left);
  });

  it.each([
    ['a=1; token=s3cret; b=2', 'a=1; b=2'],
    ['token="s3cret"; s3cret=1; b=2', 'b=2'],
    ['token=s3cret', null],
  ])('loses the pairs that hold what has admitted: %s -> %s', (value, left) => {
    expect(own.strip(value, 's3cret')).toBe(left);
  });

  it('holds none of ours, whatever stood around it', () => {
    const name = fc.constantFrom(
      'a',
      'sandbox_session',
      'Sandbox_Session',
      '__Host-sandbox_session',
      ' sandbox_session ',
    );
    const pair = fc.tuple(name, fc.stringMatching(/^[a-z]{0,3}$/)).map(([n, v]) => `${n}=${v}`);
    const joined = fc.tuple(fc.array(pair, { minLength: 1, maxLength: 6 }), fc.constantFrom(';', '; ', ' ;'));
    fc.assert(
      fc.property(joined, ([pairs, separator]) => {
        const left = own.strip(pairs.join(separator)) ?? '';
        const names = left.split(';').map((one) => one.split('=', 1)[0] as string);
        expect(names.filter((one) => own.isOwn(one))).toEqual([]);
        expect(left.split('a=').length).toBe(pairs.filter((one) => one.startsWith('a=')).length + 1);
      }),
    );
  });
});
