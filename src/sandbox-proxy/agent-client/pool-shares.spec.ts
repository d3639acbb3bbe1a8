import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OK, Told } from '../../../test/kit/pool-and-agent.js';
import type { RawConnection } from '../../../test/kit/raw-connection.js';
import { type RawServer, startRawServer } from '../../../test/kit/raw-server.js';
import { SandboxBusyError } from '../errors.js';
import { SANDBOX_PROXY_DEFAULTS, type SandboxProxyOptions } from '../options.js';
import { AgentConnector } from './agent-connector.js';
import { PoolShares } from './pool-shares.js';
import { SandboxConnections } from './sandbox-connections.js';
import { UpstreamCall } from './upstream-call.js';

/** A sandbox may have 2 of these, a team as many as are free: 4 if it is alone. */
const MAX_OPEN = 8;

let agent: RawServer;
let sandboxes: Set<SandboxConnections>;
let shares: PoolShares;
let calls: UpstreamCall[];

beforeEach(async () => {
  agent = await startRawServer();
  calls = [];
  sandboxes = new Set();
  shares = new PoolShares(MAX_OPEN, sandboxes);
});
afterEach(async () => {
  // Those that wait would be started on what the others leave, and write when a later test has the clocks.
  for (const call of calls) call.abort();
  for (const connections of sandboxes) connections.close();
  await agent.close();
});

/** A sandbox of a team, and calls to it. */
class Sandbox {
  readonly connections: SandboxConnections;

  constructor(
    private readonly name: string,
    readonly teamId: string,
    options: Partial<SandboxProxyOptions> = {},
  ) {
    const all = { ...SANDBOX_PROXY_DEFAULTS, ...options };
    this.connections = new SandboxConnections(
      name,
      teamId,
      this.origin,
      new AgentConnector(all),
      all,
      shares,
    );
    sandboxes.add(this.connections);
  }

  /** What a call to it is told. */
  ask(hasBody = false): { told: Told; call: UpstreamCall } {
    const { name: sandboxId, teamId, origin } = this;
    const head = `GET /${sandboxId} HTTP/1.1\r\nHost: a\r\n\r\n`;
    const told = new Told();
    const call = new UpstreamCall(
      { origin, sandboxId, teamId, method: 'GET', head, hasBody, isUpgrade: false },
      told,
    );
    calls.push(call);
    this.connections.start(call);
    return { told, call };
  }

  private get origin() {
    const { port } = agent;
    return { secure: false, hostname: '127.0.0.1', port, authority: `127.0.0.1:${port}` };
  }
}

/** The agent's ends of that many further connections, by the sandbox that the request on it names. */
async function accept(count: number): Promise<[name: string, connection: RawConnection][]> {
  const accepted: [string, RawConnection][] = [];
  while (accepted.length < count) {
    const connection = await agent.accept();
    accepted.push([/^GET \/(\S+)/.exec(await connection.head())?.[1] ?? '', connection]);
  }
  return accepted;
}

/** Takes all connections: what was asked of the sandboxes `a1` `a1` `b1` `b1` `c1` `c1` `d1` `e1`, each of a team of its own. */
async function takeAll(): Promise<{ call: UpstreamCall; sandbox: Sandbox; connection: RawConnection }[]> {
  const held = ['a', 'b', 'c', 'd', 'e'].map((team) => new Sandbox(`${team}1`, team));
  const [a, b, c, d, e] = held as [Sandbox, Sandbox, Sandbox, Sandbox, Sandbox];
  const sandboxesInTurn = [a, a, b, b, c, c, d, e];
  const asked = sandboxesInTurn.map((sandbox) => sandbox.ask());
  const accepted = await accept(MAX_OPEN);
  expect(accepted.map(([name]) => name)).toEqual(['a1', 'a1', 'b1', 'b1', 'c1', 'c1', 'd1', 'e1']);
  return asked.map(({ call }, i) => ({
    call,
    sandbox: sandboxesInTurn[i] as Sandbox,
    connection: (accepted[i] as [string, RawConnection])[1],
  }));
}

