import {
  ResponseParser,
  type ResponseHead,
  type ResponseListener,
} from '../../src/sandbox-proxy/agent-client/response-parser.js';

export const OK = 'HTTP/1.1 200 OK\r\n';
export const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

/** Notes what a parser tells. */
export class Recorder implements ResponseListener {
  readonly informational: ResponseHead[] = [];
  readonly heads: ResponseHead[] = [];
  readonly completions: string[][] = [];
  body = '';
  onInformational(head: ResponseHead): void {
    this.informational.push(head);
  }
  onHead(head: ResponseHead): void {
    this.heads.push(head);
  }
  onBody(chunk: Buffer): void {
    this.body += chunk.toString('latin1');
  }
  onComplete(trailers: string[]): void {
    this.completions.push([...trailers]);
  }
}

export type Request = { method?: string; isUpgrade?: boolean; pieceBytes?: number };

/** A parser that expects the response to `request`, and what it tells. */
export function start({ method = 'GET', isUpgrade = false }: Request = {}) {
  const heard = new Recorder();
  const parser = new ResponseParser(heard);
  parser.begin(method, isUpgrade);
  return { heard, parser };
}

/** Feeds the text in pieces until the response ends; returns the bytes taken. */
export function feed(parser: ResponseParser, text: string, pieceBytes = text.length): number {
  const bytes = Buffer.from(text, 'latin1');
  let taken = 0;
  while (taken < bytes.length) {
    const piece = bytes.subarray(taken, taken + pieceBytes);
    const consumed = parser.execute(piece);
    taken += consumed;
    if (consumed < piece.length || parser.isIdle) break;
  }
  return taken;
}

/** Reads the text of one response. */
export function read(text: string, request: Request = {}) {
  const { heard, parser } = start(request);
  const consumed = feed(parser, text, request.pieceBytes);
  return { ...heard, head: heard.heads[0], parser, consumed };
}
