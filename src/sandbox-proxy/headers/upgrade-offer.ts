import type { IncomingMessage } from 'node:http';

/**
 * Protocols in which a client would talk to the agent itself, and so, without our rules, to any sandbox on that host. An
 * offer of them is ignored, as RFC 9110 7.8 allows, and the request is served as a plain one.
 */
const NEVER_UPGRADED = /(^|[\s,])(h2c?|https?|tls)([\s,/]|$)/i;

/**
 * How the proxy treats a client's offer to upgrade to another protocol. `ignored`: there is no offer, or none that may
 * be taken (an HTTP/1.0 client cannot upgrade, RFC 9110 7.8). `with body`: the request is refused, because its body
 * would arrive as the first bytes of the tunnel, or as the next request (CVE-2026-58055).
 */
export function upgradeOfferOf({
  headers,
  httpVersionMinor,
}: IncomingMessage): 'ignored' | 'with body' | 'taken' {
  const { upgrade, connection } = headers;
  if (upgrade === undefined || httpVersionMinor === 0 || NEVER_UPGRADED.test(upgrade)) return 'ignored';
  if (!/(^|[\s,])upgrade([\s,]|$)/i.test(connection ?? '')) return 'ignored';
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return hasBody ? 'with body' : 'taken';
}
