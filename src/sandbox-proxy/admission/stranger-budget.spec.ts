import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TooManyLookupsError } from '../errors.js';
import { networkOf, StrangerBudget } from './stranger-budget.js';

describe('the network of a client', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::', '2001:db8:1:2'],
    ['2001:db8:1:2::1', '2001:db8:1:2'],
    ['2001:DB8:0001:0002:ffff::', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8::5:6:7:8', '2001:db8:0:0'],
    ['2001::3:4:5:6:7:8', '2001:0:3:4'],
    ['::2:3:4:5:6:7:8', '0:2:3:4'],
    ['1:2:3:4:5:6:7::', '1:2:3:4'],
    ['1::', '1:0:0:0'],
    ['::', '0:0:0:0'],
    ['::1', '0:0:0:0'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0'],
    ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4'],
    ['::1:2:3:10.0.0.1', '0:0:0:1'],
    ['2001:db8::2:3:4:5', '2001:db8:0:0'],
    ['2001:db8:0:0:ffff:ffff:ffff:ffff', '2001:db8:0:0'],
    ['1::2:3:4:5:6:7', '1:0:2:3'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['fe80::1:2:3:4%1', 'fe80:0:0:0'],
    ['unknown', 'unknown'],
    ['', ''],
  ])('of %s is %s', (client, network) => {
    expect(networkOf(client)).toBe(network);
  });

  // A proxy in front that listens on both families names an IPv4 client so: all of them would be one /64.
  it.each([
    '::ffff:192.0.2.1',
    '::FFFF:192.0.2.1',
    '::ffff:c000:201',
    '0:0:0:0:0:ffff:192.0.2.1',
    '0::ffff:c000:0201',
  ])('of an IPv4 client in the notation of IPv6 is its own: %s', (client) => {
    expect(networkOf(client)).toBe('192.0.2.1');
  });

  it.each([
    ['192.0.2.1:4711', '192.0.2.1'],
    ['[2001:db8:1:2::9]:443', '2001:db8:1:2'],
    ['[2001:db8:1:2::9]', '2001:db8:1:2'],
    ['[::ffff:192.0.2.1]:80', '192.0.2.1'],
  ])('is the same from every port that a proxy in front may name: %s', (client, network) => {
    expect(networkOf(client)).toBe(network);
  });

  it('is one for all addresses of a /64, however they are written, and another for every other /64', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    const half = fc.tuple(group, group, group, group);
    fc.assert(
      fc.property(half, half, half, fc.boolean(), (prefix, one, other, isPadded) => {
        fc.pre(prefix.some((value) => value !== 0));
        const written = (interfaceId: readonly number[]) =>
          [...prefix, ...interfaceId]
            .map((value) => value.toString(16).padStart(isPadded ? 4 : 1, '0'))
            .join(':');
        const network = prefix.map((value) => value.toString(16)).join(':');
        expect(networkOf(written(one))).toBe(network);
        expect(networkOf(written(other).toUpperCase())).toBe(network);
        expect(networkOf(new URL(`http://[${written(other)}]`).hostname.slice(1, -1))).toBe(network);
      }),
    );
  });
});

describe('the budget of a stranger', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is 500 questions that find nothing, for the whole of its network, and 50 a second from then on', () => {
    const strangers = new StrangerBudget();
    for (let i = 0; i < 500; i++) strangers.reserve(`2001:db8::${i.toString(16)}`);
    expect(() => strangers.reserve('2001:db8::ffff')).toThrow(TooManyLookupsError);
    for (const other of ['2001:db8:0:1::1', '192.0.2.1'])
      expect(() => strangers.reserve(other)).not.toThrow();
    vi.advanceTimersByTime(20);
    expect(() => strangers.reserve('2001:db8::ffff')).not.toThrow();
    expect(() => strangers.reserve('2001:db8::ffff')).toThrow(TooManyLookupsError);
  });

  it.each<[string, () => Promise<string | null>, boolean]>([
    ['by an answer that says that there is none', () => Promise.resolve(null), true],
    ['by no other answer', () => Promise.resolve('x'), false],
    ['by no question that could not be answered', () => Promise.reject(new Error('away')), false],
  ])('is spent %s', async (_what, question, isSpent) => {
    const strangers = new StrangerBudget();
    for (let i = 0; i < 500; i++) {
      strangers.reserve('a');
      await strangers.ask('a', question).catch(String);
    }
    expect(strangers.reserveForLink('a')).toBe(!isSpent);
  });

  it('is for the links of the network alone, while one of them waits for it', () => {
    const strangers = new StrangerBudget();
    for (let i = 0; i < 500; i++) strangers.reserve('a');
    expect(strangers.reserveForLink('a')).toBe(false);
    vi.advanceTimersByTime(40);
    expect(() => strangers.reserve('a')).toThrow(TooManyLookupsError);
    expect(strangers.reserveForLink('a')).toBe(true);
    strangers.noLinkWaits('a');
    expect(() => strangers.reserve('a')).not.toThrow();
  });
});
