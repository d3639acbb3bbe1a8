/** The longest head of a frame: two bytes, a length of eight, and a mask of four (RFC 6455 5.2). */
const MAX_HEAD_BYTES = 14;
const CLOSE = 8;
/** Most frames that are followed in one chunk: to follow a frame costs the same, however few bytes it brings. */
const MAX_FRAMES = 2_048;

/**
 * Follows the frames of a WebSocket (RFC 6455 5.2) in the bytes that pass, without keeping them. Between two frames the
 * proxy may insert one of its own. After a chunk of too many tiny frames it follows no more: no place is then known for a
 * close frame, and the tunnel can only be ended without one.
 */
export class FrameBoundary {
  /** True once a close frame has passed: no frame may follow it. */
  isClosed = false;
  private isLost = false;
  private payloadLeft = 0;
  private readonly head = Buffer.allocUnsafe(MAX_HEAD_BYTES);
  private headBytes = 0;

  /** True if the bytes so far are known to be whole frames. */
  get isBetweenFrames(): boolean {
    return this.payloadLeft === 0 && this.headBytes === 0 && !this.isLost;
  }

  follow(chunk: Buffer): void {
    let at = 0;
    let frames = 0;
    while (at < chunk.length && !this.isLost) {
      if (this.payloadLeft > 0) {
        const passed = Math.min(this.payloadLeft, chunk.length - at);
        this.payloadLeft -= passed;
        at += passed;
        continue;
      }
      this.head[this.headBytes] = chunk[at] as number;
      this.headBytes += 1;
      at += 1;
      if (this.headBytes < 2 || this.headBytes !== headLength(this.head)) continue;
      this.beginPayload();
      this.isLost = ++frames > MAX_FRAMES;
    }
  }

  private beginPayload(): void {
    const { head } = this;
    if (((head[0] as number) & 15) === CLOSE) this.isClosed = true;
    const length = (head[1] as number) & 127;
    this.headBytes = 0;
    if (length < 126) this.payloadLeft = length;
    else if (length === 126) this.payloadLeft = head.readUInt16BE(2);
    else this.payloadLeft = Number(head.readBigUInt64BE(2));
  }
}

function headLength(head: Buffer): number {
  const second = head[1] as number;
  const length = second & 127;
  const mask = (second & 128) === 0 ? 0 : 4;
  return 2 + mask + (length === 126 ? 2 : length === 127 ? 8 : 0);
}

/** A close frame, unmasked as a server sends it (RFC 6455 5.5.1). @param reason at most 123 characters of ASCII */
export function closeFrame(code: number, reason: string): Buffer {
  const text = Buffer.from(reason, 'latin1');
  const frame = Buffer.alloc(4 + text.length);
  frame[0] = 0x80 | CLOSE;
  frame[1] = 2 + text.length;
  frame.writeUInt16BE(code, 2);
  text.copy(frame, 4);
  return frame;
}
