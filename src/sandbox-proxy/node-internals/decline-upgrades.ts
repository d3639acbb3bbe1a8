import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { acceptEvent } from './accept-event.js';
import { stopReading } from './stop-reading.js';

/** How many bytes were parsed, or the error. */
type Parsed = number | Error;

/** Node's parser of one connection. The callbacks that native code calls have numbers as names. */
interface Parser {
  /** Serves a request whose head has been parsed; `request.upgrade` then says whether it offers an upgrade. */
  onIncoming(this: void, request: IncomingMessage, shouldKeepAlive: boolean): number;
  execute(bytes: Buffer): Parsed;
  /** A copy of the bytes that were parsed last. */
  getCurrentBuffer(): Buffer;
  [callback: number]: ((parsed: Parsed) => void) | null;
}

type Connection = Socket & {
  readonly parser: Parser | null;
  /** True while Node does not read on, because the client has not taken what waits for it. */
  readonly _paused: boolean;
};

type Offer = IncomingMessage & { upgrade: boolean };

/**
 * Declines an offer to upgrade that nobody wants: the request is served as the plain one that it also is, and what the
 * client sends after it as the next request. Once somebody listens for 'upgrade', Node by itself takes every connection
 * with such an offer off HTTP for good, even for the `h2c` that some clients put on each first request. (Its
 * `shouldUpgradeCallback`, from Node 22.21 on, declines as well. But then, as in all versions without a listener, Node
 * drops what came after such a request in the same read, and parses the next read as if nothing were missing.)
 *
 * To be called before the first connection.
 *
 * @param declines never asked about CONNECT
 * @param isOver asked after each declined request: true where nobody wants what comes after it
 */
export function declineUpgrades(
  server: Server,
  declines: (request: IncomingMessage) => boolean,
  isOver: (socket: Socket) => boolean = () => false,
): void {
  server.on(acceptEvent(server), (socket: Connection) => {
    if (socket.parser !== null) watch(socket, socket.parser, declines, isOver);
  });
}

function watch(
  socket: Connection,
  parser: Parser,
  declines: (request: IncomingMessage) => boolean,
  isOver: (socket: Socket) => boolean,
): void {
  const { onIncoming } = parser;
  const index = executedCallbackOf(parser);
  const onExecuted = parser[index] as (parsed: Parsed) => void;
  /** The request whose offer was declined; null again once the head of the next request has been parsed. */
  let declined: IncomingMessage | null = null;
  /** True once the parser has stopped at the end of that request, as it does once. */
  let isPastEnd = false;

  parser.onIncoming = (request, shouldKeepAlive) => {
    const offer = request as Offer;
    declined = null;
    if (offer.upgrade && request.method !== 'CONNECT' && declines(request)) {
      offer.upgrade = false;
      declined = request;
      isPastEnd = false;
    }
    return onIncoming(request, shouldKeepAlive);
  };

  /** Lets Node go on after these bytes have been parsed, and returns those that come after a declined request. */
  const goOn = (bytes: Buffer, parsed: Parsed): Buffer => {
    const hasStopped = declined !== null && typeof parsed === 'number' && parsed < bytes.length;
    const isAtEnd = declined?.complete === true && !isPastEnd;
    isPastEnd ||= isAtEnd;
    // The parser still takes anything that is not a request for bytes of the offered protocol.
    onExecuted(hasStopped && !isAtEnd ? malformed() : parsed);
    return hasStopped && isAtEnd ? bytes.subarray(parsed) : NOTHING;
  };
  const parse = (bytes: Buffer) => {
    let rest = bytes;
    let inTurn = 0;
    while (rest.length > 0 && socket.parser === parser && !socket.destroyed && !isOver(socket)) {
      if (socket._paused) return parseLater(rest);
      if (inTurn++ === MAX_IN_TURN) return parseNextTurn(rest);
      const now = rest;
      const parsed = parser.execute(now);
      // Node reads from here the first bytes of an upgrade that is not declined.
      parser.getCurrentBuffer = () => now;
      rest = goOn(now, parsed);
      Reflect.deleteProperty(parser, 'getCurrentBuffer');
    }
  };
  const parseNextTurn = (rest: Buffer) => {
    const readAgain = stopReading(socket);
    setImmediate(() => {
      readAgain();
      parse(rest);
    });
  };
  const parseLater = (rest: Buffer) => {
    // 'resume' is also emitted while Node is still paused, and then means nothing.
    const onResume = () => {
      if (socket._paused) return;
      socket.off('resume', onResume);
      parse(rest);
    };
    socket.on('resume', onResume);
  };
  parser[index] = (parsed) => {
    if (declined === null) onExecuted(parsed);
    else parse(goOn(parser.getCurrentBuffer(), parsed));
  };
}

/** Requests of one connection that are served in one turn of the event loop; others have theirs in between. */
const MAX_IN_TURN = 8;

const NOTHING = Buffer.alloc(0);

function malformed(): Error {
  return Object.assign(new Error(), { code: 'HPE_INVALID_METHOD', reason: 'Expected a request' });
}

/** The index of the callback after each read, which is one of Node's own functions. */
function executedCallbackOf(parser: Parser): number {
  for (let index = 0; index < 16; index++) {
    if (parser[index]?.name === 'bound onParserExecute') return index;
  }
  throw new Error(`Node ${process.version} parses requests in a way that is not known here`);
}
