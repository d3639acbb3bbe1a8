import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { Base36SandboxIds } from '../contracts/sandbox-ids.js';
import { InvalidHostError } from '../errors.js';
import { HostHeaders } from './host-header.js';
import { SandboxAddress, SandboxHostNames } from './sandbox-address.js';

const HOST = '3000-cl-0123456789abcdefghijklmno.localhost';
const ADDRESS = new SandboxAddress(3000, 'cl-0123456789abcdefghijklmno', HOST, true);

function newHosts(): HostHeaders {
  return new HostHeaders(new SandboxHostNames(new Base36SandboxIds(), []));
}

/** The parts of a request that are read: only those. */
function request(url: string, hosts: readonly string[], method = 'GET'): IncomingMessage {
  const rawHeaders = ['Accept', '*/*', ...hosts.flatMap((host, i) => [i % 2 === 0 ? 'Host' : 'hOST', host])];
  return { url, method, rawHeaders } as unknown as IncomingMessage;
}

describe('what a request is for', () => {
  it('is what its Host header says, the first time and from memory', () => {
    const host = newHosts();
    expect(host.addressOf(request('/', [HOST]))).toEqual(ADDRESS);
    expect(host.addressOf(request('/', [HOST]))).toEqual(ADDRESS);
    expect(host.addressOf(request('*', [HOST], 'OPTIONS'))).toEqual(ADDRESS);
  });

  it('is nothing of ours without a Host header (HTTP/1.0), or with another one', () => {
    const host = newHosts();
    expect(host.addressOf(request('/', []))).toBeNull();
    expect(host.addressOf(request('/', ['localhost']))).toBeNull();
    expect(host.addressOf(request('/', ['']))).toBeNull();
  });

  it('is kept once it has led somewhere, and no sooner', () => {
    const host = newHosts();
    const others = ['1-cl-x.localhost', '2-cl-x.localhost'];
    const first = host.addressOf(request('/', [HOST])) as SandboxAddress;
    host.addressOf(request('/', [others[0] as string]));
    const second = host.addressOf(request('/', [HOST])) as SandboxAddress;
    expect(second).not.toBe(first);
    host.keep(HOST, second);
    for (const other of others) host.addressOf(request('/', [other]));
    expect(host.addressOf(request('/', [HOST]))).toBe(second);
  });

  it.each([[[HOST, HOST]], [[HOST, 'localhost']], [['localhost', HOST]], [['', HOST]]])(
    'is unclear with two Host headers of which one is ours: %j',
    (hosts) => {
      expect(() => newHosts().addressOf(request('/', hosts))).toThrow(InvalidHostError);
    },
  );
});

it('leaves two Host headers of which none is ours to the application', () => {
  expect(newHosts().addressOf(request('/', ['localhost', 'example.com']))).toBeNull();
});

describe('a target in absolute form', () => {
  it.each([
    [`http://${HOST}/a/b?c`, '/a/b?c'],
    [`HTTP://${HOST.toUpperCase()}/a`, '/a'],
    [`http://${HOST}`, '/'],
    [`http://${HOST}?x=1`, '/?x=1'],
    [`http://${HOST}//x`, '//x'],
    [`ws://${HOST}/socket`, '/socket'],
  ])('becomes the path in it where it names the same authority: %s', (target, path) => {
    const asked = request(target, [HOST]);
    expect(newHosts().addressOf(asked)).toEqual(ADDRESS);
    expect(asked.url).toBe(path);
  });

  it.each([
    ['http://localhost/', HOST],
    ['http://169.254.169.254/latest', HOST],
    [`http://${HOST}/`, 'localhost'],
    [`http://${HOST}:81/`, HOST],
    [`http://80-cl-0123456789abcdefghijklmno.localhost/`, HOST],
    [`http://${HOST}@localhost/`, HOST],
    [`http://x@${HOST}/`, HOST],
    ['http:///a', HOST],
    ['http:a', HOST],
    ['a', HOST],
    ['', HOST],
    ['?x', HOST],
  ])('%s is refused beside the Host header %s', (target, host) => {
    expect(() => newHosts().addressOf(request(target, [host]))).toThrow(InvalidHostError);
  });

  it('that names a sandbox is refused where there is no Host header (CVE-2026-44578)', () => {
    expect(() => newHosts().addressOf(request(`http://${HOST}/`, []))).toThrow(InvalidHostError);
  });

  it('that has nothing to do with a sandbox is left to the API as it is', () => {
    const asked = request('http://localhost/a', ['localhost']);
    expect(newHosts().addressOf(asked)).toBeNull();
    expect(asked.url).toBe('http://localhost/a');
    expect(newHosts().addressOf(request('http://other/a', ['localhost']))).toBeNull();
  });
});
