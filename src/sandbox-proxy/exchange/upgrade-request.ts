import type { Socket } from 'node:net';

/**
 * How many bytes a client may send before the 101. The connection of one that sends more is closed: if it were only paused,
 * nobody would notice when the client leaves.
 */
const MAX_EARLY_BYTES = 65_536;
/** And in how many reads: each is a piece of memory of its own, however few bytes it brings. */
const MAX_EARLY_PIECES = 256;

/**
 * What an upgrade adds to a request: the client's bare socket. Bytes that come before the agent has agreed are held,
 * so that they are never taken for a request. The socket is still read, or nobody would notice when the client leaves.
 */
export class UpgradeRequest {
  /** Called once, when the socket stops being that of an HTTP response. */
  onReleased: () => void = () => undefined;

  private readonly held: Buffer[] = [];
  private heldBytes = 0;
  private isDropped = false;

  /**
   * @param protocols the Upgrade header, e.g. `websocket`
   * @param head bytes that came with the handshake
   */
  constructor(
    readonly protocols: string,
    readonly socket: Socket,
    head: Buffer,
  ) {
    if (head.length > 0) this.hold(head);
    socket.on('data', this.hold);
    socket.on('end', this.leave);
    socket.on('error', this.leave);
  }

  /** The agent agreed: returns what was held, in order, and lets go of the socket. */
  release(): Buffer {
    this.onReleased();
    this.socket.off('data', this.hold);
    this.socket.off('end', this.leave);
    this.socket.off('error', this.leave);
    this.socket.pause();
    return Buffer.concat(this.held.splice(0));
  }

  /** The agent refused: what the client has sent after its request, and will send, is discarded. */
  drop(): void {
    this.onReleased();
    this.isDropped = true;
    this.held.length = 0;
  }

  private readonly hold = (chunk: Buffer): void => {
    if (this.isDropped) return;
    this.heldBytes += chunk.length;
    this.held.push(chunk);
    if (this.heldBytes > MAX_EARLY_BYTES || this.held.length > MAX_EARLY_PIECES) this.leave();
  };

  private readonly leave = (): void => {
    this.socket.destroy();
  };
}
