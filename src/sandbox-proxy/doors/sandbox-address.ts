import { InvalidHostError, InvalidPortError } from '../sandbox-proxy.errors.js';

/** What a host name says: a port of a sandbox. The id is checked for its form only later, after admission. */
export interface SandboxAddress {
  readonly port: number;
  /** Lower case, e.g. `cl-0000000000000000000000001`. */
  readonly sandboxId: string;
  /** The whole host name, lower case, without port and trailing dot. */
  readonly hostname: string;
  /** `/proxy/{sandboxId}/{port}`: where an agent has that port. */
  readonly agentPath: string;
}

const LABEL = /^(\d+)-(cl-[0-9a-z]+)\./;
/** A DNS name (253) with a trailing dot and a port: what is longer names nothing, and would only fill caches. */
const MAX_HOST_CHARACTERS = 260;
const AUTHORITY = /^([0-9a-z._-]+?)\.?(?::\d{0,5})?$/;
const EMPTY_LABEL = /^\.|\.\.|\.$/;

/**
 * Reads the Host header: `49999-cl-….example.com:8443` -> `{ port: 49999, sandboxId: 'cl-…', hostname }`.
 * Letter case, an explicit port and a trailing dot do not matter. Null means "not ours": another name, or a
 * domain that is not in `domains` (empty: every domain is).
 *
 * @throws InvalidPortError when the port is not within 1-65535.
 * @throws InvalidHostError when the name is ours and followed by junk (userinfo, a port that is no number, spaces).
 */
export function parseSandboxHost(host: string, domains: readonly string[]): SandboxAddress | null {
  const lower = host.toLowerCase();
  const label = LABEL.exec(lower);
  if (label === null) {
    if (lower.includes('@') && LABEL.test(lower.slice(lower.lastIndexOf('@') + 1)))
      throw new InvalidHostError();
    return null;
  }
  const authority = AUTHORITY.exec(lower);
  if (authority === null) throw new InvalidHostError();
  const hostname = authority[1] as string;
  const domain = hostname.slice(label[0].length);
  if (domain === '') return null;
  if (EMPTY_LABEL.test(domain)) throw new InvalidHostError();
  if (domains.length > 0 && !domains.includes(domain)) return null;
  const digits = label[1] as string;
  const port = digits.length > 5 ? 0 : Number(digits);
  if (port < 1 || port > 65_535) throw new InvalidPortError();
  if (lower.length > MAX_HOST_CHARACTERS) throw new InvalidHostError();
  const sandboxId = label[2] as string;
  return { port, sandboxId, hostname, agentPath: `/proxy/${sandboxId}/${port}` };
}
