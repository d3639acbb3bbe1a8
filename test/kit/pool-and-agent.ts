import { afterEach, beforeEach } from 'vitest';
import { SANDBOX_PROXY_DEFAULTS, type SandboxProxyOptions } from '../../src/sandbox-proxy/options.js';
import { HostClientPool } from '../../src/sandbox-proxy/agent-client/host-client-pool.js';
import type {
  UpstreamListener,
  UpstreamRequest,
} from '../../src/sandbox-proxy/agent-client/upstream-call.js';
import type { RawConnection } from './raw-connection.js';
import { type RawServer, startRawServer } from './raw-server.js';
import { OK } from './requests.js';

export { OK };
export const A = 'cl-000000000000000000000000a';
export const B = 'cl-000000000000000000000000b';

/** What a call was told, as one text: `200 ok end`. */
export class Told implements UpstreamListener {
  readonly words: string[] = [];
  readonly done: Promise<string>;
  error: Error | null = null;
  private finish!: (story: string) => void;
  constructor() {
    this.done = new Promise((resolve) => (this.finish = resolve));
  }
  onDrain(): void {}
  onInformational = ({ status }: { status: number }) => void this.words.push(String(status));
  onHead = ({ status }: { status: number }) => void this.words.push(String(status));
  onBody = (chunk: Buffer) => void this.words.push(chunk.toString());
  onLull(): void {}
  onUpgraded = () => this.finish([...this.words, 'upgraded'].join(' '));
  onComplete = () => this.finish([...this.words, 'end'].join(' '));
  onError = (error: Error) => {
    this.error = error;
    this.finish([...this.words, error.constructor.name].join(' '));
  };
}

/** A pool and an agent whose every byte the test sends itself, new for each test. */
export class PoolAndAgent {
  agent!: RawServer;
  pool!: HostClientPool;

  constructor() {
    beforeEach(async () => {
      this.agent = await startRawServer();
      this.start();
    });
    afterEach(async () => {
      this.pool.onApplicationShutdown();
      await this.agent.close();
    });
  }

  /** Another pool in the place of the one there is. */
  start(options: Partial<SandboxProxyOptions> = {}): void {
    this.pool?.onApplicationShutdown();
    this.pool = new HostClientPool({ ...SANDBOX_PROXY_DEFAULTS, ...options });
  }

  /** A request to the agent, or to another address. */
  request(more: Partial<UpstreamRequest> = {}, address = `127.0.0.1:${this.agent.port}`): UpstreamRequest {
    const { method = 'GET' } = more;
    const origin = this.pool.resolveAddress(address);
    const head = `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`;
    return { origin, sandboxId: A, teamId: 'team', method, head, hasBody: false, isUpgrade: false, ...more };
  }

  readonly call = (more?: Partial<UpstreamRequest>, address?: string): Told => {
    const told = new Told();
    this.pool.dispatch(this.request(more, address), told);
    return told;
  };

  /** One exchange from its request to its end; the agent's connection. */
  readonly exchange = async (
    on?: RawConnection,
    more: Partial<UpstreamRequest> = {},
  ): Promise<RawConnection> => {
    const told = this.call(more);
    const connection = on ?? (await this.agent.accept());
    await connection.head();
    connection.send(OK);
    const story = await told.done;
    if (story !== '200 ok end') throw new Error(`the exchange went wrong: ${story}`);
    return connection;
  };

  /** A call on a connection that has served, which the agent resets in the moment in which the request is written. */
  readonly raced = async (more: Partial<UpstreamRequest>): Promise<Told> => {
    const connection = await this.exchange();
    const told = this.call(more);
    await connection.head();
    connection.socket.resetAndDestroy();
    return told;
  };
}
