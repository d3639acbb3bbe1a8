import { FieldBlock, isFieldValueByte, ResponseSyntaxError } from './field-block.js';
import { readResponseHead, type ResponseHead } from './response-head.js';

export { ResponseSyntaxError, type ResponseHead };

/** The connection ended before the response did: the client must see a broken body. */
export class ResponseTruncatedError extends Error {
  override readonly name = 'ResponseTruncatedError';
}

/** Gets the parts of a response, in order. Arrays and heads may be kept; a body chunk must be copied to be kept. */
export interface ResponseListener {
  /** An interim response: 100, 102-199. */
  onInformational(head: ResponseHead): void;
  /** The final response, or the 101 that answers an upgrade; after a 101 all bytes are the tunnel's. */
  onHead(head: ResponseHead): void;
  /**
   * A view into the chunk given to `execute`. It is valid only until the listener returns: the read buffer may be
   * shared.
   */
  onBody(chunk: Buffer): void;
  /**
   * @param trailers flat; without trailers a shared, frozen []. The parser is idle then: `begin` may be called from
   *   here.
   */
  onComplete(trailers: string[]): void;
}

/**
 * Head bytes of one response, with its interim heads: four times what Node allows, since agents add headers of their
 * own.
 */
export const MAX_HEAD_BYTES = 64 * 1024;
/** Trailer bytes of one response: trailers are few and small (Server-Timing, gRPC status, checksums). */
export const MAX_TRAILER_BYTES = 16 * 1024;
/** Interim responses of one response: progress notices (102) come by the dozen at most, and could go on for ever. */
export const MAX_INFORMATIONAL = 100;
/** Bytes of chunk framing of one response, beyond what its chunks justify. */
export const MAX_EXCESS_BYTES = 16_384;
/** Bytes of the extensions of one chunk, which nobody reads. */
export const MAX_EXTENSION_BYTES = 1024;
/** 2^53-1 has 14 hex digits; some servers pad chunk sizes to 16. */
const MAX_CHUNK_SIZE_DIGITS = 16;

/** `*( ";" token [ "=" ( token / quoted-string ) ] )`, without the bad whitespace of RFC 9112 7.1.1. */
const EXTENSIONS =
  /^(?:;[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[^"\\]|\\.)*"))?)*$/;
const NO_TRAILERS = Object.freeze([]) as unknown as string[];

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;

// States: what the next bytes belong to
const IDLE = 0;
const HEAD = 1;
const LENGTH_BODY = 2;
const CLOSE_BODY = 3;
const CHUNK_SIZE = 4;
const CHUNK_EXTENSION = 5;
const CHUNK_SIZE_LF = 6;
const CHUNK_DATA = 7;
const CHUNK_DATA_CR = 8;
const CHUNK_DATA_LF = 9;
const TRAILERS = 10;
const UPGRADED = 11;
const FAILED = 12;

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/**
 * Reads the responses of one connection to an agent, one after the other (RFC 9112), and refuses whatever two readers could
 * read differently. Bytes may come in pieces of any size; only the sizes of body chunks depend on that.
 */
export class ResponseParser {
  private state = IDLE;
  private method = '';
  private isUpgrade = false;
  private interim = 0;
  /** False once an interim head has said that the connection will close. */
  private mayKeepAlive = true;
  /** Bytes left of the body or the chunk; while a chunk size is being read, its value so far. */
  private remaining = 0;
  private digits = 0;
  private extension = '';
  /** Bytes of chunk framing beyond what the data in the chunks justifies. */
  private excess = 0;
  /** Set when a response has ended: `execute` must then return, even if the next response was begun meanwhile. */
  private isComplete = false;
  private readonly block = new FieldBlock();

  constructor(private readonly listener: ResponseListener) {}

  /** True when no response is expected: a byte that comes now was not asked for. */
  get isIdle(): boolean {
    return this.state === IDLE;
  }

  /** True once the 101 has arrived: all further bytes belong to the tunnel. */
  get isUpgraded(): boolean {
    return this.state === UPGRADED;
  }

  /** Begins a response. `method` decides whether it can have a body, `isUpgrade` whether it can be a 101. */
  begin(method: string, isUpgrade: boolean): void {
    if (this.state !== IDLE) throw new Error('the connection is not free for another request');
    this.method = method;
    this.isUpgrade = isUpgrade;
    this.interim = 0;
    this.mayKeepAlive = true;
    this.block.begin(true, MAX_HEAD_BYTES);
    this.state = HEAD;
  }

  /**
   * Takes the first `length` bytes of `chunk`. Returns how many were consumed: fewer if the response ended, or the protocol
   * was switched, within them. After an error the parser refuses everything.
   *
   * @throws ResponseSyntaxError at the first byte that makes the response ambiguous, and at any byte that was not asked for
   */
  execute(chunk: Buffer, length: number = chunk.length): number {
    let position = 0;
    this.isComplete = false;
    while (position < length && !this.isComplete) {
      const state = this.state;
      if (state === UPGRADED) return position;
      // Stays so if anything below throws.
      this.state = FAILED;
      switch (state) {
        case HEAD:
          position = this.readHead(chunk, position, length);
          break;
        case LENGTH_BODY:
        case CLOSE_BODY:
        case CHUNK_DATA:
          position = this.readBody(chunk, position, length, state);
          break;
        case TRAILERS:
          position = this.readTrailers(chunk, position, length);
          break;
        case IDLE:
          throw new ResponseSyntaxError('bytes that no request asked for');
        case FAILED:
          throw new ResponseSyntaxError('bytes after a malformed response');
        default:
          position = this.readChunkFrame(chunk, position, length, state);
      }
    }
    return position;
  }

