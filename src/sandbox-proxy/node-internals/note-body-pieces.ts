import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/**
 * @param bytes the size of a piece
 * @param count how many pieces its message has had, with this one
 */
type Note = (bytes: number, count: number) => void;

type OnBody = (this: Parser, piece: Buffer) => unknown;

/** Node's parser of one connection. The callbacks that native code calls have numbers as names. */
interface Parser {
  readonly socket: Connection | null;
  /** The message that is being read. */
  readonly incoming: IncomingMessage | null;
  [callback: number]: OnBody | null;
}

/** Whom to tell, and how many pieces the current message has had. */
interface Noted {
  readonly note: Note;
  message: IncomingMessage | null;
  count: number;
}

type Connection = Socket & { readonly parser: Parser | null; [NOTED]?: Noted };

const NOTED = Symbol('noted');
const NOTING = new WeakSet<OnBody>();

/**
 * Calls `note` for every piece of a body that is read from the connection: one for each read, or for each chunk, however
 * small. Each is a call from native code, and as much work for the streams behind it as a large piece.
 */
export function noteBodyPieces(socket: Socket, note: Note): void {
  const { parser } = socket as Connection;
  if (parser === null || parser === undefined) return;
  (socket as Connection)[NOTED] = { note, message: null, count: 0 };
  const index = bodyCallbackOf(parser);
  const onBody = parser[index] as OnBody;
  if (!NOTING.has(onBody)) parser[index] = noting(onBody);
}

/** Node uses parsers again, also for connections without a `note`, so one function serves all connections of a parser. */
function noting(onBody: OnBody): OnBody {
  const noted: OnBody = function parserOnBody(piece) {
    const { incoming, socket } = this;
    const state = socket?.[NOTED];
    if (state !== undefined) {
      state.count = state.message === incoming ? state.count + 1 : 1;
      state.message = incoming;
      state.note(piece.length, state.count);
    }
    return onBody.call(this, piece);
  };
  NOTING.add(noted);
  return noted;
}

/** The index of the callback for each piece of a body, which is one of Node's own functions. */
function bodyCallbackOf(parser: Parser): number {
  for (let index = 0; index < 16; index++) if (parser[index]?.name === 'parserOnBody') return index;
  throw new Error(`Node ${process.version} parses requests in a way that is not known here`);
}
