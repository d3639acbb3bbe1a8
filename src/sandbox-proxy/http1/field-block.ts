/** The upstream's bytes are not a response that RFC 9112 lets us read in exactly one way: close the connection, answer 502. */
export class ResponseSyntaxError extends Error {
  override readonly name = 'ResponseSyntaxError';
}

/** Fields of one head or trailer section. No real response has more; it bounds the work and the arrays of one head. */
const MAX_FIELDS = 1000;

const TOKEN = 1;
const FIELD_VALUE = 2;
const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const COLON = 0x3a;

/** tchar (RFC 9110 5.6.2) and field-vchar / SP / HTAB / obs-text (5.5): everything else in a head is refused. */
const BYTE_CLASS = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const isToken = /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(String.fromCharCode(byte));
  const isValue = byte === HTAB || (byte >= SP && byte !== 0x7f);
  BYTE_CLASS[byte] = (isToken ? TOKEN : 0) | (isValue ? FIELD_VALUE : 0);
}
const VERSION_PREFIX = Buffer.from('HTTP/1.', 'latin1');
/** Offset of the byte after `HTTP/1.1 200`. */
const STATUS_END = 12;
const EMPTY = Buffer.alloc(0);

// States of the scan: what the next byte has to be.
const STATUS_LINE = 0;
const AFTER_STATUS = 1;
const REASON = 2;
const LINE_FEED = 3;
const LINE_START = 4;
const NAME = 5;
const VALUE_START = 6;
const VALUE = 7;
const LAST_LINE_FEED = 8;

/**
 * Name start, colon, value start, value end of each field of the block scanned last, counted from the block's start. Shared by
 * all blocks: a block that came in pieces is scanned once more when it is whole, so that nothing is kept per connection.
 */
const marks = new Int32Array(MAX_FIELDS * 4);

function isStatusLineByte(index: number, byte: number): boolean {
  if (index < 7) return byte === VERSION_PREFIX[index];
  if (index === 7) return byte === 0x30 || byte === 0x31;
  if (index === 8) return byte === SP;
  return byte <= 0x39 && byte >= (index === 9 ? 0x31 : 0x30);
}

/**
 * Reads `[status-line CRLF] *( field-line CRLF ) CRLF` (RFC 9112 2.1) out of pieces of any size: every byte is checked as it
 * arrives, a block inside one piece is not copied, and one in many pieces costs linear time.
 */
export class FieldBlock {
  /** The whole block in latin1 once `feed` has found its end. */
  text = '';
  /** Where the reason phrase ends in `text` (before CRLF). */
  reasonEnd = 0;
  /** How many bytes of the block have been taken so far. */
  size = 0;
  private fieldCount = 0;
  private state = STATUS_LINE;
  private firstState = STATUS_LINE;
  private limitBytes = 0;
  /** The pieces so far; empty while the block lies in one piece. */
  private held: Buffer = EMPTY;

  /** Expect a new block of at most `limitBytes`. */
  begin(hasStatusLine: boolean, limitBytes: number): void {
    this.firstState = hasStatusLine ? STATUS_LINE : LINE_START;
    this.state = this.firstState;
    this.limitBytes = limitBytes;
    this.fieldCount = 0;
    this.size = 0;
    this.held = EMPTY;
  }

  /**
   * Takes bytes from `position` up to `end`. Returns the position after the block, or -1 when all were taken and it goes on.
   * @throws ResponseSyntaxError at the first byte that cannot belong to a well-formed block within its limits
   */
  feed(chunk: Buffer, position: number, end: number): number {
    const before = this.size;
    if (before === 0) {
      const blockEnd = this.scan(chunk, position, position, end);
      this.checkSize((blockEnd === -1 ? end : blockEnd) - position);
      if (blockEnd === -1) {
        this.hold(chunk, position, end);
        return -1;
      }
      this.size = blockEnd - position;
      this.text = chunk.toString('latin1', position, blockEnd);
      return blockEnd;
    }
    this.hold(chunk, position, Math.min(end, position + this.limitBytes + 1 - before));
    const blockEnd = this.scan(this.held, 0, before, this.size);
    this.checkSize(blockEnd === -1 ? this.size : blockEnd);
    if (blockEnd === -1) return -1;
    this.size = blockEnd;
    const whole = this.held;
    this.text = whole.toString('latin1', 0, blockEnd);
    this.state = this.firstState;
    this.fieldCount = 0;
    this.scan(whole, 0, 0, blockEnd);
    this.held = EMPTY;
    return position + blockEnd - before;
  }

