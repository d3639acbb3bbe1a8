import { decodeId } from '../../platform/identifiers/resource-id.js';

/** The target of a request to the agent: `/proxy/cl-…/3000/a?b` -> port 3000, path `/a?b`, prefix `/proxy/cl-…/3000`. */
export interface AgentTarget {
  /** `cl-…` */
  readonly sandboxId: string;
  readonly port: number;
  /** The request target for the app, byte for byte as it was after the prefix. */
  readonly path: string;
  readonly prefix: string;
}

const TARGET = /^(\/proxy\/([^/?#]+)\/([1-9]\d{0,4}))((?:[/?].*)?)$/s;

/**
 * Parses the target of a request to the agent. Nothing is decoded or normalised: with a URL class
 * `/proxy/a/80/../../b/80/` would name another sandbox.
 *
 * Null if it is not `/proxy/{sandbox id}/{port 1-65535}`, followed by nothing, a path or a query.
 */
export function parseAgentTarget(method: string, url: string): AgentTarget | null {
  const [, prefix, sandboxId, digits, rest] = TARGET.exec(url) ?? [];
  if (prefix === undefined || sandboxId === undefined || rest === undefined) return null;
  const port = Number(digits);
  if (port > 65_535 || decodeId('cl', sandboxId) === null) return null;
  // The `*` of `OPTIONS *` cannot follow a prefix, so it comes as `/*`.
  if (method === 'OPTIONS' && rest === '/*') return { sandboxId, port, path: '*', prefix };
  return { sandboxId, port, path: rest.startsWith('/') ? rest : `/${rest}`, prefix };
}

const OWN_ORIGIN = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::(\d+))?(?=$|[/?#])/i;

/**
 * An app's `Location` as the platform's agents pass it on: `/x` becomes `/proxy/{id}/{port}/x`, and so does
 * `http://localhost:{port}/x`, which is the app's own address. Anything else, `//other.example/x` too, stays as it is.
 */
export function prefixLocation(location: string, target: AgentTarget): string {
  const own = OWN_ORIGIN.exec(location);
  if (own && Number(own[1] ?? 80) === target.port) {
    const path = location.slice(own[0].length);
    return `${target.prefix}${path.startsWith('/') ? '' : '/'}${path}`;
  }
  const isOwnPath = location.startsWith('/') && !location.startsWith('//');
  return isOwnPath ? target.prefix + location : location;
}
