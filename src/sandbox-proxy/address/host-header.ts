import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import type { SandboxAddress, SandboxHostNames } from './sandbox-address.js';
import { InvalidHostError } from '../errors.js';

const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(.*)$/i;
const KNOWN_HOSTS = 10_000;

/** Step 1 of a request: reads its Host header. */
export class HostHeaders {
  /** Host headers whose sandbox was found. */
  private readonly known = new LRUCache<string, SandboxAddress>({ max: KNOWN_HOSTS });

  private lastHost = '';
  private lastAddress: SandboxAddress | null = null;

  constructor(private readonly names: SandboxHostNames) {}

  /**
   * The sandbox that the request is for, or null where it is not ours. A target in absolute form (RFC 9112 3.2.2) is
   * replaced by its path, if it names the same authority as the Host header.
   *
   * @throws InvalidHostError, InvalidPortError
   */
  addressOf(request: IncomingMessage): SandboxAddress | null {
    const host = this.hostOf(request.rawHeaders);
    const target = request.url as string;
    const isPath = target.charCodeAt(0) === 0x2f || target === '*';
    const address = host === null ? null : this.read(host);
    if (isPath || request.method === 'CONNECT') return address;
    const absolute = ABSOLUTE_FORM.exec(target);
    const authority = absolute?.[1] ?? '';
    if (authority.toLowerCase() === host?.toLowerCase()) {
      if (address !== null) request.url = originForm(absolute?.[2] ?? '');
      return address;
    }
    if (address !== null || this.names.parse(authority) !== null) {
      throw new InvalidHostError('the request target names another host than the Host header');
    }
    return null;
  }

  /**
   * Keeps what was read of a Host header, once its sandbox has been found. Not before: millions of made-up names would push
   * out those in use, and live just long enough to fill the heap's old generation.
   */
  keep(host: string, address: SandboxAddress): void {
    if (address.isKept) return;
    address.isKept = true;
    this.known.set(host, address);
  }

  /**
   * The Host header; of several that are not ours the first, as in Node.
   *
   * @throws InvalidHostError when there are several, and one of them names a sandbox (RFC 9112 3.2)
   */
  private hostOf(rawHeaders: readonly string[]): string | null {
    let host: string | null = null;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] as string;
      if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
      const value = rawHeaders[i + 1] as string;
      if (host !== null && (this.names.isOurs(host) || this.names.isOurs(value)))
        throw new InvalidHostError('a request must have exactly one Host header');
      host ??= value;
    }
    return host;
  }

  private read(host: string): SandboxAddress | null {
    // Requests for one sandbox come in runs, and comparing two strings is cheaper than looking one up.
    if (host === this.lastHost) return this.lastAddress;
    const address = this.known.get(host) ?? this.names.parse(host);
    if (address === null) return null;
    this.lastHost = host;
    this.lastAddress = address;
    return address;
  }
}

function originForm(pathAndQuery: string): string {
  return pathAndQuery.startsWith('/') ? pathAndQuery : `/${pathAndQuery}`;
}
