import type { Socket } from 'node:net';
import { SandboxBusyError } from '../errors.js';
import type { AgentOrigin } from './agent-address.js';
import type { ResponseHead } from './response-parser.js';

/** One request to an agent, without its body. */
export interface UpstreamRequest {
  readonly origin: AgentOrigin;
  /** Connections are never shared between sandboxes. */
  readonly sandboxId: string;
  /** Each team has a share of the connections. */
  readonly teamId: string;
  readonly method: string;
  /** The whole head as it is sent, in latin1, with the blank line. */
  readonly head: string;
  readonly hasBody: boolean;
  readonly isUpgrade: boolean;
}

/**
 * Hears how a call goes on: `onInformational` any number of times, `onHead`, `onBody` any number of times, then
 * `onComplete` or `onError`; or `onHead` and `onUpgraded` for the 101 that answers an upgrade.
 */
export interface UpstreamListener {
  /** The agent takes bytes again, after `write` returned false. */
  onDrain(): void;
  onInformational(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  /** The chunk is valid only during the call: copy what is to be kept. */
  onBody(chunk: Buffer): void;
  /** Everything that has arrived so far was passed on: send now what was held back. */
  onLull(): void;
  /** HTTP is over on this socket. @param early bytes that came right after the 101 */
  onUpgraded(socket: Socket, early: Buffer): void;
  onComplete(rawTrailers: string[]): void;
  /** Before `onHead` a ProxyError, to be answered; after it an UpstreamTruncatedError. */
  onError(error: Error): void;
}

/** A connection, as its call sees it. */
export interface CallConnection {
  /** @param text the request so far, latin1 */
  start(call: UpstreamCall, text: string): void;
  /** True while the connection works for `call`. */
  serves(call: UpstreamCall): boolean;
  write(chunk: Buffer, before: string, after: string): boolean;
  finishRequest(): void;
  pause(): void;
  resume(): void;
  close(): void;
}

/** A request under way to an agent: sends it, and controls its connection. */
export class UpstreamCall {
  /** True once the whole request has been given to the connection. */
  isSent: boolean;
  /** Set while the call waits for a connection. */
  onAbort: (() => void) | null = null;
  private connection: CallConnection | null = null;

  constructor(
    readonly request: UpstreamRequest,
    readonly listener: UpstreamListener,
  ) {
    this.isSent = !request.hasBody;
  }

  /**
   * Puts the request on a connection; called again if that connection turned out to have died while idle.
   *
   * @param text the head, and what was already written of the body
   */
  startOn(connection: CallConnection, text = this.request.head): void {
    this.onAbort = null;
    this.connection = connection;
    connection.start(this, text);
  }

  /**
   * Sends bytes of the body as they are, between `before` and `after`, the framing in latin1. False: wait for
   * `onDrain`.
   */
  write(chunk: Buffer, before = '', after = ''): boolean {
    return this.current?.write(chunk, before, after) ?? true;
  }

  /** The request has been written to its end. */
  finish(): void {
    this.isSent = true;
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
    this.listener.onError(new SandboxBusyError());
  }

  /** Nobody wants the answer any more: closes the connection, and the listener hears nothing more. */
  abort(): void {
    this.onAbort?.();
    this.current?.close();
    this.connection = null;
  }

  /** The connection, while it works for this call. */
  private get current(): CallConnection | null {
    const { connection } = this;
    return connection !== null && connection.serves(this) ? connection : null;
  }
}
