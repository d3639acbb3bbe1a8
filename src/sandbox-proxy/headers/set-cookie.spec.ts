import { describe, expect, it } from 'vitest';
import { narrowSetCookie } from './set-cookie.js';
import { CredentialText } from './credential-text.js';
import { OwnCookies } from './own-cookies.js';

const HOST = '3000-cl-x.example.com';
const OWN = new OwnCookies(['__Host-sandbox_session', 'sandbox_session', 'console'], new CredentialText([]));

describe("a sandbox's Set-Cookie", () => {
  it.each([
    'a=1',
    'a=1; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1',
    `a=1; Domain=${HOST}`,
    `a=1; domain=.${HOST.toUpperCase()}; Path=/`,
    'a="domain=example.com"',
    'domain=example.com',
    'a=1; X-Domain=example.com',
    'a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    'a=\u00e9',
    '',
  ])('%j stays as it is', (value) => {
    expect(narrowSetCookie(value, HOST, OWN)).toBe(value);
  });

  it.each([
    ['a=1; Domain=example.com', 'a=1'],
    ['a=1; Path=/; DOMAIN=.example.com; Secure', 'a=1; Path=/; Secure'],
    ['a=1;Domain=com', 'a=1'],
    ['a=1; Domain = example.com ;Path=/', 'a=1;Path=/'],
    ['a=1; Domain', 'a=1'],
    ['a=1; Domain=', 'a=1'],
    ['a=1; Domain=80-cl-y.example.com', 'a=1'],
    [`a=1; Domain=${HOST}; Domain=example.com`, `a=1; Domain=${HOST}`],
    ['a=1; Domain=..3000-cl-x.example.com', 'a=1'],
    ['a=1; Domain="example.com"', 'a=1'],
    ['a=1;\tDomain=example.com', 'a=1'],
    ['=1; Domain=example.com', '=1'],
  ])('loses a domain that reaches its neighbours: %s -> %s', (value, narrowed) => {
    expect(narrowSetCookie(value, HOST, OWN)).toBe(narrowed);
  });

  it.each([
    'sandbox_session=x',
    'SANDBOX_SESSION=x; Path=/',
    '__Host-sandbox_session=x; Secure; Path=/',
    ' sandbox_session =x',
    'sandbox_session',
    '=sandbox_session=x',
    ' = sandbox_session=x',
    '==sandbox_session=x',
    'Console=x',
    '=console=x',
  ])("cannot be one of the proxy's or the platform's: %j", (value) => {
    expect(narrowSetCookie(value, HOST, OWN)).toBeNull();
  });
});
