import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { CredentialText } from './credential-text.js';
import { Field, fieldOf, namedInConnection, passableTrailers } from './field-names.js';

const KEY = `wrn_${'0123456789abcdef'.repeat(2)}`;
const CREDENTIALS = new CredentialText([/wrn_[0-9a-f]{32}/]);

// An app that sends 2,000 heads, each with a name of its own, used to keep 128 MB of heads in memory.
it('keeps of a head no more than the name', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const head = 'a'.repeat(65_536);
  const used = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = used();
  for (let index = 0; index < 500; index++) {
    const text = Buffer.from(`x-some-field-${index}: ${head}`).toString('latin1');
    fieldOf(text.slice(0, text.indexOf(':')));
  }
  expect((used() - before) / 2 ** 20).toBeLessThan(8);
});

describe('the kind of a field', () => {
  it.each<[string, Field]>([
    ['Connection', Field.Connection],
    ['CONNECTION', Field.Connection],
    ['Keep-Alive', Field.HopByHop],
    ['Proxy-Connection', Field.HopByHop],
    ['Proxy-Authorization', Field.HopByHop],
    ['Proxy-Authenticate', Field.HopByHop],
    ['Upgrade', Field.HopByHop],
    ['HTTP2-Settings', Field.HopByHop],
    ['te', Field.Te],
    ['Transfer-Encoding', Field.TransferEncoding],
    ['Host', Field.Host],
    ['X-Forwarded-For', Field.Forwarded],
    ['x-forwarded-anything', Field.Forwarded],
    ['X_Forwarded_For', Field.Forwarded],
    ['Forwarded', Field.Forwarded],
    ['X-Real-IP', Field.Forwarded],
    ['x_real_ip', Field.Forwarded],
    ['X-Sandbox-Error', Field.Sandbox],
    ['X_Sandbox-Id', Field.Sandbox],
    ['X-API-Key', Field.ApiKey],
    ['x_api_key', Field.ApiKey],
    ['X-Request-ID', Field.RequestId],
    ['X_Request_Id', Field.RequestId],
    ['Cookie', Field.Cookie],
    ['Set-Cookie', Field.SetCookie],
    ['Location', Field.Location],
    ['Content_Length', Field.Other],
    ['X-Forwarded', Field.Other],
    ['X-Sandbox', Field.Other],
    ['Authorization', Field.Other],
    ['Upgrade-Insecure-Requests', Field.Other],
    ['__proto__', Field.Other],
    ['constructor', Field.Other],
  ])('%s', (name, field) => {
    expect(fieldOf(name)).toBe(field);
    expect(fieldOf(name)).toBe(field);
  });

  it('stays right when more names have come than are remembered', () => {
    for (let i = 0; i < 3_000; i++) expect(fieldOf(`X-Junk-${i}`)).toBe(Field.Other);
    expect(fieldOf('x-SANDBOX-late')).toBe(Field.Sandbox);
    expect(fieldOf('x-SANDBOX-late')).toBe(Field.Sandbox);
  });
});

describe('the names that Connection lists', () => {
  it.each<[string, string[] | null]>([
    ['keep-alive', null],
    ['close', null],
    ['Upgrade', null],
    ['keep-alive, Upgrade', null],
    [' , ,', null],
    ['', null],
    ['X-Foo', ['x-foo']],
    ['close,X-Foo ,\tX-Bar', ['x-foo', 'x-bar']],
    ['Keep-Alive, cookie', ['cookie']],
  ])('%j', (value, names) => {
    expect(namedInConnection(value)).toEqual(names);
  });
});

describe('trailers', () => {
  it('pass in order, with duplicates and bytes as they are', () => {
    const flat = ['X-Sum', '\u00e9', 'Server-Timing', 'a;dur=1', 'x-sum', ''];
    expect(passableTrailers(flat, CREDENTIALS)).toEqual(flat);
  });

  it.each([
    'Content-Length',
    'Transfer-Encoding',
    'Trailer',
    'Host',
    'Connection',
    'Set-Cookie',
    'Location',
    'Authorization',
    'Content-Type',
    'X-API-Key',
    'X-Forwarded-For',
    'X_Forwarded_For',
    'X-Sandbox-Error',
    'X-Request-Id',
    'Cookie',
    'TE',
  ])('do not hold %s, which a reader could merge into the head', (name) => {
    expect(passableTrailers([name, 'x', 'X-Kept', '1', name.toLowerCase(), 'y'], CREDENTIALS)).toEqual([
      'X-Kept',
      '1',
    ]);
  });

  it('do not carry a platform key anywhere', () => {
    const trailers = [
      'X-Any',
      `token ${KEY}`,
      `X-${KEY}`,
      '1',
      'X-Escaped',
      KEY.replace('w', '%77'),
      'X-Kept',
      '1',
    ];
    expect(passableTrailers(trailers, CREDENTIALS)).toEqual(['X-Kept', '1']);
  });
});
