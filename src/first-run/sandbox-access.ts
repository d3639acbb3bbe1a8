import type { Configuration } from '../config/configuration.js';

/** How a client on this machine reaches a port of a sandbox. */
export interface SandboxAccess {
  /** `http://{port}-cl-….localhost:8000` */
  readonly urlTemplate: string;
  /** curl's arguments for the root page of `port`, less the key: a URL, or a Host header and a URL where names do not lead here. */
  curlArguments(port: number): string;
}

/** Addresses to listen on that a name below `localhost` leads to, as curl and browsers resolve it by themselves. */
const REACHED_BY_LOCALHOST = new Set(['127.0.0.1', '::1', 'localhost', '0.0.0.0', '::']);

/** @param port where the control plane really listens, which `PORT=0` does not say */
export function sandboxAccess(
  { HOST, PUBLIC_URL, SANDBOX_DOMAINS }: Pick<Configuration, 'HOST' | 'PUBLIC_URL' | 'SANDBOX_DOMAINS'>,
  port: number,
  sandboxId: string,
): SandboxAccess {
  if (PUBLIC_URL !== undefined) {
    const [scheme = '', authority = ''] = PUBLIC_URL.replace(/\/$/, '').split('://');
    return direct((sandboxPort) => `${scheme}://${sandboxPort}-${sandboxId}.${authority}`);
  }
  const domain = SANDBOX_DOMAINS[0] ?? 'localhost';
  const suffix = port === 80 ? '' : `:${port}`;
  const access = direct((sandboxPort) => `http://${sandboxPort}-${sandboxId}.${domain}${suffix}`);
  if (/(^|\.)localhost$/.test(domain) && REACHED_BY_LOCALHOST.has(HOST)) return access;
  const address = `http://${reachableAddress(HOST)}${suffix}/`;
  const hostHeader = (sandboxPort: number) => `Host: ${sandboxPort}-${sandboxId}.${domain}`;
  return { ...access, curlArguments: (sandboxPort) => `-H '${hostHeader(sandboxPort)}' ${address}` };
}

function direct(url: (sandboxPort: number | '{port}') => string): SandboxAccess {
  return { urlTemplate: url('{port}'), curlArguments: (port) => `${url(port)}/` };
}

/** An address to connect to for the one listened on: `0.0.0.0` -> `127.0.0.1`, `::1` -> `[::1]`. */
export function reachableAddress(host: string): string {
  const address = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  return address.includes(':') ? `[${address}]` : address;
}
