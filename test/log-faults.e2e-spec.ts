import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  createReadStream,
  existsSync,
  openSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { identityOf } from '../src/demo/embedded-postgres/embedded-postgres-process.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { newDirectory, Program, type ProgramOptions, removeDirectory } from './kit/program.js';
import { PATIENCE_MS, pause, until, within } from './kit/wait.js';
import { freePort } from './kit/postgres.js';

// With its log on a full disk the program answered nothing any more, and SIGTERM did not end it. With its log in a pipe
// that nobody reads its memory grew with every request, and SIGTERM did not end it. With /dev/full it never answered.

/** A line each, some 300 bytes: more than twice what may wait. */
const FLOOD = 8_000;
const PIPELINED = 20;
/** What may wait, what lies in a pipe or socket or on the disk already, and a write under way. */
const MOST_KEPT_BYTES = 1_048_576 + 524_288;
const END_WITHIN_MS = 20_000;

const STANDARD_OUTPUT = new URL('../dist/src/program/logging/standard-output.js', import.meta.url).href;

let db: TestDatabase;
let directory: string;
let port: number;
let program: Program;
const toClose: (() => void)[] = [];

beforeAll(async () => void (db = await createTestDatabase()));
afterAll(() => db.drop());
beforeEach(() => void (directory = newDirectory()));
afterEach(() => {
  for (const close of toClose.splice(0)) close();
  removeDirectory(directory);
});

/** Where the log goes in a test. */
interface Output {
  readonly options: ProgramOptions;
  /** Breaks it. */
  fail(): void;
  /** Mends it. */
  recover(): void;
  /** All that has come of the log. */
  log(): string;
}

/** One that fails from the beginning, and for good. */
function deviceFull(): Output {
  return { options: { stdout: opened('/dev/full', 'w') }, fail() {}, recover() {}, log: () => '' };
}

function disk(): Output {
  const path = join(directory, 'log');
  return {
    options: { stdout: opened(path, 'a') },
    fail: () => limitFileSize(String(statSync(path).size + 10_000)),
    recover: () => limitFileSize('unlimited'),
    log: () => readFileSync(path, 'utf8'),
  };
}

/** No file of the program can become larger, as if the disk were full; bytes, or `unlimited`. */
function limitFileSize(most: string): void {
  const pids = [program.pid, ...childrenOf(program.pid)];
  for (const pid of pids) execFileSync('prlimit', ['--pid', String(pid), `--fsize=${most}:unlimited`]);
}

function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path) ? (readFileSync(path, 'utf8').match(/\d+/g) ?? []).map(Number) : [];
}

function newFifo(): string {
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}

function pipe(): Output {
  const path = newFifo();
  const writeTo = opened(path, 'r+'); // 'w' would wait for the reader
  const reader = createReadStream(path);
  let log = '';
  reader.on('data', (chunk) => (log += String(chunk)));
  const fail = () => void reader.pause();
  return { options: { stdout: writeTo }, fail, recover: () => void reader.resume(), log: () => log };
}

/** What a parent of Node's gives its child for a pipe. */
function socket(): Output {
  return {
    options: {},
    fail: () => program.readStdout(false),
    recover: () => program.readStdout(true),
    log: () => program.stdout,
  };
}

function pipeThatIsClosed(): Output {
  const path = newFifo();
  const readFrom = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return {
    options: { stdout: opened(path, 'w') },
    fail: () => closeSync(readFrom),
    recover() {},
    log: () => '',
  };
}

function socketThatIsClosed(): Output {
  return { options: {}, fail: () => program.closeStdout(), recover() {}, log: () => '' };
}

/** A terminal, which is read only while we read what `script` makes of it. */
function terminal(): Output {
  return { ...socket(), options: { through: ['sh', '-c', 'exec script -qefc "exec $*" /dev/null', 'sh'] } };
}

/** Its descriptor, closed after the test. */
function opened(path: string, flags: string): number {
  const descriptor = openSync(path, flags);
  toClose.push(() => closeSync(descriptor));
  return descriptor;
}

async function start(workers: number, output: Output): Promise<void> {
  port = await freePort();
  const env = { PORT: String(port), WORKERS: String(workers), DATABASE_URL: db.url };
  program = new Program(directory, { ...env, ADMIN_TOKEN: 'admin-token-0123456789' }, output.options);
  await until(isAlive, () => `answers: ${program.stderr}`);
}

/** Whether `/healthz` answers within five seconds. */
async function isAlive(): Promise<boolean> {
  const asked = get({ port, host: '127.0.0.1', path: '/healthz', agent: false });
  const late = setTimeout(() => asked.destroy(new Error('no answer within five seconds')), 5_000);
  try {
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode === 200;
  } catch {
    return false;
  } finally {
    clearTimeout(late);
  }
}

