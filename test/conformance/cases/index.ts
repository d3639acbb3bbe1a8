import type { Case } from '../harness/case.js';
import { advisories } from './advisories.js';
import { agentAddresses } from './agent-addresses.js';
import { badUpstream } from './bad-upstream.js';
import { broken } from './broken.js';
import { cookies } from './cookies.js';
import { credentials } from './credentials.js';
import { directory } from './directory.js';
import { errors } from './errors.js';
import { floods } from './floods.js';
import { goReverseProxyConnections } from './go-reverseproxy-connections.js';
import { goReverseProxy } from './go-reverseproxy.js';
import { hosts } from './hosts.js';
import { interim } from './interim.js';
import { knownIssues } from './known-issues.js';
import { limits } from './limits.js';
import { pathsExact } from './paths-exact.js';
import { paths } from './paths.js';
import { pipelining } from './pipelining.js';
import { poolBounds } from './pool-bounds.js';
import { pool } from './pool.js';
import { regressions } from './regressions.js';
import { requestFraming } from './request-framing.js';
import { requestHeaders } from './request-headers.js';
import { responseFraming } from './response-framing.js';
import { responseHeaders } from './response-headers.js';
import { smuggling, smugglingUpgrades } from './smuggling.js';
import { trailers } from './trailers.js';
import { websocketEnds } from './websocket-ends.js';
import { websocketFrames } from './websocket-frames.js';
import { websocketLife } from './websocket-life.js';
import { websocket } from './websocket.js';

/** Every case of the suite, in the order in which they are listed. */
export const ALL_CASES: readonly Case[] = [
  ...requestHeaders,
  ...responseHeaders,
  ...requestFraming,
  ...responseFraming,
  ...interim,
  ...pipelining,
  ...trailers,
  ...badUpstream,
  ...smuggling,
  ...smugglingUpgrades,
  ...paths,
  ...hosts,
  ...agentAddresses,
  ...credentials,
  ...cookies,
  ...errors,
  ...broken,
  ...pool,
  ...websocket,
  ...websocketEnds,
  ...websocketFrames,
  ...advisories,
  ...goReverseProxy,
  ...goReverseProxyConnections,
  ...knownIssues,
  ...limits,
  ...poolBounds,
  ...websocketLife,
  ...directory,
  ...pathsExact,
  ...floods,
  ...regressions,
];
