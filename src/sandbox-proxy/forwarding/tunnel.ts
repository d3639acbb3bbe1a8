import type { Socket } from 'node:net';
import type { AccessLogEntry } from '../answers/access-log.js';
import { reset } from './reset.js';

/** How long a connection that one side has ended may stay silent, ms; then the other side is taken for gone. */
const HALF_OPEN_MS = 30_000;
/** When the kernel starts to ask a silent peer whether it is still there, ms. */
const KEEP_ALIVE_MS = 60_000;

/** How long a side may take not a byte of what waits for it, ms. */
const STALLED_MS = 300_000;

const TUNNEL = Symbol('tunnel');

/** A socket that is one end of a tunnel. */
type End = Socket & { [TUNNEL]: Tunnel };

/**
 * Two spliced sockets: bytes both ways, at the pace of the slower side, until either side is gone. There are
 * thousands of these and most are idle, so a tunnel keeps nothing of the request but its log entry, and all tunnels
 * share their listeners.
 */
export class Tunnel {
  private isClosed = false;

  constructor(
    readonly client: Socket,
    readonly upstream: Socket,
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

  /** Ends both sides once what is on its way has been sent. */
  close(): void {
    this.client.destroySoon();
  }

  /** The other end. */
  otherOf(socket: Socket): Socket {
    return socket === this.client ? this.upstream : this.client;
  }

  count(from: Socket, bytes: number): void {
    if (from === this.client) this.entry.bytesIn += bytes;
    else this.entry.bytesOut += bytes;
  }

  noteClosed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClosed(this, this.entry);
  }
}

function onData(this: End, chunk: Buffer): void {
  const tunnel = this[TUNNEL];
  tunnel.count(this, chunk.length);
  const other = tunnel.otherOf(this);
  if (other.write(chunk)) return;
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
