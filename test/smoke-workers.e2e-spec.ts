import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { identityOf } from '../src/demo/embedded-postgres/embedded-postgres-process.js';
import { SlowApp } from './kit/apps/slow-app.js';
import { createTestDatabase } from './kit/database.js';
import { apiKey, demoUrl, open } from './kit/first-start.js';
import { newDirectory, postmasterPid, Program, removeDirectory } from './kit/program.js';
import { until } from './kit/wait.js';

const TWO_WORKERS = { WORKERS: '2', PORT: '0', SHUTDOWN_GRACE_MS: '20000' };

/** The pids of those that have listened, oldest first. */
const listened = ({ stdout }: Program) =>
  [...stdout.matchAll(/"pid":(\d+),"msg":"worker listens"/g)].map(([, pid]) => Number(pid));
const living = (program: Program) => listened(program).filter((pid) => identityOf(pid) !== null);
/** Throws where there are not two: `process.kill(0)` would be our own end. */
const bothOf = (program: Program): readonly [number, number] => {
  const [first, second, ...others] = living(program);
  if (first === undefined || second === undefined || others.length > 0) throw new Error(program.stdout);
  return [first, second];
};

/** Whether somebody listens, as a client finds out. */
const answers = (url: string) =>
  open(`${url}/readyz`, '').then(
    ({ status }) => status === 200,
    () => false,
  );

describe('WORKERS=2', () => {
  const directory = newDirectory();
  let program: Program;
  let url: string;

  beforeAll(async () => {
    program = new Program(directory, TWO_WORKERS);
    url = await program.url();
  });

  afterAll(async () => {
    await program.end('SIGTERM');
    removeDirectory(directory);
  });

  it('tells of the start once, when both listen', () => {
    const beforeBanner = program.stdout.slice(0, program.stdout.indexOf('Sandbox control plane on'));
    expect(beforeBanner.match(/worker listens/g)).toHaveLength(2);
    expect(program.stdout.match(/Sandbox control plane on/g)).toHaveLength(1);
    expect(program.banner).toContain('First start');
    expect(program.stderr).toBe('');
  });

  it('serves by each of the two alone, at one address, and into the sandbox', async () => {
    for (const pid of bothOf(program)) {
      process.kill(pid, 'SIGSTOP');
      let answered = 0;
      const asked = [1, 2, 3, 4].map(async () => {
        const { status } = await open(demoUrl(program.banner), apiKey(program.banner));
        answered += 1;
        return status;
      });
      // one connection waits with the stopped worker, which gets no more before it has taken that one
      await until(() => answered === 3);
      process.kill(pid, 'SIGCONT');
      expect(await Promise.all(asked)).toEqual([200, 200, 200, 200]);
    }
  });

  it('leads from the sandbox neither to the control plane nor to the database', async () => {
    const { port } = new URL(url);
    const toItself = demoUrl(program.banner).replace(/\/\d+-/, `/${port}-`);
    expect((await open(toItself, apiKey(program.banner))).text).toContain('port_denied');
  });

  it('replaces a worker that is killed, and goes on with the other', async () => {
    const [first, second] = bothOf(program);
    process.kill(first, 'SIGKILL');
    await until(() => identityOf(first) === null);
    expect(await answers(url)).toBe(true);
    await until(() => living(program).length === 2);
    expect(living(program)).toContain(second);
    expect(program.stdout).toContain(
      `"pid":${first},"problem":"a worker ended with SIGKILL","msg":"worker ended; starting another"`,
    );
  });

  // node:cluster leaves a connection open, and its client waiting, that a worker was handed and ended before taking
  it('keeps no client waiting for a worker that was killed', async () => {
    const [first] = bothOf(program);
    process.kill(first, 'SIGSTOP');
    let settled = 0;
    const asked = [1, 2, 3, 4].map(async () => {
      const outcome = await answers(url);
      settled += 1;
      return outcome;
    });
    await until(() => settled === 3);
    process.kill(first, 'SIGKILL');
    expect((await Promise.all(asked)).toSorted()).toEqual([false, true, true, true]);
    await until(() => living(program).length === 2);
  });

  it('comes back at the same address when both are killed', async () => {
    const before = bothOf(program);
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await until(() => before.every((pid) => identityOf(pid) === null));
    await until(() => answers(url));
    await until(() => living(program).length === 2);
    expect(await open(demoUrl(program.banner), apiKey(program.banner))).toMatchObject({ status: 200 });
  });
});

