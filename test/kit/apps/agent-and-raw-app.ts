import { afterAll, afterEach, beforeAll } from 'vitest';
import { LocalAgent } from '../../../src/demo/local-agent/local-agent.js';
import { RawConnection } from '../raw-connection.js';
import { type RawServer, startRawServer } from '../raw-server.js';

/** The sandbox that the agent runs. */
export const SANDBOX_ID = 'cl-0000000000000000000000001';
/** A port that the agent refuses. */
export const DENIED_PORT = 5432;
export const AGENT_TOKEN = 'a-token-of-the-test';
/** After which silence the agent takes a half-closed client for gone: shorter than a test waits for anything. */
export const HALF_CLOSED_WAIT_MS = 1_000;

/** A local agent and behind it an app whose every byte the test sends itself; both live as long as the test file. */
export class AgentAndRawApp {
  /** The agent's port. */
  agentPort = 0;
  /** The app's port. */
  appPort = 0;
  private app!: RawServer;
  private readonly agent: LocalAgent;
  private readonly opened: RawConnection[] = [];

  constructor() {
    this.agent = new LocalAgent({
      token: AGENT_TOKEN,
      deniedPorts: () => [DENIED_PORT],
      halfClosedWaitMs: HALF_CLOSED_WAIT_MS,
    });
    this.agent.run(SANDBOX_ID);
    beforeAll(async () => {
      this.agentPort = (await this.agent.start()).port;
      this.app = await startRawServer();
      this.appPort = this.app.port;
    });
    afterEach(() => {
      for (const connection of this.opened.splice(0)) connection.close();
    });
    afterAll(async () => {
      await this.agent.stop();
      await this.app.close();
    });
  }

  /** `/proxy/{id}/{the app's port}`. */
  get prefix(): string {
    return `/proxy/${SANDBOX_ID}/${this.appPort}`;
  }

  /** A whole GET request for a path of the app. */
  get(path = '/'): string {
    return `${this.line('GET', path)}\r\n`;
  }

  /** The first lines of a request for a path of the app; more headers and the empty line are the caller's. */
  line(method: string, path = '/', version = '1.1'): string {
    return this.lineTo(`${this.prefix}${path}`, method, version);
  }

  /** The same for any request target. */
  lineTo(target: string, method = 'GET', version = '1.1'): string {
    return `${method} ${target} HTTP/${version}\r\nHost: 127.0.0.1:${this.agentPort}\r\nX-Sandbox-Agent-Token: ${AGENT_TOKEN}\r\n`;
  }

  /** A new connection to the agent. */
  async client(): Promise<RawConnection> {
    return this.keep(await RawConnection.open(this.agentPort));
  }

  /** The agent's next connection to the app. */
  async accept(): Promise<RawConnection> {
    return this.keep(await this.app.accept());
  }

  /** Sends a request: the client's end, the app's end, and the head that the app got. */
  async begin(request: string): Promise<{ peer: RawConnection; inside: RawConnection; head: string }> {
    const peer = await this.client();
    peer.send(request);
    const inside = await this.accept();
    return { peer, inside, head: await inside.head() };
  }

  private keep(connection: RawConnection): RawConnection {
    this.opened.push(connection);
    return connection;
  }
}
