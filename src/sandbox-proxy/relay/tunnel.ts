import type { Socket } from 'node:net';
import type { Cut, WebSocketClose } from '../exchange/cut.js';
import type { OpenGroup, OpenMember } from '../exchange/open-group.js';
import { closeFrame, FrameBoundary } from './frame-boundary.js';
import { reset } from './reset.js';
import type { TunnelRecord } from './tunnel-record.js';

/** How long a tunnel may stay silent after one side has ended, ms; then the other side counts as gone. */
const HALF_OPEN_MS = 300_000;
/** When the kernel starts to ask a silent peer whether it is still there, ms. */
const KEEP_ALIVE_MS = 60_000;

/** How long a side may go without taking a byte of what waits for it, ms. */
const STALLED_MS = 300_000;

/** How long to wait for the rest of a frame before a WebSocket is closed without a close frame, ms. */
const FRAME_END_MS = 100;
/** How long the client has to end its side after that, ms. */
const HANG_UP_MS = 100;

const TUNNEL = Symbol('tunnel');

/** A socket that is one end of a tunnel. */
type End = Socket & { [TUNNEL]: Tunnel };

/**
 * Two spliced sockets: bytes both ways, at the pace of the slower side, until either side is gone. There are thousands of
 * tunnels and most are idle, so a tunnel keeps nothing of its request but the record for the log, and all tunnels share
 * their listener functions.
 */
export class Tunnel implements OpenMember {
  group: OpenGroup | null = null;
  index = -1;
  private isClosed = false;
  /** True once it has been ended from here: a close frame is sent only once. */
  private isHungUp = false;
  /** Set when the tunnel is being ended from here: from then on only the rest of a frame passes. */
  private closing: WebSocketClose | null = null;

  /** @param boundary for a WebSocket, so that it can get a close frame; null for other protocols */
  constructor(
    readonly client: Socket,
    readonly upstream: Socket,
    private readonly boundary: FrameBoundary | null,
    private readonly record: TunnelRecord,
    private readonly onClosed: (tunnel: Tunnel, record: TunnelRecord) => void,
  ) {
    for (const socket of [client, upstream] as End[]) {
      socket[TUNNEL] = this;
      socket.setTimeout(0);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      socket
        .on('data', onData)
        .on('drain', onDrain)
        .on('end', onEnd)
        .on('timeout', onTimeout)
        .on('error', onError)
        .on('close', onClose);
      socket.resume();
    }
  }

  /** Ends both sides; a WebSocket gets a close frame once the frame on its way has passed. */
  close(close: WebSocketClose): void {
    if (this.closing !== null || this.isClosed) return;
    this.closing = close;
    if (this.boundary === null || this.boundary.isClosed || this.boundary.isBetweenFrames) this.hangUp(close);
    else setTimeout(() => this.hangUp(close), FRAME_END_MS);
  }

  get openAt(): string | null {
    return this.record.openAt;
  }

  cut({ close, logCode }: Cut): void {
    this.record.errorCode = logCode;
    this.close(close);
  }

  /** The other end. */
  otherOf(socket: Socket): Socket {
    return socket === this.client ? this.upstream : this.client;
  }

  /** Counts the bytes, and says whether they go on to the other side. */
  lets(from: Socket, chunk: Buffer): boolean {
    if (from === this.client) {
      this.record.bytesIn += chunk.length;
      return this.closing === null;
    }
    this.record.bytesOut += chunk.length;
    this.boundary?.follow(chunk);
    return true;
  }

  /** To be called after bytes have passed: if they completed a frame, a tunnel that is being ended can end now. */
  noteSent(): void {
    if (this.closing !== null && this.boundary?.isBetweenFrames === true) this.hangUp(this.closing);
  }

  noteClosed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClosed(this, this.record);
  }

  private hangUp({ code, reason }: WebSocketClose): void {
    if (this.isHungUp) return;
    this.isHungUp = true;
    const { client, upstream, boundary } = this;
    if (this.isClosed) return;
    upstream.off('close', onClose).off('data', onData).destroy();
    if (boundary?.isBetweenFrames === true && !boundary.isClosed) client.write(closeFrame(code, reason));
    client.end();
    client.once('end', () => client.destroy());
    // A client that reads nothing would never end its side.
    setTimeout(() => client.destroy(), HANG_UP_MS);
  }
}

function onData(this: End, chunk: Buffer): void {
  const tunnel = this[TUNNEL];
  if (!tunnel.lets(this, chunk)) return;
  const other = tunnel.otherOf(this);
  const mayGoOn = other.write(chunk);
  tunnel.noteSent();
  if (mayGoOn) return;
  this.pause();
  // While this side is not read, nobody would notice that it leaves, so the other side must take something in time.
  other.setTimeout(STALLED_MS);
}

function onDrain(this: End): void {
  const other = this[TUNNEL].otherOf(this);
  this.setTimeout(other.readableEnded ? HALF_OPEN_MS : 0);
  other.resume();
}

function onEnd(this: End): void {
  const other = this[TUNNEL].otherOf(this);
  other.end();
  other.setTimeout(HALF_OPEN_MS);
}

function onTimeout(this: End): void {
  this.destroy();
}

/** A reset or another failure: the other side should see a failure too, and not a clean end. */
function onError(this: End): void {
  reset(this[TUNNEL].otherOf(this));
}

function onClose(this: End): void {
  const tunnel = this[TUNNEL];
  const other = tunnel.otherOf(this);
  if (this.readableEnded) other.destroySoon();
  else other.destroy();
  tunnel.noteClosed();
}
