import { isIPv6 } from 'node:net';

/**
 * The addresses that may all be one client: an IPv4 address (`::ffff:10.0.0.1` -> `10.0.0.1`), or the /64 of an IPv6
 * address (`2001:db8::1` -> `2001:db8:0:0`). Any other text stays as it is.
 */
export function addressBlockOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!isIPv6(address)) return address;
  const [before = '', after] = address.toLowerCase().replace(/%.*$/, '').split('::');
  const groups = before === '' ? [] : before.split(':');
  if (after !== undefined) {
    const behind = after === '' ? [] : after.split(':');
    // the last two groups may be written as one IPv4 address
    const written = groups.length + behind.length + (after.includes('.') ? 1 : 0);
    groups.push(...Array.from({ length: 8 - written }, () => '0'), ...behind);
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
