import { setTimeout as sleep } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PlatformSandboxDirectory } from '../src/platform/proxy-adapter/platform-directory.js';
import { type EchoAgent, startEchoAgent } from './kit/echo-agent.js';
import { ProxyStage } from './kit/proxy-stage.js';
import type { TeamRow } from './kit/platform-rows.js';
import type { Answer } from './kit/answer.js';
import { SOON_MS } from './kit/wait.js';

const stage = new ProxyStage();
let first: EchoAgent;
let second: EchoAgent;
let team: TeamRow;
let sandbox: { uuid: string; id: string };
let hostId: string;

beforeAll(async () => {
  [first, second] = [await startEchoAgent(), await startEchoAgent()];
});
afterAll(() => Promise.all([first.close(), second.close()]));
beforeEach(async () => {
  team = await stage.rows.team();
  hostId = await stage.rows.host(`127.0.0.1:${first.port}`);
  sandbox = await stage.told(() => stage.rows.sandbox(team.id, hostId));
  const { status } = await ask();
  if (status !== 200) throw new Error(`the route did not become warm: ${status}`);
});

function ask(): Promise<Answer> {
  const lines = [`Host: 80-${sandbox.id}.localhost`, `X-API-Key: ${team.key}`, 'Connection: close'];
  return stage.ask(stage.bare('GET', '/', lines));
}

/** Asks until the answer is as it should be; how long that took since the statement was committed. */
async function noticed(isRight: (answer: Answer) => boolean): Promise<number> {
  const committedAt = performance.now();
  while (!isRight(await ask())) if (performance.now() - committedAt > 5_000) return Infinity;
  return performance.now() - committedAt;
}

const errorOf = (answer: Answer) => answer.header('x-sandbox-error');

describe('a change that is committed while the route is warm', () => {
  it.each<[string, () => [sql: string, parameters: unknown[]], string]>([
    [
      'a paused sandbox answers 409',
      () => [`UPDATE sandboxes SET status = 'paused' WHERE id = $1`, [sandbox.uuid]],
      'proxy;sandbox_not_running',
    ],
    [
      'a deleted sandbox answers 404',
      () => ['DELETE FROM sandboxes WHERE id = $1', [sandbox.uuid]],
      'proxy;sandbox_not_found',
    ],
    [
      'a deleted key answers 401',
      () => ['DELETE FROM team_api_keys WHERE id = $1', [team.keyId]],
      'proxy;unauthorized',
    ],
    [
      'a deleted team answers 401',
      () => ['UPDATE teams SET deleted_at = now() WHERE id = $1', [team.id]],
      'proxy;unauthorized',
    ],
    [
      'a host that lost its address answers 503',
      () => [`UPDATE hosts SET address = '' WHERE id = $1`, [hostId]],
      'proxy;host_unavailable',
    ],
    [
      'a sandbox taken off its host answers 503',
      () => ['UPDATE sandboxes SET host_id = NULL WHERE id = $1', [sandbox.uuid]],
      'proxy;host_unavailable',
    ],
  ])('is noticed soon: %s', async (_name, change, error) => {
    await stage.started.db.query(...change());
    expect(await noticed((answer) => errorOf(answer) === error)).toBeLessThan(SOON_MS);
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'a sandbox that moved',
      async () => {
        const there = await stage.rows.host(`127.0.0.1:${second.port}`);
        await stage.started.db.query('UPDATE sandboxes SET host_id = $1 WHERE id = $2', [
          there,
          sandbox.uuid,
        ]);
      },
    ],
    [
      'a host whose address changed',
      () =>
        stage.started.db.query('UPDATE hosts SET address = $1 WHERE id = $2', [
          `127.0.0.1:${second.port}`,
          hostId,
        ]),
    ],
  ])('is followed soon: %s', async (_name, change) => {
    const before = [first.requests, second.requests];
    await change();
    expect(await noticed(() => second.requests > (before[1] ?? 0))).toBeLessThan(SOON_MS);
    const left = first.requests;
    expect((await ask()).status).toBe(200);
    expect(first.requests).toBe(left);
  });

  it('is noticed where it says yes after no: resumed, and created', async () => {
    await stage.told(() =>
      stage.started.db.query(`UPDATE sandboxes SET status = 'paused' WHERE id = $1`, [sandbox.uuid]),
    );
    expect((await ask()).status).toBe(409);
    await stage.started.db.query(`UPDATE sandboxes SET status = 'running' WHERE id = $1`, [sandbox.uuid]);
    expect(await noticed((answer) => answer.status === 200)).toBeLessThan(SOON_MS);
  });

  it("does not reach another team's requests before it is theirs: a sandbox that changed its team", async () => {
    const other = await stage.rows.team();
    await stage.started.db.query('UPDATE sandboxes SET team_id = $1 WHERE id = $2', [other.id, sandbox.uuid]);
    expect(await noticed((answer) => answer.status === 404)).toBeLessThan(SOON_MS);
    team = other;
    expect((await ask()).status).toBe(200);
  });
});

/** How often it is asked about sandboxes while something runs. */
async function questions(run: () => Promise<unknown>): Promise<number> {
  const directory = stage.started.app.get(PlatformSandboxDirectory);
  const { locate } = directory;
  let count = 0;
  directory.locate = (...parameters) => {
    count += 1;
    return locate.apply(directory, parameters);
  };
  await run();
  directory.locate = locate;
  return count;
}

describe('the database', () => {
  it('is asked once for 100 requests that meet a cold route, and not at all for warm ones', async () => {
    sandbox = await stage.told(() => stage.rows.sandbox(team.id, hostId));
    const statuses = new Set<number>();
    const hundred = async () => {
      for (const { status } of await Promise.all(Array.from({ length: 100 }, ask))) statuses.add(status);
    };
    expect(await questions(hundred)).toBe(1);
    expect(await questions(hundred)).toBe(0);
    expect(statuses).toEqual(new Set([200]));
  });

  it('is asked again after an agent said that the sandbox is not there', async () => {
    const gone =
      'HTTP/1.1 404 Not Found\r\nX-Sandbox-Error: agent;no_such_sandbox\r\nContent-Length: 0\r\n\r\n';
    const { client, upstream } = await stage.begin(stage.head('GET', '/'));
    upstream.send(gone);
    await client.head();
    const again = async () => {
      client.send(stage.head('GET', '/'));
      await upstream.head();
    };
    expect(await questions(again)).toBe(1);
  });

  it('is asked at most once a second about an app that likes to answer 502', async () => {
    const badGateway = 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n';
    const count = await questions(async () => {
      const { client, upstream } = await stage.begin(stage.head('GET', '/'));
      for (let i = 0; i < 10; i++) {
        // A route stored in the very millisecond of its eviction is asked for again.
        await sleep(2);
        upstream.send(badGateway);
        await client.head();
        client.send(stage.head('GET', '/'));
        await upstream.head();
      }
    });
    expect(count).toBeLessThanOrEqual(3);
  });

  it('is asked again after the agent was not to be reached', async () => {
    const dead = await startEchoAgent();
    await dead.close();
    sandbox = await stage.rows.sandbox(team.id, await stage.rows.host(`127.0.0.1:${dead.port}`));
    await stage.told(() => stage.rows.sandbox(team.id, hostId));
    const errors: unknown[] = [];
    const count = await questions(async () => {
      for (let i = 0; i < 3; i++) errors.push(errorOf(await ask()));
    });
    expect(errors).toEqual(Array(3).fill('proxy;upstream_unreachable'));
    expect(count).toBe(3);
  });
});
