import type { RawConnection } from './raw-http.js';

/** A response as its bytes said it. */
export interface RawAnswer {
  readonly status: number;
  /** `[name, value]` in order, with duplicates. */
  readonly fields: readonly (readonly [string, string])[];
  /** The body without its framing, latin1. */
  readonly body: string;
  /** The trailers of a chunked body. */
  readonly trailers: readonly (readonly [string, string])[];
  /** The value of the first field of that name, or undefined. */
  header(name: string): string | undefined;
  /** Every value of that name. */
  all(name: string): string[];
}

/** The next final response on the connection, after any interim ones; `method` decides whether it has a body. */
export async function readAnswer(connection: RawConnection, method = 'GET'): Promise<RawAnswer> {
  for (;;) {
    const [line = '', ...lines] = (await connection.head()).split('\r\n').slice(0, -2);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]);
    if (Number.isNaN(status)) throw new Error(`no status line: ${JSON.stringify(line)}`);
    if (status < 200 && status !== 101) continue;
    const fields = fieldsOf(lines);
    const all = (name: string) =>
      fields.filter(([field]) => field.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
    const header = (name: string) => all(name)[0];
    const hasBody = status >= 200 && status !== 204 && status !== 304 && method !== 'HEAD';
    const { body, trailers } = hasBody ? await readBody(connection, header) : { body: '', trailers: [] };
    return { status, fields, body, trailers, header, all };
  }
}

/** A request or response head as `[name, value]`, without its first line. */
export function fieldsOfHead(head: string): [string, string][] {
  return fieldsOf(head.split('\r\n').slice(1, -2));
}

function fieldsOf(lines: readonly string[]): [string, string][] {
  return lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

async function readBody(
  connection: RawConnection,
  header: (name: string) => string | undefined,
): Promise<{ body: string; trailers: [string, string][] }> {
  if (header('transfer-encoding') === 'chunked') return readChunks(connection);
  const length = header('content-length');
  if (length !== undefined) return { body: await connection.bytes(Number(length)), trailers: [] };
  return { body: (await connection.rest()).bytes, trailers: [] };
}

/** A chunked body and its trailers, of a request or a response. */
export async function readChunks(
  connection: RawConnection,
): Promise<{ body: string; trailers: [string, string][] }> {
  for (let body = ''; ;) {
    const size = Number.parseInt(await connection.until('\r\n'), 16);
    if (size > 0) {
      body += await connection.bytes(size);
      await connection.bytes(2);
      continue;
    }
    const lines: string[] = [];
    for (;;) {
      const line = (await connection.until('\r\n')).slice(0, -2);
      if (line === '') return { body, trailers: fieldsOf(lines) };
      lines.push(line);
    }
  }
}
