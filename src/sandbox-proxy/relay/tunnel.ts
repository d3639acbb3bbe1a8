import type { Socket } from 'node:net';
import type { AccessLogEntry } from '../answers/access-log.js';
import type { Admission } from '../admission/credential-scheme.js';
import type { Live, LiveGroup } from '../open-access/open-group.js';
import type { CutReason } from '../open-access/cut-reason.js';
import { REVOKED } from '../errors.js';
import { closeFrame, FrameBoundary } from './frame-boundary.js';
import { reset } from './reset.js';

/** How long a connection that one side has ended may stay silent, ms; then the other side is taken for gone. */
const HALF_OPEN_MS = 30_000;
/** When the kernel starts to ask a silent peer whether it is still there, ms. */
const KEEP_ALIVE_MS = 60_000;

/** How long a side may take not a byte of what waits for it, ms. */
const STALLED_MS = 300_000;

/** How long the rest of a frame is waited for before a WebSocket is closed without a word, ms. */
const FRAME_END_MS = 100;
/** How long the client may then take to hang up itself, ms. */
const HANG_UP_MS = 100;

const TUNNEL = Symbol('tunnel');

/** A socket that is one end of a tunnel. */
type End = Socket & { [TUNNEL]: Tunnel };

/** Why a WebSocket is closed from here (RFC 6455 7.4.1). */
const REASONS = {
  1001: 'the server is about to stop',
  1008: REVOKED,
  1013: 'access could not be checked; try again',
} as const;
export type CloseCode = keyof typeof REASONS;

/**
 * Two spliced sockets: bytes both ways, at the pace of the slower side, until either side is gone. There are
 * thousands of these and most are idle, so a tunnel keeps nothing of the request but its log entry, and all tunnels
 * share their listeners.
 */
export class Tunnel implements Live {
  group: LiveGroup | null = null;
  index = -1;
  private isClosed = false;
  /** Set once the tunnel is being ended from here: nothing passes any more but the rest of a frame. */
  private closeCode: CloseCode | null = null;

  /** @param boundary for a WebSocket, so that it can be told why it is closed; null for other protocols */
  constructor(
    readonly client: Socket,
    readonly upstream: Socket,
    readonly admission: Admission | null,
    private readonly boundary: FrameBoundary | null,
    private readonly entry: AccessLogEntry,
    private readonly onClosed: (tunnel: Tunnel, entry: AccessLogEntry) => void,
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

  /** Ends both sides, telling a WebSocket why once the frame that is on its way has passed. */
  close(code: CloseCode): void {
    if (this.closeCode !== null || this.isClosed) return;
    this.closeCode = code;
    if (this.boundary === null || this.boundary.isClosed || this.boundary.isBetweenFrames) this.hangUp(code);
    else setTimeout(() => this.hangUp(code), FRAME_END_MS);
  }

  cut(reason: CutReason): void {
    this.entry.errorCode = reason;
    this.close(reason === 'revoked' ? 1008 : 1013);
  }

  /** The other end. */
  otherOf(socket: Socket): Socket {
    return socket === this.client ? this.upstream : this.client;
  }

  /** Whether the bytes go on to the other side. */
  lets(from: Socket, chunk: Buffer): boolean {
    if (from === this.client) {
      this.entry.bytesIn += chunk.length;
      return this.closeCode === null;
    }
    this.entry.bytesOut += chunk.length;
    this.boundary?.follow(chunk);
    return true;
  }

  /** Bytes of the other side have passed: where they ended a frame, the tunnel may end. */
  noteSent(): void {
    if (this.closeCode !== null && this.boundary?.isBetweenFrames === true) this.hangUp(this.closeCode);
  }

  noteClosed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClosed(this, this.entry);
  }

  private hangUp(code: CloseCode): void {
    const { client, upstream, boundary } = this;
    if (this.isClosed) return;
    upstream.off('close', onClose).off('data', onData).destroy();
    if (boundary?.isBetweenFrames === true && !boundary.isClosed)
      client.write(closeFrame(code, REASONS[code]));
    client.end();
    client.once('end', () => client.destroy());
    // A client that reads nothing would never let go.
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
  // Not read any more, this side cannot be seen to leave: the other one has to take something now and then.
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

/** A reset or worse: the other side shall see it as such, and not as an orderly end. */
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
