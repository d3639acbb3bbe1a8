import assert from 'node:assert/strict';
import { Agent, type AgentOptions, answer, echoing, type Script } from '../kit/agent.js';
import { type Answer, valueOf, valuesOf } from '../kit/answer.js';
import { bytes } from '../kit/byte-stream.js';
import { type SandboxRow, type TeamRow } from '../kit/platform-rows.js';
import type { Program } from '../kit/program.js';
import { RawConnection } from '../kit/raw-connection.js';
import { type Door, UPGRADE_LINES } from '../kit/requests.js';
import { until } from '../kit/wait.js';
import type { Platform, SettingsName } from './platform.js';

export interface StageOptions {
  readonly team?: TeamRow;
  readonly status?: string;
  /** The host's address as the database has it; default the agent's. */
  readonly address?: string;
  readonly port?: number;
  /** Another sandbox on the same agent. */
  readonly agent?: Agent;
  readonly agentOptions?: AgentOptions;
}

/** What one case may touch: sandboxes and agents of its own in front of a shared program. */
export class World {
  private readonly clients: RawConnection[] = [];
  private readonly stages: Stage[] = [];
  private readonly agents = new Set<Agent>();
  private readonly others: World[] = [];

  constructor(
    readonly platform: Platform,
    readonly program: Program,
  ) {}

  /** Plays a case in a new world, which is closed whatever happens, and checks at the end what must always hold. */
  static async run(
    platform: Platform,
    play: (world: World) => Promise<void> | void,
    onEnd: (close: () => void) => void,
  ): Promise<void> {
    const world = new World(platform, await platform.program('default'));
    onEnd(() => world.close());
    await play(world);
    world.finish();
  }

  /** The same in front of the program that has other settings. */
  async on(settings: SettingsName): Promise<World> {
    const other = new World(this.platform, await this.platform.program(settings));
    this.others.push(other);
    return other;
  }

  get teams(): Platform['teams'] {
    return this.platform.teams;
  }

  /** A sandbox of its own with a raw agent that answers by `script`. */
  async stage(script: Script = echoing, options: StageOptions = {}): Promise<Stage> {
    const agent = options.agent ?? (await Agent.start(script, options.agentOptions));
    this.agents.add(agent);
    const team = options.team ?? this.teams.a;
    const hostId = await this.platform.rows.host(options.address ?? agent.address);
    const row = await this.platform.rows.sandbox(team.id, hostId, options.status);
    const stage = new Stage(this, agent, row, hostId, team, options.port ?? 3000);
    this.stages.push(stage);
    return stage;
  }

  async client(keepBytes?: number): Promise<RawConnection> {
    const client = await RawConnection.open(this.program.port, keepBytes);
    this.clients.push(client);
    return client;
  }

  /** Returns when the program has taken in what reached it before, and acted on it as far as it alone decides. */
  async roundTrip(): Promise<void> {
    const client = await this.client();
    client.send('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    assert.equal((await client.answer()).status, 200, '/healthz');
    client.close();
  }

  /** How many requests all agents together have seen. */
  get requestsUpstream(): number {
    return [...this.agents].reduce((sum, agent) => sum + agent.received.length, 0);
  }

  /** Closes everything. */
  close(): void {
    for (const client of this.clients) client.close();
    for (const agent of this.agents) agent.close();
    for (const other of this.others) other.close();
  }

  /** Closes everything and checks what must hold whatever the case was about. */
  finish(): void {
    this.close();
    for (const agent of this.agents) this.checkInvariants(agent);
    for (const client of this.clients)
      for (const team of Object.values(this.teams))
        assert(!client.transcript.includes(team.key), 'a platform key was sent to a client');
    for (const other of this.others) other.finish();
  }

  private checkInvariants(agent: Agent): void {
    const here = this.stages.filter((stage) => stage.agent === agent);
    for (const connection of agent.connections)
      assert.equal(connection.malformed?.message, undefined, 'malformed request upstream');
    for (const received of agent.received) {
      const { head } = received;
      const stage = here.find((one) =>
        one.ports.some((port) => head.target.startsWith(`/proxy/${one.id}/${port}/`)),
      );
      assert(stage, `request line outside the admitted prefix: ${head.target.slice(0, 200)}`);
      const trailers = received.body?.trailers ?? [];
      const shown = `${head.raw}${trailers.map((field) => field.join(':')).join('\n')}`.toLowerCase();
      for (const team of Object.values(this.teams))
        assert(!shown.includes(team.key), 'a platform key arrived upstream');
      for (const name of ['x-forwarded-for', 'x-sandbox-url', 'x-request-id'])
        assert.deepEqual(received.values(name).length, 1, `${name} lines upstream`);
      for (const name of ['x-forwarded-host', 'x-forwarded-proto'])
        assert.deepEqual(received.values(name).length, stage.isExternal ? 1 : 0, `${name} lines upstream`);
      if (stage.expectsHost) assert.deepEqual(received.values('host')[0], agent.address, 'Host upstream');
    }
  }
}

/** One sandbox as a client sees it, and the agent behind it. */
export class Stage {
  readonly id: string;
  readonly ports: number[];
  /** The invariant on the upstream Host holds; false where the row's address is not plain `ip:port`. */
  expectsHost = true;
  /** The app is to see itself from outside, not as localhost. */
  isExternal = false;

