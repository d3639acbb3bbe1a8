import type { ErrorFields, SessionEnd } from '../errors.js';
import type { ProxyErrorCode } from '../error-status.js';

/** What the page of an error tells a person. Plain text: the page escapes it. */
export interface ErrorAdvice {
  /** What is wrong, as a heading, e.g. `The sandbox is paused`. */
  readonly title: string;
  /** What to do next, one or two sentences. */
  readonly advice: string;
  /** The page tries again after this time, in seconds; only for errors that may pass by themselves. */
  readonly retrySeconds?: number;
}

/** Not sooner than any `Retry-After`, and seldom enough for pages that are left open overnight. */
const RETRY_SECONDS = 5;

/** A code that is missing here does not compile. */
const ADVICE: Readonly<Record<ProxyErrorCode, ErrorAdvice>> = {
  invalid_port: {
    title: 'This address names no valid port',
    advice: 'The host name begins with the port and the sandbox, as in "3000-cl-…". Correct the port.',
  },
  invalid_sandbox_id: {
    title: 'This address names no valid sandbox',
    advice: 'A character may be missing. Copy the whole address again from where you found it.',
  },
  invalid_path: {
    title: 'This path cannot be opened',
    advice: 'Correct the part of the address that follows the host name.',
  },
  invalid_host: {
    title: 'This address is not valid',
    advice: 'Copy the whole address again from where you found it.',
  },
  invalid_request: {
    title: 'This request cannot be passed on',
    advice:
      'Open the address again. If an extension or a proxy changes what your browser sends, try without it.',
  },
  unauthorized: {
    title: 'This is a private port of a sandbox',
    advice:
      'To see it in a browser, open a preview link from the team that owns the sandbox. ' +
      "A program must send that team's API key in the header X-API-Key.",
  },
  session_ended: {
    title: 'Your access to this sandbox has ended',
    advice: 'Ask whoever sent you the link for a new one, and open that.',
  },
  cross_site_request: {
    title: 'This request came from another site',
    advice:
      'Another site may not act here in your name. If you meant to open this page, type its address into the address bar.',
  },
  port_denied: {
    title: 'This port cannot be reached from outside',
    advice:
      'If the sandbox is yours, serve the app on another port and open that one. Otherwise ask the team that owns it.',
  },
  sandbox_not_found: {
    title: 'There is no such sandbox',
    advice:
      'Check the address. The sandbox may have been deleted, ' +
      'or it belongs to a team other than that of your link or key.',
  },
  sandbox_not_running: {
    title: 'The sandbox is not running',
    advice: 'Start it, or ask the team that owns it to, and reload this page.',
  },
  too_many_lookups: {
    title: 'Too many requests for sandboxes that do not exist',
    advice:
      'Your team has asked for many of them in a short time. Check the address, wait a moment, and reload.',
  },
  limit_exceeded: {
    title: 'Too many at a time',
    advice: 'Many visitors come at this moment. Nothing is wrong with your link or your sandbox.',
    retrySeconds: RETRY_SECONDS,
  },
  sandbox_busy: {
    title: 'The sandbox is busy',
    advice: 'Every connection to it is in use. Close other pages of this sandbox, if you can.',
    retrySeconds: RETRY_SECONDS,
  },
  proxy_busy: {
    title: 'This server is busy',
    advice: 'Too many connections are open at the moment. Nothing is wrong with your sandbox.',
    retrySeconds: RETRY_SECONDS,
  },
  request_timeout: {
    title: 'This request took too long',
    advice: 'Open the address again, over a faster connection if you can.',
  },
  headers_too_large: {
    title: 'This request is too large',
    advice:
      'Its headers are larger than this server accepts. Delete the cookies of this site, and open the address again.',
  },
  host_unavailable: {
    title: "The sandbox's host is not available",
    advice:
      'The machine that runs this sandbox cannot be used at the moment. If this lasts, start a new sandbox.',
    retrySeconds: RETRY_SECONDS,
  },
  directory_unavailable: {
    title: 'Sandboxes cannot be looked up',
    advice:
      'The directory of keys and sandboxes does not answer. Nothing is wrong with your sandbox or your key.',
    retrySeconds: RETRY_SECONDS,
  },
  upstream_unreachable: {
    title: "The sandbox's host does not answer",
    advice:
      'The machine that runs this sandbox cannot be reached at the moment. The app in the sandbox is not the cause.',
    retrySeconds: RETRY_SECONDS,
  },
  upstream_invalid_response: {
    title: 'The answer cannot be read',
    advice: 'Reload this page. If that does not help, check that the app on this port speaks plain HTTP.',
  },
  app_forces_https: {
    title: 'The app insists on HTTPS',
    advice:
      'It sends its visitors to HTTPS on its own machine, where nobody else can follow. Let it see its address from outside: ' +
      'the team that owns the sandbox sets appHost "external" for this port. Or switch the redirect off in the app.',
  },
  upstream_timeout: {
    title: 'The sandbox takes too long',
    advice:
      'Reload this page in a moment. If that does not help, check whether the app in the sandbox is stuck.',
  },
  internal_error: {
    title: 'Something went wrong on our side',
    advice: 'Reload this page. If that does not help, report the request id below.',
  },
  shutting_down: {
    title: 'This server is restarting',
    advice: 'Another one takes over. Nothing is wrong with your sandbox.',
    retrySeconds: RETRY_SECONDS,
  },
};

