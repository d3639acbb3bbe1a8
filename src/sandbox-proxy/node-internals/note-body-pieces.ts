import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/**
 * @param bytes the size of a piece
 * @param count how many pieces its message has had, with this one
 */
type Note = (bytes: number, count: number) => void;

type OnBody = (this: Parser, piece: Buffer) => unknown;

/** Node's parser of one connection. Its callbacks for V8 have numbers for names. */
interface Parser {
  readonly socket: Connection | null;
  /** The message that is being read. */
  readonly incoming: IncomingMessage | null;
  [callback: number]: OnBody | null;
}

/** What is told, and of which message so many pieces have been. */
interface Noted {
  readonly note: Note;
  message: IncomingMessage | null;
  count: number;
}

type Connection = Socket & { readonly parser: Parser | null; [NOTED]?: Noted };

const NOTED = Symbol('noted');
const NOTING = new WeakSet<OnBody>();

/**
 * Tells of every piece of a body that is read from the connection: one for each read, or for each chunk, however small.
 * Node calls V8 for each, and to the streams behind it a tiny piece is as much work as a large one.
 */
export function noteBodyPieces(socket: Socket, note: Note): void {
  const { parser } = socket as Connection;
  if (parser === null || parser === undefined) return;
  (socket as Connection)[NOTED] = { note, message: null, count: 0 };
  const index = bodyCallbackOf(parser);
  const onBody = parser[index] as OnBody;
  if (!NOTING.has(onBody)) parser[index] = noting(onBody);
}

/** Node uses parsers again, for connections that nobody has asked about as well: what is put into one is for all of them. */
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

/** The callback for each piece of a body, which is one of Node's own functions. */
function bodyCallbackOf(parser: Parser): number {
  for (let index = 0; index < 16; index++) if (parser[index]?.name === 'parserOnBody') return index;
  throw new Error(`Node ${process.version} parses requests in a way that is not known here`);
}
