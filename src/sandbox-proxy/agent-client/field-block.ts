/** The agent's bytes are not a response that can be read in exactly one way (RFC 9112). The request is answered 502. */
export class ResponseSyntaxError extends Error {
  override readonly name = 'ResponseSyntaxError';
}

/** Most fields of one head or trailer section. No real response has more; this bounds the work for one head. */
const MAX_FIELDS = 1000;

const TOKEN = 1;
const FIELD_VALUE = 2;
const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const COLON = 0x3a;

/**
 * TOKEN: tchar (RFC 9110 5.6.2). FIELD_VALUE: field-vchar, SP, HTAB, obs-text (5.5). Any other byte in a head is
 * refused.
 */
const BYTE_CLASS = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const isToken = /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(String.fromCharCode(byte));
  const isValue = byte === HTAB || (byte >= SP && byte !== 0x7f);
  BYTE_CLASS[byte] = (isToken ? TOKEN : 0) | (isValue ? FIELD_VALUE : 0);
}
/** Lowest and highest byte allowed at each position of a status line, up to its reason. */
const LOWEST = 'HTTP/1.0 100 ';
const HIGHEST = 'HTTP/1.1 999 ';
const STATUS_END = 12;

// States of the scan: what the next byte belongs to
const STATUS_LINE = 0;
const REASON = 1;
const LINE_FEED = 2;
const LINE_START = 3;
const NAME = 4;
const VALUE = 5;
const LAST_LINE_FEED = 6;

export function isFieldValueByte(byte: number): boolean {
  return (BYTE_CLASS[byte]! & FIELD_VALUE) !== 0;
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}

/**
 * Reads `[status-line CRLF] *( field-line CRLF ) CRLF` (RFC 9112 2.1) from pieces of any size. Every byte is checked as it
 * arrives. A block within one piece is not copied, and one in many pieces takes linear time.
 */
export class FieldBlock {
  /** The block so far, in latin1; `fields` empties it. */
  text = '';
  /** Where the reason phrase ends in `text` (before CRLF); -2 in a block without a status line. */
  reasonEnd = -2;
  /** How many bytes the block has so far. */
  size = 0;
  /** How many bytes it may have. */
  limitBytes = 0;
  private fieldCount = 0;
  private state = STATUS_LINE;

  /** Begins a new block of at most `limitBytes`. */
  begin(hasStatusLine: boolean, limitBytes: number): void {
    this.state = hasStatusLine ? STATUS_LINE : LINE_START;
    this.limitBytes = limitBytes;
    this.reasonEnd = -2;
    this.fieldCount = 0;
    this.size = 0;
    this.text = '';
  }

  /**
   * Takes bytes from `position` up to `end`. Returns the position after the block, or -1 if the block is not complete yet.
   * @throws ResponseSyntaxError at the first byte that cannot belong to a well-formed block within its limits
   */
  feed(chunk: Buffer, position: number, end: number): number {
    const before = this.size;
    const base = position - before;
    const blockEnd = this.scan(chunk, base, position, Math.min(end, base + this.limitBytes + 1));
    const size = (blockEnd === -1 ? end : blockEnd) - base;
    if (size > this.limitBytes) throw new ResponseSyntaxError('head or trailer section too large');
    this.size = size;
    // V8 joins the parts of a string when it is first searched, so even a head that comes byte by byte takes linear time.
    this.text += chunk.toString('latin1', position, base + size);
    return blockEnd;
  }

  /** The fields as a flat list [name, value, name, value…], without the blanks around values. */
  fields(): string[] {
    const { text } = this;
    this.text = '';
    const flat: string[] = [];
    let start = this.reasonEnd + 2;
    while (start < text.length - 2) {
      const colon = text.indexOf(':', start);
      const lineEnd = text.indexOf('\r', colon);
      let from = colon + 1;
      let to = lineEnd;
      while (from < to && isBlank(text.charCodeAt(from))) from++;
      while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
      flat.push(text.slice(start, colon), text.slice(from, to));
      start = lineEnd + 2;
    }
    return flat;
  }

  /**
   * Goes on at `from` in a block whose start is, or would be, at `base`. Returns the position after the block, or -1 if the
   * bytes ran out. The states are in the order of the bytes, so that a whole field line takes one turn of the loop.
   */
  private scan(bytes: Buffer, base: number, from: number, end: number): number {
    let { state } = this;
    let position = from;
    while (position < end) {
      let byte = bytes[position]!;
      if (state === LINE_START) {
        if (byte === CR) {
          position++;
          state = LAST_LINE_FEED;
          continue;
        }
        if ((BYTE_CLASS[byte]! & TOKEN) === 0) throw new ResponseSyntaxError('field line without a name');
        if (++this.fieldCount > MAX_FIELDS) throw new ResponseSyntaxError('too many fields');
        state = NAME;
      }
      if (state === NAME) {
        while ((BYTE_CLASS[byte]! & TOKEN) !== 0 && ++position < end) byte = bytes[position]!;
        if (position === end) break;
        if (byte !== COLON) throw new ResponseSyntaxError('invalid character in a field name');
        state = VALUE;
        if (++position === end) break;
        byte = bytes[position]!;
      }
      if (state === VALUE || state === REASON) {
        while ((BYTE_CLASS[byte]! & FIELD_VALUE) !== 0 && ++position < end) byte = bytes[position]!;
        if (position === end) break;
        if (byte !== CR) throw new ResponseSyntaxError('control character in a value or reason');
        if (state === REASON) this.reasonEnd = position - base;
        state = LINE_FEED;
        if (++position === end) break;
        byte = bytes[position]!;
      }
      if (state === STATUS_LINE) {
        const index = position - base;
        const isPlaced = byte >= LOWEST.charCodeAt(index) && byte <= HIGHEST.charCodeAt(index);
        if (index === STATUS_END && (isPlaced || byte === CR)) state = REASON;
        else if (isPlaced) position++;
        else throw new ResponseSyntaxError('not an HTTP/1 status line');
      } else {
        if (byte !== LF) throw new ResponseSyntaxError('CR without LF');
        position++;
        if (state === LAST_LINE_FEED) return position;
        state = LINE_START;
      }
    }
    this.state = state;
    return -1;
  }
}
