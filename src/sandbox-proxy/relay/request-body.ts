import { passableTrailers } from '../headers/field-names.js';
import type { Exchange } from '../exchange/exchange.js';
import type { CredentialText } from '../headers/credential-text.js';
import { type BodyTaker, takeBody, type TakenBody } from '../node-internals/take-body.js';
import { noteUploaded } from '../node-internals/upload-memory.js';
import type { UpstreamCall } from '../agent-client/upstream-call.js';

/** Pieces of a chunked body that come in the same tick are sent on as one chunk, up to this size. */
const GATHER_BYTES = 65_536;
const NOTHING = Buffer.alloc(0);

/** A request's body on its way to the agent: streamed, at the pace at which the agent takes it. */
export class RequestBody implements BodyTaker {
  private taken: TakenBody | null = null;
  private pieces: Buffer[] = [];
  private gatheredBytes = 0;

  constructor(
    private readonly exchange: Exchange,
    private readonly call: UpstreamCall,
    private readonly framing: 'length' | 'chunked',
    private readonly credentials: CredentialText,
  ) {}

  start(): void {
    this.taken = takeBody(this.exchange.request, this);
  }

  onPiece(piece: Buffer): boolean {
    this.exchange.bytesIn += piece.length;
    noteUploaded(piece.length);
    return this.framing === 'chunked' ? this.gather(piece) : this.call.write(piece);
  }

  onEnd(): void {
    if (this.framing === 'chunked')
      this.flush(lastChunk(this.exchange.request.rawTrailers, this.credentials));
    this.call.finish();
  }

  resume(): void {
    this.taken?.resume();
  }

  /** Nothing more goes to the agent. */
  stop(): void {
    this.taken?.release();
    this.taken = null;
    this.pieces = [];
  }

  private gather(piece: Buffer): boolean {
    this.pieces.push(piece);
    this.gatheredBytes += piece.length;
    if (this.gatheredBytes >= GATHER_BYTES) return this.flush();
    if (this.pieces.length === 1) process.nextTick(() => this.flush() || this.taken?.pause());
    return true;
  }

  private flush(last = ''): boolean {
    const { pieces, call } = this;
    this.pieces = [];
    this.gatheredBytes = 0;
    if (pieces.length === 0) return last === '' || call.write(NOTHING, last);
    const chunk = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    return call.write(chunk, `${chunk.length.toString(16)}\r\n`, `\r\n${last}`);
  }
}

function lastChunk(rawTrailers: readonly string[], credentials: CredentialText): string {
  if (rawTrailers.length === 0) return '0\r\n\r\n';
  const trailers = passableTrailers(rawTrailers, credentials);
  let text = '0\r\n';
  for (let i = 0; i < trailers.length; i += 2) text += `${trailers[i]}: ${trailers[i + 1]}\r\n`;
  return `${text}\r\n`;
}
