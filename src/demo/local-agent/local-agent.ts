import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { agentErrorAnswer, answerWithError, MISDIRECTED } from './agent-error.js';
import { declaresBody, valuesOf } from './agent-headers.js';
import { type AgentTarget, parseAgentTarget } from './agent-target.js';
import { exchange, HEAD_MAX_BYTES } from './app-exchange.js';
import { EarlyBytes } from './tunnel.js';
import { isSameSecret } from '../../platform/identifiers/secret.js';

/** Longer than any load balancer or client pool keeps a connection, so that the agent never closes an idle one first. */
const KEEP_ALIVE_TIMEOUT_MS = 620_000;
const HEADERS_TIMEOUT_MS = 10_000;

export interface LocalAgentOptions {
  /** The secret that every request must have in `X-Sandbox-Agent-Token`. */
  readonly token: string;
  /** Ports that are not a sandbox's, such as the control plane's. The agent's own port is always denied. */
  readonly deniedPorts: () => readonly number[];
  /** How long an answer may be silent once the client has ended its side, and so may have gone, milliseconds. */
  readonly halfClosedWaitMs?: number;
}

/**
 * A host agent for one machine, where the "sandbox" is the machine itself:
 * `/proxy/{sandbox id}/{port}/{path}` -> `/{path}` on `localhost:{port}`, HTTP and upgrades (docs/agent-protocol.md).
 * For development and tests: it listens on 127.0.0.1 only.
 */
export class LocalAgent {
  private readonly options: Required<LocalAgentOptions>;
  private readonly server: Server;
  private readonly sandboxIds = new Set<string>();
  private readonly sockets = new Set<Socket>();
  /** Sockets on which an answer is due or under way. */
  private readonly answers = new WeakMap<Duplex, ServerResponse>();

  constructor(options: LocalAgentOptions) {
    this.options = { halfClosedWaitMs: 5_000, ...options };
    this.server = createServer({
      requestTimeout: 0,
      headersTimeout: HEADERS_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      maxHeaderSize: HEAD_MAX_BYTES,
      noDelay: true,
      requireHostHeader: false,
    });
    // Otherwise Node closes the connection when the client ends its side, even before the answer.
    Object.assign(this.server, { httpAllowHalfOpen: true });
    this.server.timeout = 0;
    this.server.maxHeadersCount = 0;
    this.server.on('connection', this.track);
    this.server.on('request', this.forward);
    this.server.on('checkContinue', this.forward);
    this.server.on('checkExpectation', this.forward);
    this.server.on('upgrade', this.upgrade);
    this.server.on('connect', this.refuseConnect);
    this.server.on('clientError', this.refuseNonHttp);
  }

  /** From now on the agent passes on requests for this sandbox, `cl-…`. */
  run(sandboxId: string): void {
    this.sandboxIds.add(sandboxId);
  }

  /**
   * Listens on 127.0.0.1. Without a port, or with 0, it takes a free one.
   *
   * @throws the socket's error, e.g. EADDRINUSE.
   */
  async start({ port = 0 }: { port?: number } = {}): Promise<{ port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    return { port: this.port };
  }

  /** Stops listening and cuts every connection, tunnels too. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private readonly track = (socket: Socket): void => {
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('end', () => this.watchHalfClosed(socket));
  };

  private watchHalfClosed(socket: Socket): void {
    const answer = this.answers.get(socket);
    if (answer === undefined) return;
    let { bytesWritten } = socket;
    const watch = setInterval(() => {
      if (socket.bytesWritten === bytesWritten) socket.resetAndDestroy();
      ({ bytesWritten } = socket);
    }, this.options.halfClosedWaitMs);
    answer.on('close', () => clearInterval(watch));
  }

  private readonly forward = (inbound: IncomingMessage, answer: ServerResponse): void => {
    const { socket } = inbound;
    this.answers.set(socket, answer);
    answer.on('close', () => this.answers.delete(socket));
    const target = this.admit(inbound, answer);
    if (target) exchange(inbound, answer, target);
  };

  private readonly upgrade = (inbound: IncomingMessage, _socket: Duplex, head: Buffer): void => {
    const answer = answerOn(inbound);
    // Node gives the body as `head`, and it would become the first bytes of the tunnel.
    if (declaresBody(inbound)) {
      return answerWithError(answer, 'bad_request', 'an upgrade request cannot have a body');
    }
    const target = this.admit(inbound, answer);
    if (!target) return;
    exchange(inbound, answer, target, new EarlyBytes(inbound.socket, head));
  };

  private readonly refuseConnect = (inbound: IncomingMessage): void => {
    answerWithError(answerOn(inbound), 'bad_request', 'CONNECT is not supported');
  };

  private readonly refuseNonHttp = (_error: Error, socket: Duplex): void => {
    if (!socket.writable || this.answers.has(socket)) return void socket.destroy();
    const { status, headers, body } = agentErrorAnswer('bad_request', 'the request is not valid HTTP');
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} Bad Request\r\nConnection: close\r\n${lines.join('')}\r\n${body}`);
  };

  /** The target of the request; null if it has been refused. */
  private admit(inbound: IncomingMessage, answer: ServerResponse): AgentTarget | null {
    const refuse = (...why: Parameters<typeof agentErrorAnswer>): null => {
      inbound.resume();
      answerWithError(answer, ...why);
      return null;
    };
    // A page whose host name was made to resolve to this address (DNS rebinding) sends that name.
    if (valuesOf(inbound, 'host').join() !== `127.0.0.1:${this.port}`) {
      return refuse('bad_request', 'the Host header is not the address of this agent', MISDIRECTED);
    }
    if (!isSameSecret(valuesOf(inbound, 'x-sandbox-agent-token').join(), this.options.token)) {
      return refuse('unauthorized', 'X-Sandbox-Agent-Token is missing or wrong');
    }
    const target = parseAgentTarget(inbound.method ?? '', inbound.url ?? '');
    if (!target) return refuse('bad_request', 'expected /proxy/{sandbox id}/{port}/{path}');
    if (!this.sandboxIds.has(target.sandboxId)) {
      return refuse('sandbox_not_found', 'this agent does not run that sandbox');
    }
    if (target.port === this.port || this.options.deniedPorts().includes(target.port)) {
      return refuse('port_denied', `port ${target.port} is not a sandbox's`);
    }
    return target;
  }
}

/** A response on a socket that Node has taken off HTTP for an upgrade; the last one on it. */
function answerOn(inbound: IncomingMessage): ServerResponse {
  const { socket } = inbound;
  const answer = new ServerResponse(inbound);
  answer.shouldKeepAlive = false;
  answer.assignSocket(socket);
  socket.on('drain', () => answer.emit('drain'));
  answer.on('finish', () => {
    answer.detachSocket(socket);
    socket.destroySoon();
  });
  return answer;
}
