import type { IncomingMessage } from 'node:http';

/**
 * Protocols in which a client would talk to the agent itself, past every rule of ours (and to any sandbox on that
 * host). Such an offer is ignored, as RFC 9110 7.8 allows, and the request served as a plain one.
 */
const NEVER_UPGRADED = /(^|[\s,])(h2c?|https?|tls)([\s,/]|$)/i;

/**
 * What is made of a client's offer to upgrade to another protocol: `ignored` where there is none, or none that may be
 * taken (an HTTP/1.0 client cannot upgrade, RFC 9110 7.8). An offer `with body` is refused: its body would arrive as the
 * first bytes of the tunnel, or as the next request (CVE-2026-58055).
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
