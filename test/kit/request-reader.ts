import { type ByteStream, EndOfBytes } from './byte-stream.js';
import {
  type Field,
  MalformedMessage,
  readChunks,
  readExactly,
  readFields,
  readLine,
} from './message-reader.js';

export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly Field[];
  /** The head's bytes up to and including the empty line. */
  readonly raw: string;
  readonly framing: 'none' | 'length' | 'chunked';
  readonly length: number;
}

export interface RequestBody {
  readonly data: Buffer;
  readonly trailers: readonly Field[];
  /** False when the connection ended first. */
  readonly complete: boolean;
  /** Chunk sizes in the order in which they came. */
  readonly chunks: readonly number[];
}

const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\/[\x21\x22\x24-\x7e\x80-\xff]*) HTTP\/1\.1$/;
const CONNECTION_OPTIONS = new Set(['keep-alive', 'close', 'upgrade', 'te']);
const NEVER_IN_TRAILERS = new Set(
  [
    'host content-length transfer-encoding trailer te connection upgrade keep-alive proxy-connection expect',
    'authorization proxy-authorization cookie set-cookie x-api-key content-encoding content-type content-range',
    'max-forwards cache-control range if-match if-none-match if-modified-since x-forwarded-for x-forwarded-host',
    'x-forwarded-proto forwarded x-request-id',
  ].flatMap((line) => line.split(' ')),
);

/**
 * Reads one request head as strictly as RFC 9112 allows a sender to write it: what our proxy sends
 * must pass this, whatever it was sent itself. Null at an orderly end between requests.
 *
 * @throws MalformedMessage, EndOfBytes (cut off in the middle).
 */
export async function readRequestHead(stream: ByteStream): Promise<RequestHead | null> {
  if (!(await stream.hasMore())) return null;
  const first = await readLine(stream, '9112 3');
  const match = REQUEST_LINE.exec(first);
  if (!match) throw new MalformedMessage('9112 3', `request line ${JSON.stringify(first.slice(0, 200))}`);
  let raw = `${first}\r\n`;
  const fields = await readFields(stream, '9112 5', (line) => (raw += `${line}\r\n`));
  const { framing, length } = framingOf(fields);
  checkConnection(fields);
  return { method: match[1] as string, target: match[2] as string, fields, raw, framing, length };
}

/** Reads the body that `head` announces; `onData` sees each piece as it arrives. @throws MalformedMessage */
export async function readRequestBody(
  stream: ByteStream,
  head: RequestHead,
  onData: (piece: Buffer) => void,
): Promise<RequestBody> {
  const pieces: Buffer[] = [];
  const chunks: number[] = [];
  const keep = (piece: Buffer): void => {
    pieces.push(piece);
    onData(piece);
  };
  const trailers: Field[] = [];
  let complete = false;
  try {
    if (head.framing === 'length') await readExactly(stream, head.length, keep);
    if (head.framing === 'chunked') {
      await readChunks(stream, keep, (size) => void chunks.push(size));
      for (const field of await readFields(stream, '9112 7.1.2')) {
        if (NEVER_IN_TRAILERS.has(field[0].toLowerCase()))
          throw new MalformedMessage('9110 6.5.1', `${field[0]} in the trailer section`);
        trailers.push(field);
      }
    }
    complete = true;
  } catch (error) {
    if (!(error instanceof EndOfBytes)) throw error;
  }
  return { data: Buffer.concat(pieces), trailers, complete, chunks };
}

function framingOf(fields: readonly Field[]): { framing: RequestHead['framing']; length: number } {
  const all = (name: string): string[] => fields.filter(([n]) => n.toLowerCase() === name).map(([, v]) => v);
  if (all('host').length !== 1) throw new MalformedMessage('9112 3.2', `${all('host').length} Host lines`);
  const lengths = all('content-length');
  const codings = all('transfer-encoding');
  if (lengths.length > 0 && codings.length > 0)
    throw new MalformedMessage('9112 6.2', 'both Content-Length and Transfer-Encoding');
  if (lengths.length > 1) throw new MalformedMessage('9112 6.3', 'several Content-Length lines');
  if (codings.length > 1) throw new MalformedMessage('9112 6.1', 'several Transfer-Encoding lines');
  if (codings.length === 1) {
    if (codings[0]?.toLowerCase() !== 'chunked')
      throw new MalformedMessage('9112 6.1', `coding ${codings[0]}`);
    return { framing: 'chunked', length: 0 };
  }
  if (lengths.length === 1) {
    if (!/^\d{1,15}$/.test(lengths[0] as string))
      throw new MalformedMessage('9112 6.2', `length ${lengths[0]}`);
    return { framing: 'length', length: Number(lengths[0]) };
  }
  return { framing: 'none', length: 0 };
}

function checkConnection(fields: readonly Field[]): void {
  for (const [name, value] of fields) {
    if (name.toLowerCase() !== 'connection') continue;
    for (const option of value.toLowerCase().split(','))
      if (!CONNECTION_OPTIONS.has(option.trim()))
        throw new MalformedMessage('9110 7.6.1', `client's Connection option ${option.trim()} was passed on`);
  }
}
