import type { SandboxIds } from '../contracts/sandbox-ids.js';
import { DirectoryUnavailableError, InvalidHostError, InvalidPortError } from '../errors.js';

/**
 * A port of a sandbox, as named by a host name. One object serves all requests with the same Host header, so what is
 * derived from it is kept on it.
 */
export class SandboxAddress {
  /** `/proxy/{sandboxId}/{port}`: the path of that port at an agent. */
  readonly agentPath: string;
  /** As browsers write them: the usual port of the scheme is left out. */
  private readonly origins: { readonly http: string; readonly https: string };
  /** The port, if the host name writes it as browsers do, without zeros in front; otherwise null. */
  private readonly ownPort: number | null;
  /** True once `HostHeaders` keeps it between requests. */
  isKept = false;

  /**
   * @param sandboxId lower case, e.g. `cl-0000000000000000000000001`
   * @param hostname the whole host name, lower case, without port and trailing dot
   * @param hasValidId false where the id is not well formed; only a client that is admitted is told so
   * @param listenerPort the port that the Host header names after the host name, `8000`; `''`: none
   */
  constructor(
    readonly port: number,
    readonly sandboxId: string,
    readonly hostname: string,
    readonly hasValidId: boolean,
    listenerPort = '',
  ) {
    this.ownPort = hostname.startsWith(`${port}-`) ? port : null;
    this.agentPath = `/proxy/${sandboxId}/${port}`;
    const of = (usual: string): string =>
      listenerPort === '' || listenerPort === usual ? hostname : `${hostname}:${listenerPort}`;
    this.origins = { http: `http://${of('80')}`, https: `https://${of('443')}` };
  }

  /** The origin of this port's pages: `https://3000-cl-….example.com`. */
  origin(scheme: 'http' | 'https'): string {
    return this.origins[scheme];
  }

  /** The origin of the pages of another port of the same sandbox. */
  originAt(port: number, scheme: 'http' | 'https'): string {
    return `${scheme}://${port}${this.behindPort(scheme)}`;
  }

  /**
   * Whether pages of that origin are pages of this sandbox, and of which of its ports. Browsers write an origin in one way
   * only, so any other spelling is foreign. A client that is not known to have come by HTTPS may have done so all the same.
   *
   * @returns null if they are not
   */
  portOfOrigin(origin: string, isSecure: boolean): number | null {
    const { origins, ownPort } = this;
    if (origin === origins.https || (!isSecure && origin === origins.http)) return ownPort;
    const scheme = origin.startsWith('https://') ? 'https' : 'http';
    if (scheme === 'http' && (isSecure || !origin.startsWith('http://'))) return null;
    const start = scheme.length + 3;
    const dash = origin.indexOf('-', start);
    if (dash === -1 || !origin.endsWith(this.behindPort(scheme))) return null;
    const digits = origin.slice(start, dash);
    if (dash + this.behindPort(scheme).length !== origin.length || !PORT.test(digits)) return null;
    const port = Number(digits);
    return port <= 65_535 ? port : null;
  }

  /** `-cl-….example.com:8000` */
  private behindPort(scheme: 'http' | 'https'): string {
    const origin = this.origins[scheme];
    return origin.slice(origin.indexOf('-'));
  }
}

/** As browsers write it in an origin. */
const PORT = /^[1-9]\d{0,4}$/;

/** A DNS name (253) with a trailing dot and a port. A longer one names nothing and would only fill caches. */
const MAX_HOST_CHARACTERS = 260;
const AUTHORITY = /^([0-9a-z._-]+?)\.?(?::(\d{0,5}))?$/;
const EMPTY_LABEL = /^\.|\.\.|\.$/;

/** Reads host names of the form `{port}-{sandboxId}.{domain}`. */
export class SandboxHostNames {
  private readonly label: RegExp;

  /** @param domains lower case; empty: any domain is ours */
  constructor(
    private readonly ids: SandboxIds,
    private readonly domains: readonly string[],
  ) {
    this.label = new RegExp(`^(\\d+)-(${ids.hostPattern})\\.`);
  }

  /** True for a host name that is ours, even if it is malformed. */
  isOurs(host: string): boolean {
    try {
      return this.parse(host) !== null;
    } catch {
      return true;
    }
  }

  /**
   * `49999-cl-….example.com:8443` -> port 49999 of `cl-…`. Letter case, an explicit port and a trailing dot do not
   * matter. Null means "not ours": a name of another form, or under another domain.
   *
   * @throws InvalidPortError when the port is not within 1-65535.
   * @throws InvalidHostError when the name is ours and has junk around it (userinfo, a port that is not a number, spaces).
   */
  parse(host: string): SandboxAddress | null {
    const { label, domains } = this;
    const lower = host.toLowerCase();
    const match = label.exec(lower);
    if (match === null) {
      if (lower.includes('@') && label.test(lower.slice(lower.lastIndexOf('@') + 1)))
        throw new InvalidHostError();
      return null;
    }
    const authority = AUTHORITY.exec(lower);
    if (authority === null) throw new InvalidHostError();
    const hostname = authority[1] as string;
    const domain = hostname.slice(match[0].length);
    if (domain === '') return null;
    if (EMPTY_LABEL.test(domain)) throw new InvalidHostError();
    if (domains.length > 0 && !domains.includes(domain)) return null;
    const digits = match[1] as string;
    const port = digits.length > 5 ? 0 : Number(digits);
    if (port < 1 || port > 65_535) throw new InvalidPortError();
    if (lower.length > MAX_HOST_CHARACTERS) throw new InvalidHostError();
    const sandboxId = match[2] as string;
    return new SandboxAddress(port, sandboxId, hostname, this.isWellFormed(sandboxId), authority[2]);
  }

  private isWellFormed(sandboxId: string): boolean {
    try {
      const isWellFormed: unknown = this.ids.isWellFormed(sandboxId);
      if (typeof isWellFormed === 'boolean') return isWellFormed;
    } catch (error) {
      throw new DirectoryUnavailableError(error);
    }
    throw new DirectoryUnavailableError(new TypeError('SandboxIds.isWellFormed() gave no boolean'));
  }
}