  /** The block's fields as a flat list [name, value, name, value…]; call it before any other block is fed. */
  fields(): string[] {
    const { text, fieldCount } = this;
    const flat: string[] = [];
    for (let mark = 0; mark < fieldCount * 4; mark += 4) {
      flat.push(text.slice(marks[mark], marks[mark + 1]), text.slice(marks[mark + 2], marks[mark + 3]));
    }
    return flat;
  }

  private checkSize(size: number): void {
    if (size > this.limitBytes) throw new ResponseSyntaxError('head or trailer section too large');
  }

  private hold(chunk: Buffer, position: number, end: number): void {
    const size = this.size + end - position;
    if (size > this.held.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(1024, size, this.held.length * 2));
      this.held.copy(grown, 0, 0, this.size);
      this.held = grown;
    }
    chunk.copy(this.held, this.size, position, end);
    this.size = size;
  }

  /**
   * Goes on at `from` in a block that starts at `base`; returns the position after it, or -1 when the bytes ran out. The states
   * stand in the order of the bytes: a field line that has arrived is read in one turn of the loop.
   */
  private scan(bytes: Buffer, base: number, from: number, end: number): number {
    let { state } = this;
    let mark = this.fieldCount * 4;
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
        if (mark === marks.length) throw new ResponseSyntaxError('too many fields');
        marks[mark] = position - base;
        state = NAME;
      }
      if (state === NAME) {
        while ((BYTE_CLASS[byte]! & TOKEN) !== 0 && ++position < end) byte = bytes[position]!;
        if (position === end) break;
        if (byte !== COLON) throw new ResponseSyntaxError('invalid character in a field name');
        marks[mark + 1] = position - base;
        state = VALUE_START;
        if (++position === end) break;
        byte = bytes[position]!;
      }
      if (state === VALUE_START) {
        while (isBlank(byte) && ++position < end) byte = bytes[position]!;
        if (position === end) break;
        marks[mark + 2] = position - base;
        state = VALUE;
      }
      if (state === VALUE) {
        while ((BYTE_CLASS[byte]! & FIELD_VALUE) !== 0 && ++position < end) byte = bytes[position]!;
        if (position === end) break;
        if (byte !== CR) throw new ResponseSyntaxError('control character in a field value');
        marks[mark + 3] = trimEnd(bytes, base + marks[mark + 2]!, position) - base;
        mark += 4;
        state = LINE_FEED;
        if (++position === end) break;
        byte = bytes[position]!;
      }
      if (state === STATUS_LINE) {
        if (!isStatusLineByte(position - base, byte))
          throw new ResponseSyntaxError('not an HTTP/1 status line');
        if (++position - base === STATUS_END) state = AFTER_STATUS;
      } else if (state === AFTER_STATUS) {
        if (byte !== SP && byte !== CR) throw new ResponseSyntaxError('not an HTTP/1 status line');
        if (byte === SP) position++;
        state = REASON;
      } else if (state === REASON) {
        while ((BYTE_CLASS[byte]! & FIELD_VALUE) !== 0 && ++position < end) byte = bytes[position]!;
        if (position === end) break;
        if (byte !== CR) throw new ResponseSyntaxError('control character in the reason phrase');
        this.reasonEnd = position++ - base;
        state = LINE_FEED;
      } else {
        if (byte !== LF) throw new ResponseSyntaxError('CR without LF');
        position++;
        if (state === LAST_LINE_FEED) {
          this.fieldCount = mark / 4;
          return position;
        }
        state = LINE_START;
      }
    }
    this.state = state;
    this.fieldCount = mark / 4;
    return -1;
  }
}

function isBlank(byte: number): boolean {
  return byte === SP || byte === HTAB;
}

function trimEnd(bytes: Buffer, start: number, end: number): number {
  let trimmed = end;
  while (trimmed > start && isBlank(bytes[trimmed - 1]!)) trimmed--;
  return trimmed;
}

export function isFieldValueByte(byte: number): boolean {
  return (BYTE_CLASS[byte]! & FIELD_VALUE) !== 0;
}
