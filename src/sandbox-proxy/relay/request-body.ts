import { passableTrailers } from '../headers/field-names.js';
import type { Exchange } from '../exchange/exchange.js';
import type { CredentialText } from '../headers/credential-text.js';
import { noteUploaded } from '../node-internals/upload-memory.js';
import type { UpstreamCall } from '../agent-client/upstream-call.js';

/** Pieces of a chunked body that come in the same tick are sent on as one chunk, up to this size. */
const GATHER_BYTES = 65_536;
const NOTHING = Buffer.alloc(0);

/** A request's body on its way to the agent: streamed, at the pace at which the agent takes it. */
export class RequestBody {
  private isStopped = false;
  private pieces: Buffer[] = [];
  private gatheredBytes = 0;

  constructor(
    private readonly exchange: Exchange,
    private readonly framing: 'length' | 'chunked',
    private readonly credentials: CredentialText,
  ) {}

  pipeTo(call: UpstreamCall): void {
    const { request } = this.exchange;
    request.on('data', (chunk: Buffer) => {
      if (this.isStopped) return;
      this.exchange.bytesIn += chunk.length;
      if (this.framing === 'chunked') this.gather(call, chunk);
      else if (!call.write(chunk)) request.pause();
      noteUploaded(chunk.length);
    });
    request.on('end', () => {
      if (this.isStopped) return;
      if (this.framing === 'chunked') this.flush(call, lastChunk(request.rawTrailers, this.credentials));
      call.finish();
    });
    // The response notices when the client leaves. Without this listener the error would be thrown.
    request.on('error', () => undefined);
  }

  resume(): void {
    if (!this.isStopped) this.exchange.request.resume();
  }

  stop(): void {
    this.isStopped = true;
    this.pieces = [];
  }

  private gather(call: UpstreamCall, chunk: Buffer): void {
    this.pieces.push(chunk);
    this.gatheredBytes += chunk.length;
    if (this.gatheredBytes >= GATHER_BYTES) this.flush(call);
    else if (this.pieces.length === 1) process.nextTick(() => this.flush(call));
  }

  private flush(call: UpstreamCall, last = ''): void {
    const { pieces } = this;
    this.pieces = [];
    this.gatheredBytes = 0;
    if (pieces.length === 0) {
      if (last !== '') call.write(NOTHING, last);
      return;
    }
    const chunk = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    const mayGoOn = call.write(chunk, `${chunk.length.toString(16)}\r\n`, `\r\n${last}`);
    if (!mayGoOn) this.exchange.request.pause();
  }
}

function lastChunk(rawTrailers: readonly string[], credentials: CredentialText): string {
  if (rawTrailers.length === 0) return '0\r\n\r\n';
  const trailers = passableTrailers(rawTrailers, credentials);
  let text = '0\r\n';
  for (let i = 0; i < trailers.length; i += 2) text += `${trailers[i]}: ${trailers[i + 1]}\r\n`;
  return `${text}\r\n`;
}
