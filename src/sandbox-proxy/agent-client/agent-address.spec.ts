import { networkInterfaces } from 'node:os';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAddressPolicy, parseAgentAddress, toBlockList } from './agent-address.js';

describe("a host's address", () => {
  it.each<[string, boolean, string, number, string]>([
    ['10.0.0.7:5000', false, '10.0.0.7', 5000, '10.0.0.7:5000'],
    ['agent-1.internal:5000', false, 'agent-1.internal', 5000, 'agent-1.internal:5000'],
    ['Agent_1:1', false, 'Agent_1', 1, 'Agent_1:1'],
    ['[fd00::7]:65535', false, 'fd00::7', 65_535, '[fd00::7]:65535'],
    ['http://10.0.0.7:5000', false, '10.0.0.7', 5000, '10.0.0.7:5000'],
    ['https://agent.example.com', true, 'agent.example.com', 443, 'agent.example.com'],
    ['http://agent.example.com/', false, 'agent.example.com', 80, 'agent.example.com'],
    ['HTTPS://[::1]/', true, '::1', 443, '[::1]'],
    ['https://10.0.0.7:5000/', true, '10.0.0.7', 5000, '10.0.0.7:5000'],
  ])('%s', (address, secure, hostname, port, authority) => {
    expect(parseAgentAddress(address, 'http')).toEqual({ secure, hostname, port, authority });
  });

  it('takes the scheme that is configured where it names none', () => {
    expect(parseAgentAddress('10.0.0.7:5000', 'https')?.secure).toBe(true);
    expect(parseAgentAddress('http://10.0.0.7:5000', 'https')?.secure).toBe(false);
  });

  it.each([
    '',
    ' ',
    '10.0.0.7',
    '10.0.0.7:',
    '10.0.0.7:0',
    '10.0.0.7:65536',
    '10.0.0.7:99999999',
    '10.0.0.7:-1',
    '10.0.0.7:5e3',
    '10.0.0.7:5000/',
    '10.0.0.7:5000/path',
    'http://10.0.0.7:5000/path',
    'http://10.0.0.7:5000/../x',
    'http://10.0.0.7:5000?x',
    'http://10.0.0.7:5000/?x',
    'http://10.0.0.7:5000#x',
    'http://user:password@10.0.0.7:5000',
    'user@10.0.0.7:5000',
    'http://10.0.0.7:5000@169.254.169.254/',
    'http:10.0.0.7:5000',
    'http:/10.0.0.7:5000',
    '//10.0.0.7:5000',
    'ftp://10.0.0.7:5000',
    'file:///etc/passwd',
    'unix:/run/agent.sock',
    'http+unix://x:1',
    'http://',
    'http://:5000',
    ':5000',
    '10.0.0.7:5000\r\nX-Injected: 1',
    '10.0.0.7:5000\n',
    '10.0.0.7 :5000',
    '10.0.0.7:5000 ',
    '10.0.0.7\\:5000',
    'fd00::7:5000',
    '[fd00::7]',
    '[fd00::7:5000',
    '[fd00::g]:5000',
    '[::1%25eth0]:5000',
    '[10.0.0.7]:5000',
    '[]:5000',
    '-agent:5000',
    'agent-:5000',
    'ag\u00e9nt:5000',
    'a,b:5000',
    'a:1,b:2',
    'agent%2einternal:5000',
  ])('is none: %j', (address) => {
    expect(parseAgentAddress(address, 'http')).toBeNull();
  });

  it('never puts anything into the Host header that is not a host and a port', () => {
    const text = fc.string({
      unit: fc.constantFrom(...'0a.:/@[]-_ \r\n?#%\\', 'http://', 'https://', ':5000', '::'),
    });
    fc.assert(
      fc.property(text, (address) => {
        const origin = parseAgentAddress(address, 'http');
        expect(origin?.authority ?? 'none').toMatch(/^(\[[0-9a-f:.]+\]|[0-9a-z._-]+)(:\d{1,5})?$/i);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('an address that may be connected to', () => {
  const mayConnect = createAddressPolicy([], () => 8000);

  it.each(['10.0.0.7', '127.0.0.1', '192.168.1.1', '8.8.8.8', '100.64.0.1', '::1', 'fd00::7', '2001:db8::1'])(
    'is %s',
    (ip) => {
      expect(mayConnect(ip, 5000)).toBe(true);
    },
  );

  it.each([
    '169.254.169.254',
    '169.254.0.1',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    'fe80::1',
    'febf::1',
    'fd00:ec2::254',
    '100.100.100.200',
    '::ffff:100.100.100.200',
    '168.63.129.16',
    '224.0.0.1',
    '239.255.255.255',
    'ff02::1',
    '255.255.255.255',
    '240.0.0.1',
  ])('is not %s: link-local, metadata, multicast, reserved', (ip) => {
    expect(mayConnect(ip, 80)).toBe(false);
  });

  const own = Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []);
  it.each(['127.0.0.1', '127.8.9.10', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1', ...own])(
    "is not this process's own listener: %s",
    (ip) => {
      expect(mayConnect(ip, 8000)).toBe(false);
    },
  );

  it("is this machine's on another port, and another machine's on that port", () => {
    expect(mayConnect('127.0.0.1', 8001)).toBe(true);
    expect(mayConnect('192.0.2.1', 8000)).toBe(true);
  });

  it('is what is allowed explicitly, but never the own listener', () => {
    const allowing = createAddressPolicy(['169.254.10.0/24', 'fe80::1', '127.0.0.0/8'], () => 8000);
    expect(allowing('169.254.10.9', 80)).toBe(true);
    expect(allowing('::ffff:169.254.10.9', 80)).toBe(true);
    expect(allowing('169.254.11.9', 80)).toBe(false);
    expect(allowing('fe80::1', 80)).toBe(true);
    expect(allowing('fe80::2', 80)).toBe(false);
    expect(allowing('127.0.0.1', 8000)).toBe(false);
  });
});

describe('a list of networks', () => {
  it('holds addresses and blocks of both families', () => {
    const list = toBlockList(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '::1']);
    const held = (ip: string, family: 'ipv4' | 'ipv6') => list.check(ip, family);
    expect([held('10.255.0.1', 'ipv4'), held('11.0.0.1', 'ipv4')]).toEqual([true, false]);
    expect([held('192.0.2.1', 'ipv4'), held('192.0.2.2', 'ipv4')]).toEqual([true, false]);
    expect([held('2001:db8:1::', 'ipv6'), held('2001:db9::', 'ipv6')]).toEqual([true, false]);
    expect(toBlockList([]).check('10.0.0.1', 'ipv4')).toBe(false);
  });
});