/** By status: what to do about a sandbox that does not run. */
const NOT_RUNNING = {
  pending: {
    title: 'The sandbox is about to start',
    advice: 'It is waiting for a host. You do not have to do anything.',
    retrySeconds: RETRY_SECONDS,
  },
  starting: {
    title: 'The sandbox is starting',
    advice: 'It will be ready in a moment. You do not have to do anything.',
    retrySeconds: RETRY_SECONDS,
  },
  paused: {
    title: 'The sandbox is paused',
    advice: 'Resume it, or ask the team that owns it to, and reload this page.',
  },
  hibernated: {
    title: 'The sandbox is hibernated',
    advice: 'Wake it up, or ask the team that owns it to, and reload this page.',
  },
  stopped: {
    title: 'The sandbox is stopped',
    advice: 'Start it again, or ask the team that owns it to, and reload this page.',
  },
  missing: {
    title: 'The sandbox is missing',
    advice: 'Its host does not have it any more. Start a new sandbox, which will have another address.',
  },
  error: {
    title: 'The sandbox has failed',
    advice:
      'It stopped because of an error. Start it again, or start a new one, which will have another address.',
  },
} satisfies Record<string, ErrorAdvice>;

const ASK_ANEW = 'Ask whoever sent you the link for a new one, and open that.';
const OPEN_AGAIN = 'Open the link again. If that does not help, ask whoever sent it to you for a new one.';

/** By reason: what has become of a visitor's access. */
const ENDED: Readonly<Record<SessionEnd, ErrorAdvice>> = {
  expired: { title: 'Your access to this sandbox has expired', advice: ASK_ANEW },
  revoked: {
    title: 'Your access to this sandbox was taken back',
    advice: `The team that owns it has revoked the link. ${ASK_ANEW}`,
  },
  used: {
    title: 'This link has been used',
    advice: `It works once, in one browser: open the sandbox there. Otherwise: ${ASK_ANEW}`,
  },
  paused: { title: 'Your access has ended, because the sandbox was paused', advice: OPEN_AGAIN },
  replaced: { title: 'Your access has ended, because the link was opened very often', advice: OPEN_AGAIN },
};

/** @param fields those of the error: `status` says why a sandbox does not run, `reason` why access has ended */
export function adviceFor(code: ProxyErrorCode, { status, reason }: ErrorFields): ErrorAdvice {
  if (code === 'sandbox_not_running' && isOneOf(NOT_RUNNING, status)) return NOT_RUNNING[status];
  if (code === 'session_ended' && isOneOf(ENDED, reason)) return ENDED[reason];
  return ADVICE[code];
}

/** A status comes from the database and may be any text, `constructor` for example. */
function isOneOf<Name extends string>(
  known: Readonly<Record<Name, ErrorAdvice>>,
  name: ErrorFields[string] | undefined,
): name is Name {
  return typeof name === 'string' && Object.hasOwn(known, name);
}

/**
 * What to do about an error that the host agent itself answered.
 *
 * @param code e.g. `app_unreachable`; agents may have codes that are not known here
 */
export function agentAdvice(code: string, status: number, port: number): ErrorAdvice {
  switch (code) {
    case 'app_unreachable':
      return {
        title: `Nothing answers on port ${port}`,
        advice:
          `The sandbox runs, but no server answers on its port ${port}. Start your server on port ${port}. ` +
          'If it is running, check its port; on some hosts it must listen on 0.0.0.0 and not only on localhost.',
        retrySeconds: RETRY_SECONDS,
      };
    case 'app_broken_response':
      return {
        title: `The app on port ${port} gave no valid answer`,
        advice:
          'It hung up, or it does not speak plain HTTP. Look at its output in the sandbox, and reload this page.',
      };
    case 'port_denied':
      return {
        title: `Port ${port} cannot be reached from outside`,
        advice: "It belongs to the sandbox's host. Serve the app on another port, and open that one.",
      };
    case 'unauthorized':
      return {
        title: "The sandbox's host does not know this server",
        advice: 'Nothing is wrong with your sandbox or your key. Report the code and the request id below.',
      };
    case 'sandbox_not_found':
      return {
        title: 'The sandbox is not on the host where it should be',
        advice: 'It may be moving to another one. Reload this page in a moment, or restart the sandbox.',
      };
    case 'bad_request':
      return {
        title: "The sandbox's host cannot read this request",
        advice: 'Check the part of the address that follows the host name.',
      };
    default:
      return unknownAgentAdvice(status);
  }
}

/** Agents answer 502 and 503 for what may pass, e.g. when a sandbox has just moved to another host. */
function unknownAgentAdvice(status: number): ErrorAdvice {
  const report = 'If this lasts, report the code and the request id below.';
  return status === 502 || status === 503
    ? { title: 'The sandbox cannot be reached', advice: report, retrySeconds: RETRY_SECONDS }
    : { title: "The sandbox's host refused this request", advice: `Reload this page. ${report}` };
}
