import type { ByteStream } from './byte-stream.js';

/** One header line as it stood on the wire: name in its own letters, value without the outer whitespace. */
export type Field = readonly [name: string, value: string];

/** The bytes are not a message by RFC 9112. `rule` names the section. */
export class MalformedMessage extends Error {
  constructor(
    readonly rule: string,
    detail: string,
  ) {
    super(`${rule}: ${detail}`);
    this.name = 'MalformedMessage';
  }
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// oxlint-disable-next-line no-control-regex -- field values by RFC 9110 5.5: no control bytes but HTAB
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Field lines up to and with the empty one; `onLine` sees each as it stood. @throws MalformedMessage, EndOfBytes */
export async function readFields(
  stream: ByteStream,
  rule: string,
  onLine: (line: string) => void = () => undefined,
): Promise<Field[]> {
  const fields: Field[] = [];
  for (;;) {
    const line = await readLine(stream, rule);
    onLine(line);
    if (line === '') return fields;
    fields.push(parseField(line));
  }
}

/** The data of a chunked body, and the sizes of its chunks; the trailers are still to be read. @throws MalformedMessage, EndOfBytes */
export async function readChunks(
  stream: ByteStream,
  keep: (piece: Buffer) => void,
  onSize: (size: number) => void = () => undefined,
): Promise<void> {
  for (;;) {
    const line = await readLine(stream, '9112 7.1');
    if (!/^[0-9A-Fa-f]{1,15}$/.test(line)) throw new MalformedMessage('9112 7.1', `chunk size ${line}`);
    const size = Number.parseInt(line, 16);
    if (size === 0) return;
    onSize(size);
    await readExactly(stream, size, keep);
    if ((await stream.take(2)).toString('latin1') !== '\r\n')
      throw new MalformedMessage('9112 7.1', 'chunk data not followed by CRLF');
  }
}

/** Reads `count` bytes as they come. @throws EndOfBytes */
export async function readExactly(
  stream: ByteStream,
  count: number,
  keep: (piece: Buffer) => void,
): Promise<void> {
  let left = count;
  while (left > 0) {
    await stream.hasMore();
    const piece = await stream.take(Math.min(left, Math.max(1, stream.length)));
    left -= piece.length;
    keep(piece);
  }
}

/** A line without its CRLF. @throws MalformedMessage, EndOfBytes */
export async function readLine(stream: ByteStream, rule: string): Promise<string> {
  const line = (await stream.line()).toString('latin1');
  if (!line.endsWith('\r\n')) throw new MalformedMessage('9112 2.2', 'a line ends in a bare LF');
  const text = line.slice(0, -2);
  if (text.includes('\r')) throw new MalformedMessage('9112 2.2', 'bare CR in a line');
  if (text.includes('\0')) throw new MalformedMessage(rule, 'NUL in a line');
  return text;
}

/** A field line as it stood. @throws MalformedMessage */
export function parseField(line: string): Field {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(0, colon));
  if (!TOKEN.test(name))
    throw new MalformedMessage('9112 5', `field line ${JSON.stringify(line.slice(0, 120))}`);
  const value = line.slice(colon + 1);
  if (!FIELD_VALUE.test(value))
    throw new MalformedMessage('9110 5.5', `control byte in the value of ${name}`);
  return [name, value.replace(/^[ \t]+|[ \t]+$/g, '')];
}