/** Sends requests that leave a line each. Every one is answered, and `/healthz` all the while. */
async function flood(requests: number): Promise<void> {
  const flooding = new AbortController();
  const watching = watch(flooding.signal);
  await Promise.all([1, 2, 3, 4].map(() => floodOneConnection(requests / 4)));
  flooding.abort();
  expect(await watching).toBe('always answered');
}

async function watch(during: AbortSignal): Promise<string> {
  for (; !during.aborted; await pause(100)) if (!(await isAlive())) return '/healthz did not answer';
  return 'always answered';
}

async function floodOneConnection(requests: number): Promise<void> {
  const request = 'GET / HTTP/1.1\r\nHost: 3000-cl-0000000000000000000000001.localhost\r\n\r\n';
  const client = connect(port, '127.0.0.1');
  for (let sent = 0; sent < requests; sent += PIPELINED) {
    client.write(request.repeat(PIPELINED));
    for (let text = ''; text.split('HTTP/1.1 401').length <= PIPELINED;) {
      text += String(await once(client, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) }));
    }
  }
  client.destroy();
}

/** The exit code. */
const end = () => within(program.end('SIGTERM'), END_WITHIN_MS, 'the end');

const proxiedIn = (log: string) => log.split('"msg":"proxied"}\n').length - 1;
const lostIn = (log: string) =>
  [...log.matchAll(/"lostLines":(\d+)/g)].reduce((sum, [, lost]) => sum + Number(lost), 0);

/** Throws at a line that another one has torn. */
function checkLines(log: string): void {
  for (const line of log.split('\n')) if (line.startsWith('{')) JSON.parse(line);
}

it('no write waits for a reader, whatever else a process does with its stdout', async () => {
  const script = `import { standardOutput } from ${JSON.stringify(STANDARD_OUTPUT)};
    standardOutput().write('x'.repeat(1_000_000) + '\\n');
    const isWritten = await standardOutput().flush();
    process.exit(isWritten ? 1 : 0);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', opened(newFifo(), 'r+'), 'inherit'],
  });
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(late);
  expect(code).toBe(0);
});

describe.each([1, 2])('the log of %i worker(s)', (workers) => {
  afterEach(async () => {
    const pids = [program.pid, ...childrenOf(program.pid)];
    for (const pid of pids) if (identityOf(pid) !== null) process.kill(pid, 'SIGKILL');
    await program.exited();
  });

  it.each([
    ['/dev/full', deviceFull],
    ['a pipe that is closed', pipeThatIsClosed],
    ['a socket that is closed', socketThatIsClosed],
  ])('stops neither requests nor the end: %s', async (_where, open) => {
    const output = open();
    await start(workers, output);
    output.fail();
    await flood(FLOOD);
    expect(await end()).toBe(0);
  });

  it('stops neither requests nor the end: a terminal that is stopped', async () => {
    const output = terminal();
    await start(workers, output);
    const [pid = 0] = childrenOf(program.pid);
    output.fail();
    await flood(FLOOD);
    process.kill(pid, 'SIGTERM');
    await expect.poll(() => identityOf(pid), { timeout: END_WITHIN_MS }).toBe(null);
    output.recover();
    expect(await program.exited()).toBe(0);
  });

  it.each([
    ['a disk that is full', disk],
    ['a pipe that nobody reads', pipe],
    ['a socket that nobody reads', socket],
  ])('keeps little, counts what it loses, and goes on later: %s', async (_where, open) => {
    const output = open();
    await start(workers, output);
    output.fail();
    await flood(FLOOD);
    output.recover();
    const told = () => proxiedIn(output.log()) + lostIn(output.log());
    await expect.poll(told).toBeGreaterThanOrEqual(FLOOD);
    checkLines(output.log());
    expect(output.log()).toMatch(/"msg":"\d+ log lines were lost"\}\n/);
    expect(output.log().length).toBeLessThan(MOST_KEPT_BYTES);

    output.fail();
    await flood(FLOOD / 10);
    expect(await end()).toBe(0);
  });

  it.each([
    ['a pipe', pipe],
    ['a socket', socket],
  ])('is whole after an orderly end, even if it is read late: %s', async (_where, open) => {
    const output = open();
    await start(workers, output);
    output.fail();
    await flood(FLOOD / 4);
    const ending = end();
    await until(async () => !(await isAlive()));
    output.recover();
    expect(await ending).toBe(0);
    await expect.poll(() => proxiedIn(output.log())).toBe(FLOOD / 4);
    checkLines(output.log());
  });
});
