import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { acceptEvent } from './accept-event.js';

/** How many bytes were parsed, or what was wrong with them. */
type Parsed = number | Error;

/** Node's parser of one connection. Its callbacks for V8 have numbers for names. */
interface Parser {
  /** Serves a request whose head is in; its `upgrade` says by then whether the client offers one. */
  onIncoming(this: void, request: IncomingMessage, shouldKeepAlive: boolean): number;
  execute(bytes: Buffer): Parsed;
  /** A copy of the bytes that have just been parsed. */
  getCurrentBuffer(): Buffer;
  [callback: number]: ((parsed: Parsed) => void) | null;
}

type Connection = Socket & {
  readonly parser: Parser | null;
  /** Node reads no further until the client has taken what waits for it. */
  readonly _paused: boolean;
};

type Offer = IncomingMessage & { upgrade: boolean };

/**
 * Serves a request whose offer of an upgrade nobody wants as the plain request it also is, and what the client sends
 * behind it as the next. By itself Node takes every such request off HTTP for good once somebody listens for 'upgrade':
 * also the `h2c` that some clients put on each first request. (Its `shouldUpgradeCallback`, from Node 22.21 on, declines
 * as well; but then, as in all versions without a listener, Node drops what came behind such a request in one read, and
 * parses the next read as if nothing were missing.)
 *
 * To be called before the first connection.
 *
 * @param declines never asked about CONNECT
 */
export function declineUpgrades(server: Server, declines: (request: IncomingMessage) => boolean): void {
  server.on(acceptEvent(server), (socket: Connection) => {
    if (socket.parser !== null) watch(socket, socket.parser, declines);
  });
}

function watch(socket: Connection, parser: Parser, declines: (request: IncomingMessage) => boolean): void {
  const { onIncoming } = parser;
  const index = executedCallbackOf(parser);
  const onExecuted = parser[index] as (parsed: Parsed) => void;
  /** Until the head of the next request is in. */
  let declined: IncomingMessage | null = null;
  /** The parser has stopped there, as it does once. */
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

  /** Lets Node go on after these bytes have been parsed; returns those behind a declined request. */
  const goOn = (bytes: Buffer, parsed: Parsed): Buffer => {
    const hasStopped = declined !== null && typeof parsed === 'number' && parsed < bytes.length;
    const isAtEnd = declined?.complete === true && !isPastEnd;
    isPastEnd ||= isAtEnd;
    // The parser still takes all that is no request for the protocol that was offered.
    onExecuted(hasStopped && !isAtEnd ? malformed() : parsed);
    return hasStopped && isAtEnd ? bytes.subarray(parsed) : NOTHING;
  };
  const parse = (bytes: Buffer) => {
    let rest = bytes;
    while (rest.length > 0 && socket.parser === parser && !socket.destroyed) {
      if (socket._paused) return parseLater(rest);
      const now = rest;
      const parsed = parser.execute(now);
      // Where Node looks for the first bytes of an upgrade that is not declined.
      parser.getCurrentBuffer = () => now;
      rest = goOn(now, parsed);
      Reflect.deleteProperty(parser, 'getCurrentBuffer');
    }
  };
  const parseLater = (rest: Buffer) => {
    // 'resume' also comes while Node is still paused, and then means nothing.
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

const NOTHING = Buffer.alloc(0);

function malformed(): Error {
  return Object.assign(new Error(), { code: 'HPE_INVALID_METHOD', reason: 'Expected a request' });
}

/** The callback after each read, which is one of Node's own functions. */
function executedCallbackOf(parser: Parser): number {
  for (let index = 0; index < 16; index++) {
    if (parser[index]?.name === 'bound onParserExecute') return index;
  }
  throw new Error(`Node ${process.version} parses requests in a way that is not known here`);
}
