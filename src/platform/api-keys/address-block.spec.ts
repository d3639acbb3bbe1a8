import { describe, expect, it } from 'vitest';
import { addressBlockOf } from './address-block.js';

describe('addressBlockOf', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:10.0.0.1', '10.0.0.1'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:0:0:ffff:ffff:ffff:ffff', '2001:db8:0:0'],
    ['2001:0DB8::', '2001:db8:0:0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::', '2001:db8:1:2'],
    ['2001:db8::2:3:4:5', '2001:db8:0:0'],
    ['1::2:3:4:5:6:7', '1:0:2:3'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['64:ff9b::10.0.0.1', '64:ff9b:0:0'],
    ['::1:2:3:10.0.0.1', '0:0:0:1'],
    ['unknown', 'unknown'],
  ])('%s -> %s', (address, block) => {
    expect(addressBlockOf(address)).toBe(block);
  });
});
