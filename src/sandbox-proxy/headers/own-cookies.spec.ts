import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSessionCookie, withoutSessionCookies } from './session-cookies.js';

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
    ['sandbox_session=x; sandbox_session=y;', null],
  ])('%s -> %s', (value, left) => {
    expect(withoutSessionCookies(value)?.replace(/;$/, '') || null).toBe(left);
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
    expect(withoutSessionCookies(value)).toBe(value);
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
        const left = withoutSessionCookies(pairs.join(separator)) ?? '';
        const names = left.split(';').map((one) => one.split('=', 1)[0] as string);
        expect(names.filter(isSessionCookie)).toEqual([]);
        expect(left.split('a=').length).toBe(pairs.filter((one) => one.startsWith('a=')).length + 1);
      }),
    );
  });
});
