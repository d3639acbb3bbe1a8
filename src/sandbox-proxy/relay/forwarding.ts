import type { Socket } from 'node:net';
import { giveBack } from '../agent-client/read-buffers.js';
import type { ResponseHead } from '../agent-client/response-head.js';
import { flushAtTurnEnd, type Pending } from '../agent-client/turn-end.js';
import type { UpstreamCall, UpstreamListener } from '../agent-client/upstream-call.js';
import { closeAfterAnswer, discardRest, hasUnreadBody, wantsPage } from '../answers/answer.js';
import {
  AppForcesHttpsError,
  ProxyError,
  UpstreamInvalidResponseError,
  UpstreamTimeoutError,
  UpstreamUnreachableError,
} from '../errors.js';
import type { Cut } from '../exchange/cut.js';
import type { Exchange, Relayed } from '../exchange/exchange.js';
import { passableTrailers } from '../headers/field-names.js';
import type { HeaderPolicy } from '../headers/header-policy.js';
import {
  agentErrorCode,
  clientHeaders,
  isProtocolOffered,
  type ResponseContext,
} from '../headers/inbound-response.js';
import { isForcingHttps, type OwnPages } from '../headers/own-pages.js';
import { holdWithHead } from '../node-internals/hold-with-head.js';
import { BodyPieces } from './body-pieces.js';
import type { RequestBody } from './request-body.js';
import { reset } from './reset.js';

/** A whole body up to this size is sent with its head as one string, which is cheaper than two buffers. */
const ONE_WRITE_BYTES = 4_096;
/** How long a client may go without taking a byte of an answer that waits for it, ms. */
const STALLED_MS = 300_000;
/** How long a client has to take what was already sent of an answer that is cut, ms. */
const CUT_MS = 100;
/** How long to wait for the app's `100 Continue` (RFC 9110 10.1.1), ms; then the proxy asks the client for the body. */
const INVITE_AFTER_MS = 1_000;
const EMPTY = Buffer.alloc(0);

/** Where a request goes. */
export interface AgentRoute {
  /** The agent's own `address:port`. */
  readonly authority: string;
  /** `/proxy/{sandboxId}/{port}`: every outbound request line starts with it and a `/`. */
  readonly prefix: string;
  /** As in `ResponseContext`. */
  readonly pages: OwnPages | null;
}

/** Events of a forwarding, besides bytes. */
export interface ForwardingOutcome {
  /**
   * The agent itself refused, or seems to be gone: the route may be old.
   *
   * @param isCertain false where the app may have caused it
   */
  onRouteSuspect(exchange: Exchange, isCertain: boolean): void;
  /** No head came: this error is to be answered. */
  onFailed(exchange: Exchange, error: Error): void;
  /** The agent itself refused with this code, and the browser that asked should get a page. */
  onAgentError(exchange: Exchange, status: number, code: string): void;
  /** The agent switched protocols. @param headers those for the client, flat */
  onUpgraded(exchange: Exchange, head: ResponseHead, headers: string[], socket: Socket, early: Buffer): void;
}

/**
 * The response side of one forwarded request, for plain requests and upgrades: what the agent sends goes to the client as
 * it comes, at the pace at which the client takes it.
 */
export class Forwarding implements UpstreamListener, Pending, Relayed {
  private call: UpstreamCall | null = null;
  private body: RequestBody | null = null;
  /** Bytes just read. They are written when the read is over, together with the head where possible. */
  private readonly pieces = new BodyPieces();
  private isWaitingForDrain = false;
  private isHeadFlushed = false;
  /** True if the client can tell a complete body from a broken one without looking at how the connection ends. */
  private isFramed = false;
  private upgradeHead: ResponseHead | null = null;
  private upgradeHeaders: string[] = [];
  private hasContinued = false;
  private inviting: NodeJS.Timeout | undefined;
  private isDone = false;

  constructor(
    private readonly exchange: Exchange,
    private readonly route: AgentRoute,
    private readonly policy: HeaderPolicy,
    private readonly outcome: ForwardingOutcome,
  ) {}

  /** Starts to send the body, and from now on aborts the call when the client leaves. */
  attach(call: UpstreamCall, body: RequestBody | null): void {
    this.call = call;
    this.body = body;
    this.exchange.relay = this;
    body?.start();
    if (body !== null && this.exchange.expectsContinue)
      this.inviting = setTimeout(() => this.inviteBody(), INVITE_AFTER_MS).unref();
  }

