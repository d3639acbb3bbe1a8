import { ResponseSyntaxError, type FieldBlock } from './field-block.js';

/**
 * The head of a response, as the agent sent it. `rawHeaders` is flat, [name, value, name, value…], in latin1; the case
 * of names, the order and duplicates are kept.
 */
export interface ResponseHead {
  readonly minorVersion: 0 | 1;
  readonly status: number;
  readonly reason: string;
  readonly rawHeaders: string[];
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** Bytes of the body if `framing` is `length`, otherwise -1. */
  readonly contentLength: number;
  /** Whether the connection may carry another request after this response. */
  readonly keepAlive: boolean;
  /** How long the agent promises to keep the connection, seconds; Infinity if it does not say. */
  readonly keepAliveSeconds: number;
}

/** Number.MAX_SAFE_INTEGER has 16 digits; nobody pads a length to more. */
const CONTENT_LENGTH = /^\d{1,16}$/;
const KEEP_ALIVE_TIMEOUT = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,9})/i;
const CLOSE_OPTION = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;

/** Compares a token with a lower-case name of letters and dashes, without creating another string. */
function isNamed(name: string, lower: string): boolean {
  if (name.length !== lower.length) return false;
  for (let index = 0; index < lower.length; index++) {
    if ((name.charCodeAt(index) | 0x20) !== lower.charCodeAt(index)) return false;
  }
  return true;
}

/**
 * Reads a complete head: status, fields, and how the body is framed (RFC 9112 6.3), checked even for 1xx, 204, 304 and
 * HEAD.
 *
 * @throws ResponseSyntaxError when the length is not given in exactly one way
 */
export function readResponseHead(
  block: FieldBlock,
  isHeadRequest: boolean,
  mayKeepAlive: boolean,
): ResponseHead {
  const { text } = block;
  const minorVersion = text.charCodeAt(7) === 0x31 ? 1 : 0;
  const status = text.charCodeAt(9) * 100 + text.charCodeAt(10) * 10 + text.charCodeAt(11) - 0x30 * 111;
  const rawHeaders = block.fields();
  let length = -1;
  let isChunked = false;
  let keepAlive = mayKeepAlive && minorVersion === 1;
  let keepAliveSeconds = Infinity;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (isNamed(name, 'content-length')) {
      if (length !== -1) throw new ResponseSyntaxError('more than one Content-Length');
      // Digits only (RFC 9110 8.6): no list, sign or blank.
      length = CONTENT_LENGTH.test(rawHeaders[index + 1]!) ? Number(rawHeaders[index + 1]) : Infinity;
      if (length > Number.MAX_SAFE_INTEGER) throw new ResponseSyntaxError('invalid Content-Length');
    } else if (isNamed(name, 'transfer-encoding')) {
      if (isChunked || !isNamed(rawHeaders[index + 1]!, 'chunked')) {
        throw new ResponseSyntaxError('Transfer-Encoding other than chunked');
      }
      isChunked = true;
    } else if (isNamed(name, 'keep-alive')) {
      const [, seconds] = KEEP_ALIVE_TIMEOUT.exec(rawHeaders[index + 1]!) ?? [];
      if (seconds !== undefined) keepAliveSeconds = Number(seconds);
    } else if (keepAlive && isNamed(name, 'connection')) {
      keepAlive = !CLOSE_OPTION.test(rawHeaders[index + 1]!);
    }
  }
  if (isChunked && length !== -1) throw new ResponseSyntaxError('Transfer-Encoding with Content-Length');
  if (isChunked && minorVersion === 0) throw new ResponseSyntaxError('Transfer-Encoding in HTTP/1.0');

  let framing: ResponseHead['framing'];
  if (status < 200 || status === 204) {
    framing = 'none';
    // There must not be a body. Whether one follows all the same cannot be known, so no other response may follow.
    if (isChunked || length > 0) keepAlive = false;
  } else if (status === 304 || isHeadRequest) {
    framing = 'none';
    // There must not be a body, but some servers send its chunks, or the last one, all the same.
    if (isChunked) keepAlive = false;
  } else if (isChunked) framing = 'chunked';
  else if (length !== -1) framing = 'length';
  else {
    framing = 'close';
    keepAlive = false;
  }
  return {
    minorVersion,
    status,
    reason: text.slice(13, block.reasonEnd),
    rawHeaders,
    framing,
    contentLength: framing === 'length' ? length : -1,
    keepAlive,
    keepAliveSeconds,
  };
}
