import { connect, type LookupFunction, type Socket } from 'node:net';

/** Development servers that listen on `localhost` take either of the two; IPv4 first, then IPv6. */
const LOOPBACK = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];
const lookupLoopback: LookupFunction = (_name, _options, found) => found(null, LOOPBACK);

/** Long enough that a busy app is not taken for a deaf one and passed over for the other address. */
const ATTEMPT_TIMEOUT_MS = 10_000;

/** Opens a connection to an app on this machine; half-open, so that one side can end and still listen. */
export function connectToApp(port: number): Socket {
  return connect({
    host: 'localhost',
    port,
    lookup: lookupLoopback,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT_MS,
    allowHalfOpen: true,
    noDelay: true,
  });
}
