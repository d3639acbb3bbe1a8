import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SlowApp } from './kit/apps/slow-app.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { PlatformRows, type SandboxRow, type TeamRow } from './kit/platform-rows.js';
import { newDirectory, Program, removeDirectory } from './kit/program.js';
import { RawConnection } from './kit/raw-connection.js';
import { UPGRADE_LINES } from './kit/requests.js';
import { until } from './kit/wait.js';

/** Longer than any test that looks at what happens in it. */
const LONG_MS = 60_000;
const SHORT_MS = 3_000;
/** Tunnels end over this time. */
const ENDING_MS = 2_000;

// A load balancer goes on sending requests on its open connections, and on new ones until it has noticed: what is not told
// to go elsewhere before the listener closes is lost.
describe.each([1, 2])('a roll, WORKERS=%i', (workers) => {
  const app = new SlowApp();
  const directory = newDirectory();
  const programs: Program[] = [];
  let db: TestDatabase;
  let team: TeamRow;
  let sandbox: SandboxRow;

  beforeAll(async () => {
    db = await createTestDatabase();
    const rows = new PlatformRows(db);
    team = await rows.team();
    await app.start();
    sandbox = await rows.sandbox(team.id, await rows.host(`127.0.0.1:${app.port}`));
  });
  afterAll(async () => {
    for (const program of programs) await program.end('SIGKILL');
    await app.stop();
    await db.drop();
    removeDirectory(directory);
  });

  const start = async (delayMs: number): Promise<Program> => {
    const program = new Program(directory, {
      PORT: '0',
      WORKERS: String(workers),
      DATABASE_URL: db.url,
      ADMIN_TOKEN: 'an-operator-token-of-the-test',
      SHUTDOWN_DELAY_MS: String(delayMs),
    });
    programs.push(program);
    await program.url();
    return program;
  };
  const head = (path: string, host: string, lines: readonly string[] = []) =>
    [`GET ${path} HTTP/1.1`, `Host: ${host}`, `X-API-Key: ${team.key}`, ...lines, '', ''].join('\r\n');
  const api = () => head('/v1/sandboxes', 'localhost');
  const toApp = (path: string) => head(path, `3000-${sandbox.id}.localhost`);
  const upgrade = () => head('/socket', `3000-${sandbox.id}.localhost`, UPGRADE_LINES);
  const ask = async (program: Program, bytes: string) => {
    const client = await RawConnection.open(program.port);
    client.send(bytes);
    return { client, answer: await client.answer() };
  };
  const readyz = async (program: Program) => {
    const { client, answer } = await ask(program, head('/readyz', 'localhost'));
    client.close();
    return answer.status;
  };
  /** Sends SIGTERM, and waits until every worker has heard of it. */
  const term = async (program: Program) => {
    program.signal('SIGTERM');
    let refusals = 0;
    await until(async () => (refusals = (await readyz(program)) === 503 ? refusals + 1 : 0) >= 4 * workers);
  };

  describe('before the listener closes', () => {
    let program: Program;
    let readyBefore: number;
    /** Connections that have had an answer before. */
    let idle: Record<string, Awaited<ReturnType<typeof ask>>>;
    /** Both have a request under way, `first` the one that the app will answer first. */
    let first: RawConnection;
    let second: RawConnection;

    beforeAll(async () => {
      program = await start(LONG_MS);
      readyBefore = await readyz(program);
      idle = { 'to the API': await ask(program, api()), 'to an app': await ask(program, toApp('/page')) };
      const slow = async (waiting: number) => {
        const client = await RawConnection.open(program.port);
        client.send(toApp('/slow'));
        await until(() => app.waiting === waiting);
        return client;
      };
      first = await slow(1);
      second = await slow(2);
      await term(program);
    });

    it('is announced by /readyz, and a new connection is still served, once', async () => {
      expect([readyBefore, await readyz(program)]).toEqual([200, 503]);
      for (const request of [api(), toApp('/page')]) {
        const { client, answer } = await ask(program, request);
        expect([answer.status, answer.header('connection')]).toEqual([200, 'close']);
        expect(await client.closed()).toBe('fin');
      }
    });

    it.each([
      ['to the API', api],
      ['to an app', () => toApp('/page')],
    ])('ends an idle connection with its next answer, %s', async (to, request) => {
      const { client, answer } = idle[to] as Awaited<ReturnType<typeof ask>>;
      expect([answer.status, answer.header('connection')]).not.toContain('close');
      expect(client.isOver).toBe(false);
      client.send(request());
      const last = await client.answer();
      expect([last.status, last.header('connection')]).toEqual([200, 'close']);
      expect(await client.closed()).toBe('fin');
    });

    it('ends a connection with the answer that is under way', async () => {
      app.finish(1);
      const answer = await first.answer();
      expect([answer.body, answer.header('connection')]).toEqual(['answer to slow', 'close']);
      expect(await first.closed()).toBe('fin');
    });

    it('ends a connection with the last of its pipelined answers, and answers those before it', async () => {
      second.send(api() + toApp('/last'));
      // until both have been read
      await ask(program, toApp('/page'));
      app.finish();
      const answers = [await second.answer(), await second.answer(), await second.answer()];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(answers.map((answer) => answer.header('connection') === 'close')).toEqual([false, false, true]);
      expect(answers[2]?.body).toBe('answer to last');
      expect(await second.closed()).toBe('fin');
    });
  });

  it('closes the listener after the delay, and lets requests under way finish', async () => {
    const program = await start(SHORT_MS);
    const client = await RawConnection.open(program.port);
    client.send(toApp('/slow'));
    await until(() => app.waiting === 1);
    const startedAt = performance.now();
    program.signal('SIGTERM');
    await until(() =>
      readyz(program).then(
        () => false,
        () => true,
      ),
    );
    expect(performance.now() - startedAt).toBeGreaterThan(SHORT_MS - 100);
    app.finish();
    expect((await client.answer()).body).toBe('answer to slow');
    expect(await program.exited()).toBe(0);
    expect(program.stderr).toBe('');
  });

  it('keeps WebSockets for the delay, then ends one after the other, with 1012', async () => {
    const program = await start(SHORT_MS);
    const open = async () => {
      const { client, answer } = await ask(program, upgrade());
      expect(answer.status).toBe(101);
      return client;
    };
    const sockets = [await open(), await open(), await open(), await open()];
    const startedAt = performance.now();
    await term(program);
    sockets.push(await open());
    const endings = await Promise.all(
      sockets.map(async (socket) => {
        const { bytes } = await socket.rest();
        return { code: Buffer.from(bytes, 'latin1').readUInt16BE(2), afterMs: socket.endedAt - startedAt };
      }),
    );
    expect(endings.map(({ code }) => code)).toEqual(Array(5).fill(1012));
    const times = endings.map(({ afterMs }) => afterMs);
    expect(Math.min(...times)).toBeGreaterThan(SHORT_MS - 100);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(ENDING_MS - 100);
    expect(await program.exited()).toBe(0);
  });
});
