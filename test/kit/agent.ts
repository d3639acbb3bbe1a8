import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { valuesOf } from './answer.js';
import { type ByteStream, EndOfBytes } from './byte-stream.js';
import { RawConnection } from './raw-connection.js';
import { MalformedMessage } from './message-reader.js';
import { readRequestBody, readRequestHead, type RequestBody, type RequestHead } from './request-reader.js';
import { until } from './wait.js';

/** What arrived at the agent as one request. */
export class Received {
  /** Body bytes so far. */
  seen = 0;
  /** Set when the body ended or the connection did. */
  body: RequestBody | null = null;
  readonly finished: Promise<RequestBody | null>;

  constructor(
    readonly head: RequestHead,
    readonly connection: AgentConnection,
    finish: (received: Received) => Promise<RequestBody | null>,
  ) {
    this.finished = finish(this);
  }

  get method(): string {
    return this.head.method;
  }

  get target(): string {
    return this.head.target;
  }

  values(name: string): string[] {
    return valuesOf(this.head.fields, name);
  }

  get isUpgrade(): boolean {
    return this.values('upgrade').length > 0;
  }
}

/** One accepted connection and the requests that came on it. */
export class AgentConnection extends RawConnection {
  readonly received: Received[] = [];
  isTunnel = false;
  malformed: MalformedMessage | null = null;
}

/** What a script gets: the request as soon as its head is there, and the connection to answer on. */
export interface Exchange {
  readonly request: Received;
  readonly connection: AgentConnection;
  /** Number of this request at this agent, from 0. */
  readonly index: number;
  send(value: string | Buffer): boolean;
  /** Waits for the whole request body. */
  body(): Promise<RequestBody | null>;
  /** From here on the bytes are no HTTP: nothing is parsed any more, `connection.input` yields what comes. */
  tunnel(answer?: string | Buffer): ByteStream;
}

export type Script = (exchange: Exchange) => void | Promise<void>;

/** A plain answer with a length. */
export function answer(status: number, body = '', lines: readonly string[] = []): string {
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Status'}`,
    ...lines,
    `Content-Length: ${body.length}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

const REASONS: Record<number, string> = {
  200: 'OK',
  404: 'Not Found',
  403: 'Forbidden',
  500: 'Internal Server Error',
};

export const SWITCH_TO_WEBSOCKET =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

/** Answers `200 ok` when the body is in, and an upgrade with 101 and an echo. */
export const echoing: Script = async (exchange) => {
  if (exchange.request.isUpgrade) {
    exchange.tunnel(SWITCH_TO_WEBSOCKET);
    exchange.connection.socket.on('data', (piece) => exchange.connection.socket.write(piece));
    exchange.connection.socket.on('end', () => exchange.connection.socket.end());
    return;
  }
  await exchange.body();
  exchange.send(answer(200, 'ok'));
};

/** A script that sends the same bytes to every request once its body is in. */
export function always(value: string | Buffer, then: 'keep' | 'fin' | 'rst' = 'keep'): Script {
  return async (exchange) => {
    await exchange.body();
    exchange.send(value);
    if (then === 'fin') exchange.connection.end();
    if (then === 'rst') setTimeout(() => exchange.connection.reset(), 30);
  };
}

export interface AgentOptions {
  readonly address?: string;
  /** Bytes recorded per connection; what comes beyond is counted and dropped. */
  readonly keepBytes?: number;
}

/** A raw host agent on a port of its own: records exact bytes and answers by script. */
export class Agent {
  readonly connections: AgentConnection[] = [];
  readonly received: Received[] = [];
  readonly port: number;

  private constructor(
    private readonly server: Server,
    public script: Script,
    private readonly options: AgentOptions,
  ) {
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => void this.serve(socket));
  }

  static async start(script: Script, options: AgentOptions = {}): Promise<Agent> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, options.address ?? '127.0.0.1', resolve));
    return new Agent(server, script, options);
  }

  get address(): string {
    return `${this.options.address ?? '127.0.0.1'}:${this.port}`;
  }

  /** The n-th request, waiting for it. */
  async request(index = 0): Promise<Received> {
    await until(() => this.received.length > index, `request ${index + 1} at the agent`);
    return this.received[index] as Received;
  }

  /** The n-th request with its whole body. */
  async whole(index = 0): Promise<Received & { body: RequestBody }> {
    const received = await this.request(index);
    await until(() => received.body !== null, `body of request ${index + 1}`);
    return received as Received & { body: RequestBody };
  }

  close(): void {
    this.server.close();
    for (const connection of this.connections) connection.socket.destroy();
  }

  private async serve(socket: Socket): Promise<void> {
    const connection = new AgentConnection(socket, this.options.keepBytes ?? 8_388_608);
    this.connections.push(connection);
    try {
      for (;;) {
        const head = await readRequestHead(connection.input);
        if (head === null) break;
        const received = new Received(head, connection, (self) => this.readBody(self, connection));
        connection.received.push(received);
        this.received.push(received);
        await this.script(this.exchange(received, connection));
        if (connection.isTunnel) return;
        await received.finished;
        if (received.body === null || !received.body.complete) return;
      }
      if (!socket.writableEnded) socket.end();
    } catch (error) {
      if (error instanceof MalformedMessage) connection.malformed = error;
      else if (!(error instanceof EndOfBytes)) throw error;
    }
  }

  private exchange(received: Received, connection: AgentConnection): Exchange {
    return {
      request: received,
      connection,
      index: this.received.length - 1,
      send: (value) => connection.send(value),
      body: () => received.finished,
      tunnel: (value) => {
        connection.isTunnel = true;
        if (value !== undefined) connection.send(value);
        return connection.input;
      },
    };
  }

  private async readBody(received: Received, connection: AgentConnection): Promise<RequestBody | null> {
    try {
      received.body = await readRequestBody(connection.input, received.head, (piece) => {
        received.seen += piece.length;
      });
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      connection.malformed = error;
      received.body = { data: Buffer.alloc(0), trailers: [], complete: false, chunks: [] };
    }
    return received.body;
  }
}
