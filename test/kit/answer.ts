import { type ByteStream, EndOfBytes, type Ending } from './byte-stream.js';
import { type Field, parseField, readChunks, readFields, readLine } from './message-reader.js';

interface Head {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
  /** The head's bytes up to and including the empty line. */
  readonly raw: string;
}

interface Body {
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** Without its framing, latin-1. */
  readonly body: string;
  readonly trailers: readonly Field[];
  /** How the connection ended while this answer was read; null: it is still open. */
  readonly ending: Ending;
  /** False when the end came before the framing said so, or as a reset. */
  readonly complete: boolean;
}

const NO_BODY: Body = { framing: 'none', body: '', trailers: [], ending: null, complete: true };

/** An answer as the client saw it. */
export interface Answer extends Head, Body {
  /** 1xx answers that came before this one. */
  readonly interim: readonly Answer[];
  /** The value of the first field of that name, or undefined. */
  header(name: string): string | undefined;
  /** Every value of that name. */
  all(name: string): string[];
}

/** Values of one field, in order, whatever its letter case. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  const wanted = name.toLowerCase();
  return fields.filter(([n]) => n.toLowerCase() === wanted).map(([, value]) => value);
}

/** The field's only value, or null when absent or doubled. */
export function valueOf(fields: readonly Field[], name: string): string | null {
  const values = valuesOf(fields, name);
  return values.length === 1 ? (values[0] as string) : null;
}

/** A request or response head as fields, without its first line. */
export function fieldsOfHead(head: string): Field[] {
  return head.split('\r\n').slice(1, -2).map(parseField);
}

/**
 * Reads one final answer with its interim ones; `method` decides whether a body follows. An answer that was cut off is
 * returned as not complete.
 *
 * @throws EndOfBytes when the connection ended before a whole head, Error when the bytes are no answer
 */
export async function readAnswer(stream: ByteStream, method: string): Promise<Answer> {
  const interim: Answer[] = [];
  for (;;) {
    const head = await readHead(stream);
    const isInterim = head.status >= 100 && head.status < 200 && head.status !== 101;
    const body = isInterim ? NO_BODY : await readBody(stream, head, method);
    const all = (name: string): string[] => valuesOf(head.fields, name);
    const answer = { ...head, ...body, interim, header: (name: string) => all(name)[0], all };
    if (!isInterim) return answer;
    interim.push({ ...answer, interim: [] });
  }
}

/** The next final answer on a connection. @throws Error also when it was cut off */
export async function wholeAnswer(
  connection: { answer(method: string): Promise<Answer> },
  method = 'GET',
): Promise<Answer> {
  const answer = await connection.answer(method);
  if (!answer.complete) throw new Error(`the answer was cut off: ${answer.raw}${answer.body}`);
  return answer;
}

async function readHead(stream: ByteStream): Promise<Head> {
  const first = await readLine(stream, '9112 4');
  const match = /^(HTTP\/1\.[01]) (\d{3})(?: (.*))?$/s.exec(first);
  if (!match) throw new Error(`not a status line: ${JSON.stringify(first.slice(0, 120))}`);
  let raw = `${first}\r\n`;
  const fields = await readFields(stream, '9112 5', (line) => (raw += `${line}\r\n`));
  return { version: match[1] as string, status: Number(match[2]), reason: match[3] ?? '', fields, raw };
}

async function readBody(stream: ByteStream, head: Head, method: string): Promise<Body> {
  const pieces: Buffer[] = [];
  const trailers: Field[] = [];
  const framing = framingOf(head, method);
  let complete = true;
  try {
    if (framing === 'length')
      pieces.push(await stream.take(Number(valuesOf(head.fields, 'content-length')[0])));
    if (framing === 'chunked') {
      await readChunks(stream, (piece) => void pieces.push(piece));
      trailers.push(...(await readFields(stream, '9112 7.1.2')));
    }
    if (framing === 'close') {
      pieces.push(await stream.all());
      complete = stream.ending === 'fin';
    }
  } catch (error) {
    if (!(error instanceof EndOfBytes)) throw error;
    complete = false;
    pieces.push(error.rest);
  }
  return {
    framing,
    body: Buffer.concat(pieces).toString('latin1'),
    trailers,
    ending: stream.ending,
    complete,
  };
}

function framingOf(head: Head, method: string): Answer['framing'] {
  const { status, fields } = head;
  if (method === 'HEAD' || status === 101 || status === 204 || status === 304) return 'none';
  const codings = valuesOf(fields, 'transfer-encoding');
  const lengths = valuesOf(fields, 'content-length');
  if (codings.length > 0 && lengths.length > 0)
    throw new Error('answer has both Content-Length and Transfer-Encoding');
  if (codings.length > 1 || lengths.length > 1) throw new Error('answer has several framing lines');
  if (codings.length === 1) {
    if (codings[0]?.toLowerCase() !== 'chunked') throw new Error(`answer with coding ${codings[0]}`);
    if (head.version !== 'HTTP/1.1') throw new Error('chunked answer in HTTP/1.0');
    return 'chunked';
  }
  if (lengths.length === 1) {
    if (!/^\d+$/.test(lengths[0] as string)) throw new Error(`answer with length ${lengths[0]}`);
    return 'length';
  }
  return 'close';
}
