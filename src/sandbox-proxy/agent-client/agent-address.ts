import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** The address of an agent, parsed. */
export interface AgentOrigin {
  readonly secure: boolean;
  /** Name or IP literal without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** For the Host header of requests to it: the address as stored, without the scheme, e.g. `10.0.0.7:5000`. */
  readonly authority: string;
}

const ADDRESS =
  /^(?:(https?):\/\/)?(\[[0-9a-f:.]+\]|[0-9a-z](?:[0-9a-z._-]*[0-9a-z])?)(?::(\d{1,5}))?(\/)?$/i;

/**
 * Parses a host's address: `10.0.0.7:5000`, `agent-1.internal:5000`, `[fd00::7]:5000`, or an `http(s)://` URL without path,
 * query or userinfo; only a URL may omit the port. Null for anything else: a request must not be sent to a guess.
 */
export function parseAgentAddress(address: string, defaultScheme: 'http' | 'https'): AgentOrigin | null {
  const match = ADDRESS.exec(address);
  if (match === null) return null;
  const [, scheme, host, portText, slash] = match as unknown as [string, string?, string?, string?, string?];
  if (host === undefined || (scheme === undefined && (portText === undefined || slash !== undefined)))
    return null;
  const secure = (scheme?.toLowerCase() ?? defaultScheme) === 'https';
  const port = portText === undefined ? (secure ? 443 : 80) : Number(portText);
  if (port < 1 || port > 65_535) return null;
  const isBracketed = host.startsWith('[');
  const hostname = isBracketed ? host.slice(1, -1) : host;
  if (isBracketed && isIP(hostname) !== 6) return null;
  return { secure, hostname, port, authority: portText === undefined ? host : `${host}:${portText}` };
}

/** Whether a connection to a resolved IP address may be opened. */
export type AddressPolicy = (ip: string, port: number) => boolean;

/**
 * Refuses addresses that no agent has, but that a wrong or hostile row could name: link-local, cloud metadata, multicast,
 * broadcast, and the proxy's own listener (a loop). `allowed` lists exceptions.
 *
 * @param ownPort the port this process listens on, or 0 while it does not listen
 */
export function createAddressPolicy(allowed: readonly string[], ownPort: () => number): AddressPolicy {
  const exceptions = toBlockList(allowed);
  return (ip, port) => {
    const family = isIP(ip) === 6 ? 'ipv6' : 'ipv4';
    if (port === ownPort() && isOwnAddress(ip)) return false;
    return exceptions.check(ip, family) || !REFUSED.check(ip, family);
  };
}

/** Addresses and CIDR blocks as one list; IPv4-mapped IPv6 addresses match their IPv4 block. */
export function toBlockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

/** IPv4: link-local with the usual metadata service, those of Alibaba and Azure, multicast, reserved. */
const REFUSED_IPV4 = [
  '169.254.0.0/16',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/**
 * The same inside IPv6 addresses (IPv4-compatible, NAT64, 6to4), and those of IPv6: link-local, AWS's metadata,
 * multicast.
 */
const REFUSED = toBlockList([
  ...REFUSED_IPV4,
  ...REFUSED_IPV4.flatMap((block) => [inIpv6('::', block), inIpv6('64:ff9b::', block), in6to4(block)]),
  'fe80::/10',
  'fd00:ec2::254',
  'ff00::/8',
]);

/** `::`, `10.0.0.0/8` -> `::10.0.0.0/104`. */
function inIpv6(prefix: string, block: string): string {
  const [address, bits] = block.split('/');
  return `${prefix}${address}/${96 + Number(bits)}`;
}

/** `10.0.0.0/8` -> `2002:a00:0::/24` (RFC 3056 2). */
function in6to4(block: string): string {
  const [address = '', bits] = block.split('/');
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return `2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::/${16 + Number(bits)}`;
}

const SELF = toBlockList(['127.0.0.0/8', '::1', '0.0.0.0/8', '::']);

function isOwnAddress(ip: string): boolean {
  if (SELF.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4')) return true;
  return Object.values(networkInterfaces()).some(
    (list) => list?.some((entry) => entry.address === ip) ?? false,
  );
}
