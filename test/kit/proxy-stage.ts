import { EventEmitter, once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { PostgresChangeFeed } from '../../src/platform/proxy-adapter/postgres-change-feed.js';
import { type StartedApp, startApp, type StartOptions } from './app.js';
import { PlatformRows, type SandboxRow, type TeamRow } from './platform-rows.js';
import { type Answer, wholeAnswer } from './answer.js';
import { RawConnection } from './raw-connection.js';
import { type RawServer, startRawServer } from './raw-server.js';
import { type Door, EMPTY_OK, UPGRADE_LINES } from './requests.js';

export * from './requests.js';

/** The Host header of a sandbox that does not exist. */
export const MISSING = `80-cl-${'0'.repeat(24)}7.localhost`;

/**
 * The real application, an agent whose every byte the test sends itself, and a running sandbox on it. The sandbox is a
 * new one for each test, so that no connection of an earlier test is met.
 */
export class ProxyStage {
  started!: StartedApp;
  agent!: RawServer;
  rows!: PlatformRows;
  team!: TeamRow;
  /** UUID of the host at which the agent listens. */
  hostId!: string;
  sandbox!: SandboxRow;
  private readonly opened: RawConnection[] = [];

  constructor(options: StartOptions | (() => Promise<StartOptions>) = {}) {
    beforeAll(async () => {
      this.agent = await startRawServer();
      this.started = await startApp(typeof options === 'function' ? await options() : options);
      this.rows = new PlatformRows(this.started.db);
      this.team = await this.rows.team();
      this.hostId = await this.rows.host(this.agentAddress);
    });
    beforeEach(async () => {
      this.sandbox = await this.told(() => this.rows.sandbox(this.team.id, this.hostId));
    });
    afterEach(() => {
      for (const connection of this.opened.splice(0)) connection.close();
    });
    afterAll(async () => {
      await this.started.close();
      await this.agent.close();
    });
  }

  /** Changes a row, and waits until the application has been told so where it listens. */
  async told<Result>(change: () => Promise<Result>): Promise<Result> {
    const feed = this.started.app.get(PostgresChangeFeed);
    if (!feed.isLive) return change();
    const events = new EventEmitter();
    const heard = once(events, 'told');
    const unsubscribe = feed.subscribe(() => void events.emit('told'));
    const result = await change();
    await heard;
    unsubscribe();
    return result;
  }

  get agentAddress(): string {
    return `127.0.0.1:${this.agent.port}`;
  }

  /** The Host header of a port of the sandbox. */
  host(port = 3000): string {
    return `${port}-${this.sandbox.id}.localhost`;
  }

  /** `/proxy/{id}/{port}`. */
  prefix(port = 3000): string {
    return `/proxy/${this.sandbox.id}/${port}`;
  }

  /** A whole request head for the sandbox, with its key. */
  head(method: string, path: string, lines: readonly string[] = []): string {
    return this.bare(method, path, [`Host: ${this.host()}`, `X-API-Key: ${this.team.key}`, ...lines]);
  }

  /** A whole request head of just these lines. */
  bare(method: string, path: string, lines: readonly string[]): string {
    return `${method} ${path} HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
  }

  /** A GET for the sandbox through that door. */
  knock(door: Door, path = '/', lines: readonly string[] = []): string {
    return this.head('GET', path, door === 'upgrade' ? [...UPGRADE_LINES, ...lines] : lines);
  }

  /** A GET through that door for any Host header; `key: null` sends no key. */
  knockAt(door: Door, host: string, options: { path?: string; key?: string | null } = {}): string {
    const { path = '/', key = this.team.key } = options;
    const lines = [`Host: ${host}`, ...(key === null ? [] : [`X-API-Key: ${key}`])];
    return this.bare('GET', path, door === 'upgrade' ? [...lines, ...UPGRADE_LINES] : lines);
  }

  /** The Host header of a new sandbox on a new host at that address, or on none. */
  async hostOf(address: string | null, status = 'running'): Promise<string> {
    const hostId = address === null ? null : await this.rows.host(address);
    return `80-${(await this.rows.sandbox(this.team.id, hostId, status)).id}.localhost`;
  }

  /** The Host header of a running sandbox of a new team. */
  async foreignHost(): Promise<string> {
    const { id } = await this.rows.team();
    return `80-${(await this.rows.sandbox(id, this.hostId)).id}.localhost`;
  }

  /** A new connection to the application. */
  async client(): Promise<RawConnection> {
    return this.keep(await RawConnection.open(this.started.port));
  }

  /** The proxy's next connection to the agent. */
  async accept(): Promise<RawConnection> {
    return this.keep(await this.agent.accept());
  }

  /** Sends bytes: the client's end, the agent's end, and the head that the agent got. */
  async begin(bytes: string): Promise<{ client: RawConnection; upstream: RawConnection; head: string }> {
    const client = await this.client();
    client.send(bytes);
    for (;;) {
      const upstream = await this.accept();
      const head = await upstream.head().catch(() => '');
      // Another sandbox's: left behind by a test that failed.
      if (head.includes(this.sandbox.id)) return { client, upstream, head };
    }
  }

  /** Sends bytes on a connection of their own and reads the answer to them. */
  async ask(bytes: string): Promise<Answer> {
    const client = await this.client();
    client.send(bytes);
    const answer = await wholeAnswer(client, bytes.slice(0, bytes.indexOf(' ')));
    client.close();
    return answer;
  }

  /** The same, where the agent is to answer `answer`. */
  async exchange(bytes: string, answer: string = EMPTY_OK): Promise<{ answer: Answer; head: string }> {
    const { client, upstream, head } = await this.begin(bytes);
    upstream.send(answer);
    return { answer: await wholeAnswer(client, bytes.slice(0, bytes.indexOf(' '))), head };
  }

  /** Returns when the application has taken in what reached it before, and acted on it as far as it alone decides. */
  async roundTrip(): Promise<void> {
    await this.ask(this.bare('GET', '/healthz', ['Host: localhost']));
  }

  /** Closed after the test. */
  keep(connection: RawConnection): RawConnection {
    this.opened.push(connection);
    return connection;
  }
}