  /** The response is over, or the client has left before it was. */
  onClientClose(): void {
    if (this.isDone) return;
    this.abandon();
    this.exchange.errorCode ??= 'client_closed';
    this.call?.abort();
  }

  /** Cuts off an answer that has begun; otherwise answers the reason. */
  cut({ error, logCode }: Cut): void {
    const { exchange } = this;
    const { request, response } = exchange;
    if (response.writableFinished) return;
    if (this.isDone || response.headersSent) {
      this.call?.abort();
      if (!this.isDone) this.cutOff();
      // Answers to earlier requests on the connection must not be broken off.
      else if (response.socket === null) response.once('socket', (socket: Socket) => reset(socket));
      else reset(request.socket);
      // A client that reads nothing would keep the connection for as long as STALLED_MS.
      if (response.socket !== null) setTimeout(() => reset(request.socket), CUT_MS).unref();
      exchange.errorCode = logCode;
      return;
    }
    this.refuse(error);
    exchange.errorCode = logCode;
  }

  onDrain(): void {
    this.body?.resume();
  }

  onInformational(head: ResponseHead): void {
    const { response, request } = this.exchange;
    if (head.status === 100) {
      if (this.exchange.expectsContinue) this.inviteBody();
      return;
    }
    // Only the first response of the client's pipeline has the socket. Interim answers to later requests may be dropped.
    const { socket } = response;
    if (socket === null || request.httpVersionMinor === 0) return;
    let text = `HTTP/1.1 ${head.status} ${head.reason}\r\n`;
    const headers = clientHeaders(head, this.context);
    for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
    socket.write(`${text}\r\n`, 'latin1');
  }

  onHead(head: ResponseHead): void {
    const { exchange } = this;
    clearTimeout(this.inviting);
    exchange.firstByteMs = performance.now() - exchange.startedAtMs;
    const agentError = agentErrorCode(head);
    // An agent's error about the app says nothing about the route, and an app could cause it as often as it likes.
    if (agentError !== null) {
      exchange.errorCode = `agent;${agentError}`;
      this.outcome.onRouteSuspect(exchange, !agentError.startsWith('app_'));
    } else if (head.status === 502 || head.status === 503) this.outcome.onRouteSuspect(exchange, false);
    if (agentError !== null && wantsPage(exchange.request)) {
      this.abandon();
      this.call?.abort();
      this.outcome.onAgentError(exchange, head.status, agentError);
      return;
    }
    const { pages } = this.route;
    if (head.status > 300 && pages !== null && isForcingHttps(head, exchange.request.url as string, pages)) {
      this.refuse(new AppForcesHttpsError());
      return;
    }
    const headers = clientHeaders(head, this.context);
    if (head.status === 101) {
      if (!isProtocolOffered(head, exchange.upgrade?.protocols ?? '')) {
        this.refuse(new UpstreamInvalidResponseError(new Error('101 to a protocol not offered')));
        return;
      }
      exchange.status = head.status;
      this.upgradeHead = head;
      this.upgradeHeaders = headers;
      return;
    }
    exchange.status = head.status;
    const { request, response } = exchange;
    closeAfterAnswer(request, response);
    try {
      response.writeHead(head.status, head.reason, headers);
      this.isFramed = head.framing === 'length' || response.chunkedEncoding;
    } catch (error) {
      this.refuse(new UpstreamInvalidResponseError(error));
    }
  }

  onBody(chunk: Buffer): void {
    if (this.isDone) return;
    this.exchange.bytesOut += chunk.length;
    if (this.pieces.add(chunk)) return;
    this.flushPieces();
    this.pieces.add(chunk);
  }

  onLull(): void {
    if (this.isDone) return;
    if (this.pieces.length > 0) this.flushPieces();
    else if (!this.isHeadFlushed && this.exchange.response.headersSent) this.write(EMPTY);
  }

  onComplete(rawTrailers: string[]): void {
    if (this.isDone) return;
    this.isDone = true;
    const { request, response } = this.exchange;
    const { pieces } = this;
    if (rawTrailers.length > 0) this.addTrailers(rawTrailers);
    if (pieces.length === 0) response.end();
    else if (pieces.length > ONE_WRITE_BYTES) this.endWith(pieces.takeCopy());
    else if (this.isHeadFlushed || response.chunkedEncoding) response.end(pieces.takeText(), 'latin1');
    else this.endWithHead(pieces.takeText());
    if (!hasUnreadBody(request)) return;
    this.body?.stop();
    discardRest(request);
  }

