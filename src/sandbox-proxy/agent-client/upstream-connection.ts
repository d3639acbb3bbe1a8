import type { Socket } from 'node:net';
import {
  type ResponseHead,
  type ResponseListener,
  ResponseParser,
  ResponseSyntaxError,
} from './response-parser.js';
import {
  HostUnavailableError,
  ProxyBusyError,
  UpstreamInvalidResponseError,
  UpstreamTimeoutError,
  UpstreamTruncatedError,
  UpstreamUnreachableError,
} from '../errors.js';
import { flushAtTurnEnd, type Pending } from './turn-end.js';
import { coolDownMs } from './cool-down.js';
import type { CallConnection, UpstreamCall } from './upstream-call.js';

/** The pool, as its connections see it. */
export interface ConnectionOwner {
  /** The pool's coarse clock, milliseconds. */
  readonly nowMs: number;
  readonly firstByteTimeoutMs: number;
  readonly teamId: string;
  /** The request is done, and the connection can be used for another. */
  onIdle(connection: UpstreamConnection): void;
  /** The agent has accepted a connection, or answered. */
  onProven(): void;
  /** The agent has not accepted this connection in time. */
  onConnectTimeout(): void;
  /** The connection is closed. */
  onGone(connection: UpstreamConnection): void;
  /**
   * A connection that had been used before died before any answer came. True if the call was started again.
   *
   * @param unsent the request so far, if nothing of it had been sent; otherwise null
   */
  onDiedIdle(call: UpstreamCall, unsent: string | null): boolean;
}

/**
 * A body up to this size leaves in one write with its head, when the turn of the event loop ends (POST of 1 KiB:
 * 0.71 of the CPU; Node 20.20, 2026-12). Both then still fit the 16 KiB that Node writes without allocating.
 */
const HELD_BODY_BYTES = 8_192;
const NOTHING = Buffer.alloc(0);
const nothing = (): void => undefined;
const SPENT_PARSER = new ResponseParser({
  onInformational: nothing,
  onHead: nothing,
  onBody: nothing,
  onComplete: nothing,
});

/**
 * One HTTP/1.1 connection to an agent: one request at a time, strict about what comes back, and closed at the first byte
 * that was not asked for (CVE-2026-48931).
 */
export class UpstreamConnection implements ResponseListener, CallConnection, Pending {
  /** Until when it may stay idle, on the pool's clock. */
  idleUntilMs = Infinity;
  /** How long the agent promises to keep it, milliseconds; Infinity if it does not say. */
  keepAliveMs = Infinity;
  /**
   * When the agent must have accepted the connection, or answered, on the pool's clock; Infinity while nothing is
   * awaited.
   */
  deadlineMs = Infinity;

  private parser = new ResponseParser(this);
  private call: UpstreamCall | null = null;
  private state: 'connecting' | 'open' | 'upgraded' | 'closed' = 'connecting';
  /** True after the first response: a failure may then mean that the connection died while idle. */
  private hasServed = false;
  /** The head of a request and what its body has brought so far, latin1: written when this turn of the event loop ends. */
  private unsent: string | null = null;
  private heldBodyBytes = 0;
  private hasResponseBytes = false;
  private isHeadReceived = false;
  private isComplete = false;
  private isReusable = false;
  private isPaused = false;
  /** Set while the connection is not read because it has brought too many pieces. */
  private cooling: NodeJS.Timeout | null = null;
  /** Pieces of a body in the read under way. */
  private pieces = 0;

  constructor(
    readonly socket: Socket,
    private readonly owner: ConnectionOwner,
  ) {
    socket.on('drain', this.onDrain).on('end', this.onEnd).on('error', this.fail).on('close', this.onClose);
  }

  /** The connection is established: from now on the first-byte timeout runs. */
  onConnected(): void {
    this.state = 'open';
    this.owner.onProven();
    this.postponeDeadline();
  }

  /** Writes the request, as far as it is known, at the end of this turn, and awaits the response to it. */
  start(call: UpstreamCall, text: string): void {
    const { request } = call;
    this.call = call;
    this.hasResponseBytes = this.isHeadReceived = this.isComplete = false;
    this.parser.begin(request.method, request.isUpgrade);
    this.unsent = text;
    this.heldBodyBytes = text.length - request.head.length;
    flushAtTurnEnd(this);
  }

  flush(): void {
    const { unsent } = this;
    if (unsent === null) return;
    this.unsent = null;
    // From now on an answer can come.
    this.postponeDeadline();
    this.socket.write(unsent, 'latin1');
  }

  /** True while a request has been sent, or is being sent, and nothing has come back. */
  get isAwaitingHead(): boolean {
    return this.state === 'open' && this.call !== null && !this.hasResponseBytes;
  }