describe('the end of WORKERS=2', () => {
  const app = new SlowApp();
  let directory: string;
  let programs: Program[];
  const start = (env: Readonly<Record<string, string>> = {}) => {
    const program = new Program(directory, { ...TWO_WORKERS, ...env });
    programs.push(program);
    return program;
  };
  /** Four requests that wait in the app: what becomes of them. */
  const askSlowly = async ({ banner }: Program) => {
    const url = `${demoUrl(banner).replace(/\/\d+-/, `/${app.port}-`)}slow`;
    const answered = [1, 2, 3, 4].map(() => open(url, apiKey(banner)));
    await until(() => app.waiting === 4);
    return answered;
  };

  beforeAll(() => app.start());
  afterAll(() => app.stop());

  beforeEach(() => {
    directory = newDirectory();
    programs = [];
  });

  afterEach(async () => {
    for (const program of programs) await program.end('SIGTERM');
    removeDirectory(directory);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s lets both finish what they do, exits with 0 and leaves no process',
    async (signal) => {
      const program = start();
      const url = await program.url();
      const answered = await askSlowly(program);
      const pids = [...bothOf(program), postmasterPid(directory) ?? 0];

      const ended = program.end(signal);
      await until(async () => !(await answers(url)));
      app.finish();
      expect((await Promise.all(answered)).map(({ text }) => text)).toEqual(Array(4).fill('answer to slow'));
      expect(await ended).toBe(0);
      expect(pids.filter((pid) => identityOf(pid) !== null)).toEqual([]);
      expect(program.stderr).toBe('');
    },
  );

  it('leaves no connection without an answer or an end while requests finish', async () => {
    const program = start();
    const url = await program.url();
    const answered = await askSlowly(program);
    let waiting = 0;
    const knock = async () => {
      for (let isOpen = true; isOpen; waiting -= 1) {
        waiting += 1;
        isOpen = await answers(url);
      }
    };
    const knocking = Array.from({ length: 40 }, knock);
    const ended = program.end('SIGTERM');
    await until(() => waiting === 0);
    app.finish();
    await Promise.all([...knocking, ...answered]);
    expect(await ended).toBe(0);
  });

  it('ends the workers of a primary that is killed', async () => {
    const program = start();
    await program.url();
    const workers = bothOf(program);
    // until then the next start would show the key again
    await until(() => !existsSync(join(directory, 'data/unshown-api-key')));
    program.signal('SIGKILL');
    await until(() => workers.every((pid) => identityOf(pid) === null));
    const next = start();
    await next.url();
    expect(next.banner).toContain('Found the team "demo" and its sandbox again');
    expect(await next.end('SIGTERM')).toBe(0);
  });

  it('says in one line that the port is taken', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    const program = start({ PORT: String(port) });
    expect(await program.exited()).toBe(1);
    expect(program.stderr).toBe(
      `port ${port} on 127.0.0.1 is taken: end the program that listens there, or set PORT to another port\n`,
    );
    expect(program.banner).toBe('');
    squatter.close();
  });

  it('says once why workers cannot start, where it is only they who cannot', async () => {
    const onlyInWorkers = 'import c from "node:cluster";if(c.isWorker)process.env.LOG_LEVEL="loud"';
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(onlyInWorkers)}`;
    const program = start({ NODE_OPTIONS });
    expect(await program.exited()).toBe(1);
    expect(program.stderr).toMatch(/^LOG_LEVEL must be one of .*, but is "loud"\n$/);
    expect(program.banner).toBe('');
    expect(postmasterPid(directory)).toBeNull();
  });

  it('works with DATABASE_URL as with the embedded database', async () => {
    const database = await createTestDatabase();
    const program = start({ DATABASE_URL: database.url, ADMIN_TOKEN: 'an-operator-token-of-the-test' });
    expect(await answers(await program.url())).toBe(true);
    expect(listened(program)).toHaveLength(2);
    expect(await program.end('SIGTERM')).toBe(0);
    expect(program.stderr).toBe('');
    await database.drop();
  });
});
