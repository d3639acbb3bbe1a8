import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeId } from '../../platform/identifiers/resource-id.js';
import { parseAgentTarget, prefixLocation } from './agent-target.js';

const ID = 'cl-0000000000000000000000001';
const PREFIX = `/proxy/${ID}/3000`;

describe('parseAgentTarget', () => {
  it.each([
    ['/', '/'],
    ['', '/'],
    ['?', '/?'],
    ['?a=/b', '/?a=/b'],
    ['/a/../%2e%2e/b//c/', '/a/../%2e%2e/b//c/'],
    ['//other.example/x', '//other.example/x'],
  ])('takes what stands behind the prefix as it is: %j -> %j', (rest, path) => {
    expect(parseAgentTarget('GET', PREFIX + rest)).toEqual({
      sandboxId: ID,
      port: 3000,
      path,
      prefix: PREFIX,
    });
  });

  it('reads OPTIONS /* as OPTIONS *, and /* of any other method as a path', () => {
    expect(parseAgentTarget('OPTIONS', `${PREFIX}/*`)?.path).toBe('*');
    expect(parseAgentTarget('GET', `${PREFIX}/*`)?.path).toBe('/*');
  });

  it.each([
    '/',
    '/proxy',
    `/proxy/${ID}`,
    `/proxy/${ID}/`,
    `/proxy/${ID}/0/`,
    `/proxy/${ID}/08/`,
    `/proxy/${ID}/65536/`,
    `/proxy/${ID}/3000x/`,
    `/proxy/${ID}/3000#x`,
    `/proxy/${ID.slice(0, -1)}/3000/`,
    `/proxy/cl-${'z'.repeat(25)}/3000/`,
    `/Proxy/${ID}/3000/`,
    `//proxy/${ID}/3000/`,
    `http://127.0.0.1${PREFIX}/`,
    '*',
  ])('refuses %s', (url) => {
    expect(parseAgentTarget('GET', url)).toBeNull();
  });

  it('never lets a path change the port or the prefix', () => {
    const visible = fc.string({
      unit: fc.integer({ min: 0x21, max: 0xff }).map((c) => String.fromCharCode(c)),
    });
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 1, max: 65_535 }), visible, (uuid, port, path) => {
        const sandboxId = encodeId('cl', uuid);
        const prefix = `/proxy/${sandboxId}/${port}`;
        expect(parseAgentTarget('GET', `${prefix}/${path}`)).toEqual({
          sandboxId,
          port,
          path: `/${path}`,
          prefix,
        });
      }),
    );
  });
});

describe('prefixLocation', () => {
  const target = { sandboxId: ID, port: 3000, path: '/', prefix: PREFIX };

  it.each([
    ['/', `${PREFIX}/`],
    ['/login?next=/a', `${PREFIX}/login?next=/a`],
    ['http://localhost:3000/x', `${PREFIX}/x`],
    ['http://LOCALHOST:3000/x', `${PREFIX}/x`],
    ['http://127.0.0.1:3000', `${PREFIX}/`],
    ['http://[::1]:3000?a', `${PREFIX}/?a`],
  ])('prefixes the own address %s', (location, prefixed) => {
    expect(prefixLocation(location, target)).toBe(prefixed);
  });

  it.each([
    'x/y',
    '?a',
    '',
    '//other.example/x',
    'https://localhost:3000/x',
    'http://localhost:3001/x',
    'http://localhost/x',
    'http://localhost:3000.other.example/x',
    'http://localhost:3000@other.example/x',
    'https://other.example/',
  ])('leaves %j as it is', (location) => {
    expect(prefixLocation(location, target)).toBe(location);
  });

  it('knows http without a port as port 80', () => {
    expect(prefixLocation('http://localhost/x', { ...target, port: 80 })).toBe(`${PREFIX}/x`);
  });
});