  /** While an answer is awaited: when bytes of the request were last sent, on the pool's clock. */
  get awaitingSinceMs(): number {
    return this.deadlineMs - this.owner.firstByteTimeoutMs;
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  /** True while the connection works for `call`. */
  serves(call: UpstreamCall): boolean {
    return this.call === call && this.state !== 'closed';
  }

  write(chunk: Buffer, before: string, after: string): boolean {
    const { unsent, socket } = this;
    const bytes = before.length + chunk.length + after.length;
    if (unsent !== null && this.heldBodyBytes + bytes <= HELD_BODY_BYTES) {
      this.unsent = unsent + before + chunk.toString('latin1') + after;
      this.heldBodyBytes += bytes;
      return true;
    }
    socket.cork();
    this.flush();
    this.postponeDeadline();
    let mayGoOn = true;
    if (before !== '') mayGoOn = socket.write(before, 'latin1');
    if (chunk.length > 0) mayGoOn = socket.write(chunk);
    if (after !== '') mayGoOn = socket.write(after, 'latin1');
    socket.uncork();
    return mayGoOn;
  }

  finishRequest(): void {
    this.postponeDeadline();
  }

  /** Stops reading, which slows the agent down. */
  pause(): void {
    this.isPaused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    if (this.cooling === null) this.socket.resume();
  }

  /** Bytes from the agent. The buffer is used for other bytes once this returns. */
  onRead(buffer: Buffer, length: number): void {
    if (this.state !== 'open') return;
    if (this.unsent !== null) {
      // The request has not been written yet, so this is not an answer to it.
      this.fail(new Error('bytes that were not asked for'));
      return;
    }
    this.hasResponseBytes = true;
    this.pieces = 0;
    let consumed: number;
    try {
      consumed = this.parser.execute(buffer, length);
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    // The listener may have closed the connection.
    if (!this.isOpen) return;
    if (this.parser.isUpgraded) {
      this.handOver(consumed < length ? Buffer.from(buffer.subarray(consumed, length)) : NOTHING);
    } else if (!this.isComplete) {
      this.call?.listener.onLull();
      const waitMs = coolDownMs(this.owner.teamId, this.pieces, this.owner.nowMs);
      if (waitMs > 0) this.coolDown(waitMs);
    } else if (consumed < length) {
      this.close();
    } else {
      this.settle();
    }
  }

  onInformational(head: ResponseHead): void {
    this.call?.listener.onInformational(head);
  }

  onHead(head: ResponseHead): void {
    this.isHeadReceived = true;
    this.owner.onProven();
    this.deadlineMs = Infinity;
    this.isReusable = head.keepAlive;
    this.keepAliveMs = head.keepAliveSeconds * 1_000;
    this.call?.listener.onHead(head);
  }

  onBody(chunk: Buffer): void {
    this.pieces += 1;
    this.call?.listener.onBody(chunk);
  }

  onComplete(rawTrailers: string[]): void {
    this.isComplete = true;
    this.call?.listener.onComplete(rawTrailers);
  }

  /** Closes the connection without telling the call that waits on it. */
  close(): void {
    this.call = null;
    if (this.state === 'closed') return;
    const wasUpgraded = this.state === 'upgraded';
    this.state = 'closed';
    this.unsent = null;
    this.deadlineMs = Infinity;
    if (this.cooling !== null) clearTimeout(this.cooling);
    this.socket.destroy();
    if (!wasUpgraded) this.owner.onGone(this);
  }

  /** Closes the connection and tells the call that waits on it. */
  readonly fail = (error: Error): void => {
    if (this.state === 'closed' || this.state === 'upgraded') return;
    const { call, unsent } = this;
    this.close();
    if (call === null || this.isComplete) return;
    const diedIdle = this.hasServed && !this.hasResponseBytes && !(error instanceof UpstreamTimeoutError);
    if (diedIdle && this.owner.onDiedIdle(call, unsent)) return;
    call.listener.onError(this.errorFor(error));
  };

  /** The deadline passed. */
  timeOut(): void {
    if (this.state === 'connecting') this.owner.onConnectTimeout();
    this.fail(new UpstreamTimeoutError(this.state === 'connecting' ? 'connect' : 'first byte'));
  }

  private coolDown(waitMs: number): void {
    this.socket.pause();
    this.cooling = setTimeout(() => {
      this.cooling = null;
      if (!this.isPaused) this.socket.resume();
    }, waitMs);
  }

  /**
   * After a complete response: back to the pool, or closed if the request is not sent whole or the response forbids
   * reuse.
   */
  private settle(): void {
    if (!this.isReusable || this.call?.isSent !== true) {
      this.close();
      return;
    }
    this.call = null;
    this.hasServed = true;
    // The client may still be taking its answer, but an idle connection must be read, or nobody would notice its end.
    this.resume();
    this.owner.onIdle(this);
  }

  private handOver(early: Buffer): void {
    const { call, socket } = this;
    this.state = 'upgraded';
    this.call = null;
    socket.removeAllListeners('data');
    socket.off('drain', this.onDrain).off('end', this.onEnd).off('error', this.fail);
    // A tunnel lives long, and should not keep a parser and its buffers in memory.
    this.parser = SPENT_PARSER;
    call?.listener.onUpgraded(socket, early);
  }

  private readonly onDrain = (): void => this.call?.listener.onDrain();

  private readonly onEnd = (): void => {
    if (this.state !== 'open') return;
    try {
      this.parser.finish();
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    this.close();
  };

  private readonly onClose = (): void => {
    if (this.state === 'upgraded') {
      this.state = 'closed';
      this.owner.onGone(this);
    } else {
      this.fail(new Error('the connection closed'));
    }
  };

  private postponeDeadline(): void {
    if (this.state === 'open' && !this.isHeadReceived) {
      this.deadlineMs = this.owner.nowMs + this.owner.firstByteTimeoutMs;
    }
  }

  private errorFor(error: Error): Error {
    if (this.isHeadReceived) return new UpstreamTruncatedError(error);
    if (error instanceof UpstreamTimeoutError || error instanceof HostUnavailableError) return error;
    if (isShortage(error)) return new ProxyBusyError(error);
    if (error instanceof ResponseSyntaxError) return new UpstreamInvalidResponseError(error);
    return new UpstreamUnreachableError(error);
  }
}

/** True if this process, and not the agent, lacks what a connection needs: descriptors, buffers, local ports. */
function isShortage(error: Error & { code?: string }): boolean {
  return SHORTAGES.has(error.code ?? '');
}

const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);
