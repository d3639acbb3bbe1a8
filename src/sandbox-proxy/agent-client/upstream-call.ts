import type { Socket } from 'node:net';
import { SandboxBusyError } from '../errors.js';
import type { AgentOrigin } from './agent-address.js';
import type { ResponseHead } from './response-parser.js';

/** One request to an agent, complete but for its body. */
export interface UpstreamRequest {
  readonly origin: AgentOrigin;
  /** Connections are never shared between sandboxes. */
  readonly sandboxId: string;
  /** On whose behalf: teams have shares of the connections. */
  readonly teamId: string;
  readonly method: string;
  /** The whole head as it leaves, latin1, with the blank line. */
  readonly head: string;
  readonly hasBody: boolean;
  readonly isUpgrade: boolean;
}

/**
 * Who is told how a call goes on: `onInformational` any number of times, `onHead`, `onBody` any number of times,
 * then one of `onComplete` and `onError`; or `onHead` and `onUpgraded` for the 101 that answers an upgrade.
 */
export interface UpstreamListener {
  /** The agent takes bytes again, after `write` had returned false. */
  onDrain(): void;
  onInformational(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  /** The chunk is only valid during the call: copy what is kept. */
  onBody(chunk: Buffer): void;
  /** All that has arrived so far was given: what is held back should be sent now. */
  onLull(): void;
  /** HTTP is over on this socket; `early` are the bytes that came right behind the 101. */
  onUpgraded(socket: Socket, early: Buffer): void;
  onComplete(rawTrailers: string[]): void;
  /** After `onHead` an UpstreamTruncatedError; before it an ProxyError that says what to answer. */
  onError(error: Error): void;
}

/** What a call needs of the connection that it is on. */
export interface CallConnection {
  start(call: UpstreamCall): void;
  /** True while the exchange on the connection is that of `call`. */
  serves(call: UpstreamCall): boolean;
  writeTogether(pieces: readonly (Buffer | string)[]): boolean;
  write(chunk: Buffer | string): boolean;
  finishRequest(): void;
  pause(): void;
  resume(): void;
  close(): void;
}

/** A request under way: its sending side, and the handle on its connection. */
export class UpstreamCall {
  isAborted = false;
  private connection: CallConnection | null = null;

  constructor(
    readonly request: UpstreamRequest,
    readonly listener: UpstreamListener,
  ) {}

  /** Puts the request on a connection; a second time where the first turned out to have died while idle. */
  startOn(connection: CallConnection): void {
    this.connection = connection;
    connection.start(this);
  }

  /** `write` for several pieces that leave together. */
  writeTogether(pieces: readonly (Buffer | string)[]): boolean {
    return this.current?.writeTogether(pieces) ?? true;
  }

  /** Sends body bytes as they are (framing is the caller's); false asks to wait for `onDrain`. */
  write(chunk: Buffer | string): boolean {
    return this.current?.write(chunk) ?? true;
  }

  /** The request has been written to its end. */
  finish(): void {
    this.current?.finishRequest();
  }

  /** Stops reading the response. */
  pause(): void {
    this.current?.pause();
  }

  resume(): void {
    this.current?.resume();
  }

  /** No connection became free in time. */
  refuse(): void {
    if (!this.isAborted) this.listener.onError(new SandboxBusyError());
  }

  /** Nobody wants the answer any more: the connection is closed at once and nothing more is told. */
  abort(): void {
    this.isAborted = true;
    this.current?.close();
    this.connection = null;
  }

  /** The connection, as long as it is this call's. */
  private get current(): CallConnection | null {
    const { connection } = this;
    return connection !== null && connection.serves(this) ? connection : null;
  }
}