  /** Ends a response whose head and body are already held together. */
  flush(): void {
    this.exchange.response.end();
  }

  onUpgraded(socket: Socket, early: Buffer): void {
    this.isDone = true;
    if (this.upgradeHead === null) throw new Error('upgraded without a 101');
    this.outcome.onUpgraded(this.exchange, this.upgradeHead, this.upgradeHeaders, socket, early);
  }

  onError(error: Error): void {
    if (this.isDone) return;
    if (error instanceof ProxyError) {
      this.abandon();
      const isRouteSuspect =
        error instanceof UpstreamUnreachableError ||
        (error instanceof UpstreamTimeoutError && error.phase === 'connect');
      if (isRouteSuspect) this.outcome.onRouteSuspect(this.exchange, true);
      this.outcome.onFailed(this.exchange, error);
      return;
    }
    this.cutOff();
  }

  /** The response broke off. The client must not see a clean end, as a FIN would be for a body without chunks or length. */
  private cutOff(): void {
    const { exchange } = this;
    this.flushPieces();
    this.isDone = true;
    exchange.errorCode = 'upstream_truncated';
    if (!this.isHeadFlushed) this.write(EMPTY);
    this.body?.stop();
    const { response } = exchange;
    const { socket } = exchange.request;
    // On Node 26 what was written in this turn has not left before it ends.
    const cut = () => setImmediate(() => (this.isFramed ? socket.destroySoon() : reset(socket)));
    // Until this response has the connection, earlier answers are still being written to it.
    if (response.socket === null) response.once('socket', cut);
    else cut();
  }

  /** Sends `100 Continue`, once, and not after an answer has begun. */
  private inviteBody(): void {
    const { response } = this.exchange;
    if (this.hasContinued || this.isDone || response.headersSent) return;
    this.hasContinued = true;
    clearTimeout(this.inviting);
    response.writeContinue();
  }

  /** Answers this error in place of what the app has sent, or would send. */
  private refuse(error: Error): void {
    this.abandon();
    this.call?.abort();
    this.outcome.onFailed(this.exchange, error);
  }

  private abandon(): void {
    clearTimeout(this.inviting);
    this.isDone = true;
    this.pieces.clear();
    this.body?.stop();
  }

  private addTrailers(rawTrailers: readonly string[]): void {
    const { response } = this.exchange;
    if (!response.chunkedEncoding) return;
    const trailers = passableTrailers(rawTrailers, this.policy.credentials);
    const pairs: [string, string][] = [];
    for (let i = 0; i < trailers.length; i += 2)
      pairs.push([trailers[i] as string, trailers[i + 1] as string]);
    response.addTrailers(pairs);
  }

  private flushPieces(): void {
    if (this.pieces.length > 0) this.write(this.pieces.takeCopy());
  }

  private write(copy: Buffer): void {
    const { response } = this.exchange;
    this.isHeadFlushed = true;
    if (response.write(copy, () => giveBack(copy)) || this.isWaitingForDrain) return;
    this.isWaitingForDrain = true;
    this.call?.pause();
    const { socket } = this.exchange.request;
    // For a refused upgrade, Node has removed the server's own listener.
    socket.setTimeout(STALLED_MS).once('timeout', destroyIt);
    response.once('drain', () => {
      this.isWaitingForDrain = false;
      socket.setTimeout(0).off('timeout', destroyIt);
      this.call?.resume();
    });
  }

  private endWithHead(body: string): void {
    const { response } = this.exchange;
    if (holdWithHead(response, body)) flushAtTurnEnd(this);
    else response.end(body, 'latin1');
  }

  private endWith(copy: Buffer): void {
    this.exchange.response.end(copy, () => giveBack(copy));
  }

  private get context(): ResponseContext {
    const { address, request } = this.exchange;
    return {
      prefix: this.route.prefix,
      authority: this.route.authority,
      pages: this.route.pages,
      origin: request.headers.origin,
      hostname: address?.hostname ?? '',
      clientTakesChunks: request.httpVersionMinor === 1,
      cors: this.exchange.cors,
      cookies: this.policy.cookies,
      requestId: this.exchange.requestId,
    };
  }
}

function destroyIt(this: Socket): void {
  this.destroy();
}