describe('shares of the connections to agents', () => {
  // two teams with half of them each left nothing for anybody else
  it('a sandbox may have a quarter, a team as many as are free: so there are some for whoever comes next', () => {
    const [a1, a2, a3] = [new Sandbox('a1', 'a'), new Sandbox('a2', 'a'), new Sandbox('a3', 'a')];
    const [b1, b2] = [new Sandbox('b1', 'b'), new Sandbox('b2', 'b')];
    const [c1, d1] = [new Sandbox('c1', 'c'), new Sandbox('d1', 'd')];
    for (const sandbox of [a1, a1]) sandbox.ask(true);
    expect(() => a1.ask(true)).toThrow(SandboxBusyError);
    for (const sandbox of [a2, a2]) sandbox.ask(true);
    for (const sandbox of [a1, a2, a3]) expect(() => sandbox.ask(true)).toThrow(SandboxBusyError);
    for (const sandbox of [b1, b1]) sandbox.ask(true);
    for (const sandbox of [a3, b2]) expect(() => sandbox.ask(true)).toThrow(SandboxBusyError);
    c1.ask(true);
    for (const sandbox of [a3, b2, c1]) expect(() => sandbox.ask(true)).toThrow(SandboxBusyError);
    d1.ask(true);
    expect(shares.size).toBe(MAX_OPEN);
    expect(() => new Sandbox('e1', 'e').ask(true)).toThrow(SandboxBusyError);
  });

  it('that lie idle count as free', async () => {
    const a = [new Sandbox('a1', 'a'), new Sandbox('a2', 'a')];
    const told = [...a, ...a].map((sandbox) => sandbox.ask().told);
    for (const [, connection] of await accept(4)) connection.send(OK);
    for (const { done } of told) await done;
    const b = [new Sandbox('b1', 'b'), new Sandbox('b2', 'b')];
    for (const sandbox of [...b, ...b]) sandbox.ask(true);
    expect(shares.size).toBeLessThan(MAX_OPEN);
    expect(() => new Sandbox('b3', 'b').ask(true)).toThrow(SandboxBusyError);
  });

  it('are given back with the connections', async () => {
    const a = [new Sandbox('a1', 'a'), new Sandbox('a2', 'a')];
    const asked = [...a, ...a].map((sandbox) => sandbox.ask(true));
    for (const { call } of asked) call.abort();
    expect(shares.size).toBe(0);
    for (const sandbox of [...a, ...a]) sandbox.ask(true);
  });

  it('that lie idle go for whoever needs them, of the own team where that has its whole share', async () => {
    const [a1, a2, a3] = [new Sandbox('a1', 'a'), new Sandbox('a2', 'a'), new Sandbox('a3', 'a')];
    const told = [a1, a1, a2, a2].map((sandbox) => sandbox.ask().told);
    for (const [, connection] of await accept(4)) connection.send(OK);
    for (const { done } of told) await done;
    expect(shares.size).toBe(4);
    a3.ask();
    expect(shares.size).toBe(4);
    expect((await accept(1))[0]?.[0]).toBe('a3');
  });
});

describe('waiting for a connection', () => {
  // 503 after 5 s, although a slot was free after 0.3 s
  it('ends when a connection of another sandbox ends', async () => {
    const taken = await takeAll();
    const { told } = new Sandbox('f1', 'f').ask();
    taken[3]?.call.abort();
    const [[name, connection]] = (await accept(1)) as [[string, RawConnection]];
    expect(name).toBe('f1');
    connection.send(OK);
    expect(await told.done).toBe('200 ok end');
  });

  it('ends when a connection of another sandbox has served, be there calls of its own that wait', async () => {
    const [first] = await takeAll();
    new Sandbox('f1', 'f').ask();
    first?.sandbox.ask();
    first?.connection.send(OK);
    expect((await accept(1))[0]?.[0]).toBe('f1');
  });

  it('ends when a connection of another team has served, where that lets the team have one more', async () => {
    const [a1, a2, b1] = [new Sandbox('a1', 'a'), new Sandbox('a2', 'a'), new Sandbox('b1', 'b')];
    for (const sandbox of [a1, a1, a2, a2, b1, b1]) sandbox.ask();
    new Sandbox('b2', 'b').ask();
    expect(shares.size).toBe(6);
    const [[, connection]] = (await accept(6)) as [[string, RawConnection]];
    connection.send(OK);
    expect((await accept(1))[0]?.[0]).toBe('b2');
  });

  it('ends within a team that has its whole share, when one of its own has served', async () => {
    const [a1, a2, a3] = [new Sandbox('a1', 'a'), new Sandbox('a2', 'a'), new Sandbox('a3', 'a')];
    for (const sandbox of [a1, a1, a2, a2]) sandbox.ask();
    const connections = await accept(4);
    a3.ask();
    connections[0]?.[1].send(OK);
    expect((await accept(1))[0]?.[0]).toBe('a3');
  });

  it('takes turns: of teams, and in a team of sandboxes', async () => {
    const taken = await takeAll();
    const [f1, f2, g1] = [new Sandbox('f1', 'f'), new Sandbox('f2', 'f'), new Sandbox('g1', 'g')];
    for (const sandbox of [f1, f1, f1, f2, g1, g1]) sandbox.ask();
    for (const { call } of taken) call.abort();
    const order = (await accept(5)).map(([name]) => name);
    expect(order).toEqual(['f1', 'g1', 'f2', 'g1', 'f1']);
  });

  it('is not held up by those who may have no more, however many', async () => {
    // team a has its whole share, and a hundred more sandboxes that want some
    const a = [new Sandbox('a1', 'a'), new Sandbox('a2', 'a')];
    for (const sandbox of [...a, ...a]) sandbox.ask();
    for (let index = 0; index < 100; index++) new Sandbox(`a-${index}`, 'a').ask();
    // a sandbox has all that the options allow it
    const narrow = new Sandbox('b1', 'b', { maxConnectionsPerSandbox: 1 });
    narrow.ask();
    narrow.ask();
    const c = new Sandbox('c1', 'c');
    const [first] = [c.ask(), c.ask()];
    const d = new Sandbox('d1', 'd');
    d.ask();
    await accept(MAX_OPEN);
    new Sandbox('e1', 'e').ask();
    first.call.abort();
    expect((await accept(1))[0]?.[0]).toBe('e1');
  });

  it('passes by those whose clients have left', async () => {
    const taken = await takeAll();
    new Sandbox('f1', 'f').ask().call.abort();
    new Sandbox('g1', 'g').ask();
    taken[0]?.call.abort();
    expect((await accept(1))[0]?.[0]).toBe('g1');
  });

  it('is for 1,000 requests of a sandbox and 4,000 of a team, without those whose clients have left', async () => {
    await takeAll();
    const [f1, f2, f3, f4, f5] = [1, 2, 3, 4, 5].map((i) => new Sandbox(`f${i}`, 'f')) as [
      Sandbox,
      ...Sandbox[],
    ];
    const first = Array.from({ length: 1_000 }, () => f1.ask().call);
    expect(() => f1.ask()).toThrow(SandboxBusyError);
    first.pop()?.abort();
    f1.ask();
    for (const sandbox of [f2, f3, f4]) for (let i = 0; i < 1_000; i++) sandbox?.ask();
    expect(() => f5?.ask()).toThrow(SandboxBusyError);
    for (const call of first) call.abort();
    for (let i = 0; i < 999; i++) f5?.ask();
    expect(() => f5?.ask()).toThrow(SandboxBusyError);
    new Sandbox('g1', 'g').ask();
  });

  it('of a sandbox at its own bound goes on when one of its connections ends', async () => {
    const narrow = new Sandbox('a1', 'a', { maxConnectionsPerSandbox: 1 });
    const first = narrow.ask();
    const other = new Sandbox('b1', 'b').ask();
    await accept(2);
    narrow.ask();
    other.call.abort();
    first.call.abort();
    expect((await accept(1))[0]?.[0]).toBe('a1');
  });
});

