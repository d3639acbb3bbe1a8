import type { IncomingMessage } from 'node:http';
import type { Session } from '../../links/session.repository.js';
import { CrossSiteRequestError } from '../sandbox-proxy.errors.js';
import type { CorsRule } from './cors.js';

/** Nothing happens by them (RFC 9110 9.2.1). */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
const FRAMES = new Set(['iframe', 'frame', 'embed', 'object', 'fencedframe']);
const ORIGIN = /^(https?):\/\/([^/]+)$/;
const DEFAULT_PORT = { http: ':80', https: ':443' } as const;

/** The use that a browser makes of its session. */
export interface SessionUse {
  readonly request: IncomingMessage;
  readonly isUpgrade: boolean;
  readonly isSecure: boolean;
  readonly cors: CorsRule | null;
}

/**
 * A browser sends its cookie whichever page asks, also one of a neighbour under the same domain. So a session may change
 * things, or open a WebSocket, only from a page of the sandbox itself or of an origin that its team has named; and the
 * sandbox is shown in a frame of another site only where the link says so.
 *
 * @throws CrossSiteRequestError
 */
export function checkSessionUse({ embed, allowedOrigins }: Session, use: SessionUse): void {
  const { request, isUpgrade, cors } = use;
  const { origin, 'sec-fetch-dest': destination, 'sec-fetch-site': site } = request.headers;
  if (!embed && FRAMES.has(String(destination)) && (site === 'cross-site' || site === 'same-site'))
    throw new CrossSiteRequestError(
      'this link does not allow the sandbox to be shown in a page of another site',
    );
  if (origin === undefined || (!isUpgrade && SAFE_METHODS.has(request.method as string))) return;
  if (isOwnOrigin(origin, use) || allowedOrigins.includes(origin) || cors?.allowedOrigin === origin) return;
  throw new CrossSiteRequestError();
}

/** Whether a page of that origin is one of the host that the request is for. */
function isOwnOrigin(origin: string, { request, isSecure }: SessionUse): boolean {
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