  /**
   * The agent has ended its side of the connection. Completes a body that is framed by that.
   *
   * @throws ResponseTruncatedError when a response with other framing is under way
   */
  finish(): void {
    if (this.state === CLOSE_BODY) this.complete(NO_TRAILERS);
    if (this.state === IDLE || this.state === UPGRADED || this.state === FAILED) return;
    this.state = FAILED;
    throw new ResponseTruncatedError('the connection ended inside a response');
  }

  private complete(trailers: string[]): void {
    this.state = IDLE;
    this.isComplete = true;
    this.listener.onComplete(trailers);
  }

  private readHead(chunk: Buffer, position: number, end: number): number {
    const { block } = this;
    const next = block.feed(chunk, position, end);
    if (next === -1) {
      this.state = HEAD;
      return end;
    }
    const head = readResponseHead(block, this.method === 'HEAD', this.mayKeepAlive);
    if (head.status < 200 && head.status !== 101) {
      if (++this.interim > MAX_INFORMATIONAL) throw new ResponseSyntaxError('too many interim responses');
      this.mayKeepAlive = head.keepAlive;
      block.begin(true, block.limitBytes - block.size);
      this.state = HEAD;
      this.listener.onInformational(head);
      return next;
    }
    if (head.status === 101) {
      if (!this.isUpgrade) throw new ResponseSyntaxError('101 to a request that asked for no upgrade');
      this.state = UPGRADED;
      this.isComplete = true;
      this.listener.onHead(head);
      return next;
    }
    const { framing } = head;
    this.remaining = framing === 'close' ? Infinity : head.contentLength;
    if (framing === 'chunked') {
      this.excess = 0;
      this.expectChunk();
    } else this.state = framing === 'close' ? CLOSE_BODY : LENGTH_BODY;
    this.listener.onHead(head);
    if (framing === 'none' || head.contentLength === 0) this.complete(NO_TRAILERS);
    return next;
  }

  private readBody(chunk: Buffer, position: number, end: number, state: number): number {
    const next = Math.min(end, position + this.remaining);
    this.remaining -= next - position;
    if (this.remaining > 0) this.state = state;
    else this.state = state === CHUNK_DATA ? CHUNK_DATA_CR : LENGTH_BODY;
    this.listener.onBody(position === 0 && next === chunk.length ? chunk : chunk.subarray(position, next));
    if (this.remaining === 0 && state === LENGTH_BODY) this.complete(NO_TRAILERS);
    return next;
  }

  private expectChunk(): void {
    this.state = CHUNK_SIZE;
    this.remaining = 0;
    this.digits = 0;
    this.extension = '';
  }

  /** Reads what is around the data of chunks: size, extensions, and the CRLF after the data (RFC 9112 7.1). */
  private readChunkFrame(chunk: Buffer, from: number, end: number, stateBefore: number): number {
    let state = stateBefore;
    for (let position = from; position < end; position++) {
      const byte = chunk[position]!;
      const digit = state === CHUNK_SIZE ? hexValue(byte) : -1;
      if (digit !== -1) {
        this.remaining = this.remaining * 16 + digit;
        if (++this.digits > MAX_CHUNK_SIZE_DIGITS || this.remaining > Number.MAX_SAFE_INTEGER) {
          throw new ResponseSyntaxError('chunk size out of range');
        }
      } else if (state === CHUNK_SIZE || state === CHUNK_EXTENSION) {
        if (this.digits === 0) throw new ResponseSyntaxError('chunk without a size');
        if (byte === CR) {
          if (!EXTENSIONS.test(this.extension)) throw new ResponseSyntaxError('bad chunk extension');
          state = CHUNK_SIZE_LF;
          continue;
        }
        if (state === CHUNK_SIZE ? byte !== SEMICOLON : !isFieldValueByte(byte)) {
          throw new ResponseSyntaxError('invalid character after a chunk size');
        }
        this.extension += String.fromCharCode(byte);
        if (this.extension.length > MAX_EXTENSION_BYTES)
          throw new ResponseSyntaxError('chunk extension too big');
        state = CHUNK_EXTENSION;
      } else if (state === CHUNK_DATA_CR) {
        if (byte !== CR) throw new ResponseSyntaxError('chunk longer than its size');
        state = CHUNK_DATA_LF;
      } else {
        if (byte !== LF) throw new ResponseSyntaxError('CR without LF');
        if (state === CHUNK_DATA_LF) {
          this.expectChunk();
          state = CHUNK_SIZE;
          continue;
        }
        // The bound of Go's net/http (CVE-2023-39326), against framing that is larger than what it carries.
        this.excess = Math.max(
          0,
          this.excess + this.extension.length + this.digits - 16 - 2 * this.remaining,
        );
        if (this.excess > MAX_EXCESS_BYTES) throw new ResponseSyntaxError('too much chunk framing');
        if (this.remaining === 0) this.block.begin(false, MAX_TRAILER_BYTES);
        this.state = this.remaining === 0 ? TRAILERS : CHUNK_DATA;
        return position + 1;
      }
    }
    this.state = state;
    return end;
  }

  private readTrailers(chunk: Buffer, position: number, end: number): number {
    const next = this.block.feed(chunk, position, end);
    if (next === -1) {
      this.state = TRAILERS;
      return end;
    }
    this.complete(this.block.size === 2 ? NO_TRAILERS : this.block.fields());
    return next;
  }
}
