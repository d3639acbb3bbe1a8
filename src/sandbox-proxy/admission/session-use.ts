import type { IncomingMessage } from 'node:http';
import type { AdmissionRequest } from '../contracts/credential-scheme.js';
import type { Session } from '../contracts/session-store.js';
import { CrossSiteRequestError } from '../errors.js';

/** Methods that change nothing (RFC 9110 9.2.1). */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
const FRAMES = new Set(['iframe', 'frame', 'embed', 'object', 'fencedframe']);
const ORIGIN = /^(https?):\/\/([^/]+)$/;
const DEFAULT_PORT = { http: ':80', https: ':443' } as const;

/**
 * Why a request may not use the session. A browser sends its cookie whichever page asks, even a page of a neighbour
 * under the same domain. So only pages of the sandbox itself, or of an origin that its team has named, may change
 * things or open a WebSocket; pages of another port of the sandbox may do nothing unless the link is for that port too; and pages of other origins may show the sandbox in a frame, or run its scripts, only if
 * the link says so.
 *
 * @param allowedOrigin the request's origin, if the team has allowed it at this port
 * @returns null if the request may use the session
 */
export function refusalOfSessionUse(
  { embed, allowedOrigins, ports = [] }: Session,
  use: AdmissionRequest,
  allowedOrigin: string | null,
): CrossSiteRequestError | null {
  const { request, isUpgrade, pageOfPort, port } = use;
  const { headers } = request;
  const { origin, 'sec-fetch-site': site } = headers;
  if (!embed && (site === 'cross-site' || site === 'same-site') && isUsedInPage(headers))
    return new CrossSiteRequestError(
      'this link does not allow the sandbox to be used in a page of another origin',
    );
  if (origin === undefined || allowedOrigins.includes(origin) || allowedOrigin === origin) return null;
  // An app allows the pages of its sandbox's other ports to read, as on localhost, so even a GET has to be named.
  if (pageOfPort !== null && pageOfPort !== port)
    return ports.includes(pageOfPort) ? null : new CrossSiteRequestError();
  if ((!isUpgrade && SAFE_METHODS.has(request.method as string)) || isOfOwnPage(use)) return null;
  return new CrossSiteRequestError();
}

/** Whether a page of the sandbox itself asks, as far as its `Origin` says so. */
export function isOfOwnPage(use: Pick<AdmissionRequest, 'request' | 'isSecure'>): boolean {
  const { origin, 'sec-fetch-site': site } = use.request.headers;
  if (origin === undefined) return false;
  // A page that gives nobody its address, not even itself; no page can forge the other field.
  if (origin === 'null') return site === 'same-origin';
  return isOwnOrigin(origin, use);
}

/** A frame, or a script, image or the like, which runs or is measured there, and which no CORS rule is asked about. */
function isUsedInPage(headers: IncomingMessage['headers']): boolean {
  return FRAMES.has(String(headers['sec-fetch-dest'])) || headers['sec-fetch-mode'] === 'no-cors';
}

/** Whether a page of that origin is one of the host that the request is for. */
function isOwnOrigin(
  origin: string,
  { request, isSecure }: Pick<AdmissionRequest, 'request' | 'isSecure'>,
): boolean {
  const match = ORIGIN.exec(origin.toLowerCase());
  if (match === null) return false;
  const [, scheme, authority] = match as unknown as [string, 'http' | 'https', string];
  if (isSecure && scheme !== 'https') return false;
  const own = (request.headers.host as string).toLowerCase();
  return withoutPort(authority, scheme) === withoutPort(own, scheme);
}

function withoutPort(authority: string, scheme: 'http' | 'https'): string {
  const port = DEFAULT_PORT[scheme];
  return authority.endsWith(port) ? authority.slice(0, -port.length) : authority;
}