  constructor(
    readonly world: World,
    readonly agent: Agent,
    readonly row: SandboxRow,
    /** The host's UUID. */
    readonly hostId: string,
    readonly team: TeamRow,
    readonly port: number,
  ) {
    this.id = row.id;
    this.ports = [port];
  }

  get host(): string {
    return `${this.port}-${this.id}.sandbox.test`;
  }

  get prefix(): string {
    return `/proxy/${this.id}/${this.port}`;
  }

  /** The value of the key line. */
  get key(): string {
    return this.team.key;
  }

  /** A request head with Host and the key, then `lines`. */
  head(method: string, target: string, lines: readonly string[] = []): string {
    return this.bare(`${method} ${target} HTTP/1.1`, [`X-API-Key: ${this.key}`, ...lines]);
  }

  /** A request head with Host only, then `lines`. */
  bare(requestLine: string, lines: readonly string[] = []): string {
    return [requestLine, `Host: ${this.host}`, ...lines, '', ''].join('\r\n');
  }

  /** The head of a WebSocket handshake with Host and the key, then `lines`. */
  upgrade(target: string, lines: readonly string[] = []): string {
    return this.head('GET', target, [...UPGRADE_LINES, ...lines]);
  }

  /** A head for either door. */
  knock(door: Door, target: string, lines: readonly string[] = []): string {
    return door === 'HTTP' ? this.head('GET', target, lines) : this.upgrade(target, lines);
  }

  client(): Promise<RawConnection> {
    return this.world.client();
  }

  /** Sends exact bytes on a new connection and reads one answer. */
  async send(value: string | Buffer, method = 'GET'): Promise<{ client: RawConnection; answer: Answer }> {
    const client = await this.world.client();
    client.send(value);
    return { client, answer: await client.answer(method) };
  }

  /** A request with the key and, where `body` is given, a Content-Length. */
  async ask(method: string, target: string, lines: readonly string[] = [], body?: string): Promise<Answer> {
    const framed = body === undefined ? lines : [...lines, `Content-Length: ${bytes(body).length}`];
    return (await this.send(this.head(method, target, framed) + (body ?? ''), method)).answer;
  }

  /** A clean request on a new connection must get its own clean answer, and the agent exactly that request. */
  async proveClean(): Promise<void> {
    const marker = `clean-${Math.random().toString(36).slice(2)}`;
    const script = this.agent.script;
    this.agent.script = async (exchange) => {
      if (!exchange.request.target.includes(marker)) return script(exchange);
      await exchange.body();
      exchange.send(answer(200, marker));
    };
    const got = await this.ask('GET', `/${marker}`);
    assert.deepEqual([got.status, got.body], [200, marker], 'the next request on a clean connection');
    const last = this.agent.received.findLast((one) => one.target.includes(marker));
    assert.deepEqual(last?.target, `${this.prefix}/${marker}`, 'target of the next request');
    assert.deepEqual(last?.head.framing, 'none', 'framing of the next request');
  }

  /** Another team's sandbox on the same agent. */
  neighbour(): Promise<Stage> {
    return this.world.stage(undefined, { agent: this.agent, team: this.world.teams.b });
  }

  /** Waits until every connection to the agent is gone. */
  async released(): Promise<void> {
    await until(() => this.agent.connections.every((one) => one.isOver), 'upstream connections end');
  }
}

/** Checks that the proxy itself has answered with that status and code, which it may have done before it had a whole request. */
export function checkCode(answer: Answer, status: number, code: string): void {
  assert.deepEqual(
    [answer.status, valueOf(answer.fields, 'x-sandbox-error'), answer.complete],
    [status, `proxy;${code}`, true],
    'own answer',
  );
}

/** The same of a request that it could read: then every such answer carries more. */
export function checkOwn(answer: Answer, status: number, code: string): void {
  checkCode(answer, status, code);
  assert.deepEqual(valueOf(answer.fields, 'x-content-type-options'), 'nosniff', 'X-Content-Type-Options');
  assert(valueOf(answer.fields, 'content-security-policy'), 'own answer has a Content-Security-Policy');
  assert.deepEqual(
    valuesOf(answer.fields, 'access-control-allow-origin').length,
    0,
    'Access-Control-Allow-Origin lines',
  );
  assert.deepEqual(valueOf(answer.fields, 'cache-control'), 'no-store', 'Cache-Control');
}

/** Checks that the application has answered that it has no such route: the request was not the proxy's. */
export function checkNotOurs(answer: Answer): void {
  assert.deepEqual(
    [answer.status, valueOf(answer.fields, 'x-sandbox-error')],
    [404, null],
    "the application's answer",
  );
}