const authority = () => `127.0.0.1:${agent.port}`;

/** As the pool does a few times a second. */
const pass = (ms: number) => {
  shares.nowMs += ms;
  for (const connections of sandboxes) connections.tick();
};

describe('an agent that accepts no connections', () => {
  // packets vanish: a request on an old connection would wait for 300 s
  it('is not waited for over an old one for longer than 10 s', async () => {
    const { told } = new Sandbox('a1', 'a').ask();
    await accept(1);
    shares.suspect(authority());
    pass(9_900);
    expect(shares.size).toBe(1);
    pass(200);
    expect(await told.done).toBe('UpstreamTimeoutError');
  });

  it('has 10 s for a request that comes later', async () => {
    const sandbox = new Sandbox('a1', 'a');
    const first = sandbox.ask();
    const [[, connection]] = (await accept(1)) as [[string, RawConnection]];
    connection.send(OK);
    await first.told.done;
    shares.suspect(authority());
    pass(20_000);
    const { told } = sandbox.ask();
    await connection.head();
    pass(9_900);
    expect(shares.size).toBe(1);
    pass(200);
    expect(await told.done).toBe('UpstreamTimeoutError');
  });

  it('is asked for new ones all the same', async () => {
    shares.suspect(authority());
    pass(20_000);
    const { told } = new Sandbox('a1', 'a').ask();
    pass(300);
    const [[, connection]] = (await accept(1)) as [[string, RawConnection]];
    connection.send(OK);
    expect(await told.done).toBe('200 ok end');
  });

  it('is trusted again when it answers', async () => {
    const sandbox = new Sandbox('a1', 'a');
    const [slow, quick] = [sandbox.ask(), sandbox.ask()];
    const [, [, connection]] = (await accept(2)) as [unknown, [string, RawConnection]];
    shares.suspect(authority());
    connection.send(OK);
    await quick.told.done;
    pass(20_000);
    expect(slow.told.error).toBeNull();
    expect(shares.suspectSince(authority())).toBeNull();
  });

  it('is waited for as ever where the answer has begun', async () => {
    const { told } = new Sandbox('a1', 'a').ask();
    const [[, connection]] = (await accept(1)) as [[string, RawConnection]];
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
    await expect.poll(() => told.words).toEqual(['200']);
    shares.suspect(authority());
    pass(60_000);
    connection.send('ok');
    expect(await told.done).toBe('200 ok end');
  });
});
