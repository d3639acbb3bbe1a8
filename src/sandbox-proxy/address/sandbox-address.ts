import { decodeId } from '../../platform/identifiers/resource-id.js';
import { InvalidHostError, InvalidPortError } from '../errors.js';

/**
 * What a host name says: a port of a sandbox. The id is checked for its form only later, after admission. One object
 * serves all requests that name an address in the same way, so what is worked out of it is kept on it.
 */
export class SandboxAddress {
  /** `/proxy/{sandboxId}/{port}`: where an agent has that port. */
  readonly agentPath: string;
  /** True once it is among the addresses that are kept between requests. */
  isKept = false;
  /** What log lines say of requests to it, by the last team that asked, who is nearly always the next. */
  logSubject: { readonly teamId: string | null; readonly text: string } | null = null;
  #uuid: string | null | undefined = undefined;

  /**
   * @param sandboxId lower case, e.g. `cl-0000000000000000000000001`
   * @param hostname the whole host name, lower case, without port and trailing dot
   */
  constructor(
    readonly port: number,
    readonly sandboxId: string,
    readonly hostname: string,
  ) {
    this.agentPath = `/proxy/${sandboxId}/${port}`;
  }

  /** The UUID behind the sandbox id; null where the id decodes to nothing. */
  get sandboxUuid(): string | null {
    if (this.#uuid === undefined) this.#uuid = decodeId('cl', this.sandboxId);
    return this.#uuid;
  }
}

const LABEL = /^(\d+)-(cl-[0-9a-z]+)\./;
/** A DNS name (253) with a trailing dot and a port: what is longer names nothing, and would only fill caches. */
const MAX_HOST_CHARACTERS = 260;
const AUTHORITY = /^([0-9a-z._-]+?)\.?(?::\d{0,5})?$/;
const EMPTY_LABEL = /^\.|\.\.|\.$/;

/**
 * Reads the Host header: `49999-cl-….example.com:8443` -> port 49999 of `cl-…`.
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
  return new SandboxAddress(port, label[2] as string, hostname);
}
