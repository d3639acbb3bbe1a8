import { execFileSync, spawn } from 'node:child_process';
import { openSync, readFileSync, closeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const RAISE_LIMIT = 'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -H -n)"';

/** Raises the limit of open files as far as it goes, pins to the given cores where it can, and becomes the program. */
const WRAPPER =
  `${RAISE_LIMIT}; cores=$1; shift; ` +
  'if command -v taskset >/dev/null 2>&1 && [ -n "$cores" ]; then exec taskset -c "$cores" "$@"; else exec "$@"; fi';

/** How many files a program that `start` has started may open. */
export const OPEN_FILES = Number(
  execFileSync('sh', ['-c', `${RAISE_LIMIT}; ulimit -n`], { encoding: 'utf8' }),
);

const running = new Set();
let isStopping = false;

/**
 * Where things run: the proxy under test on core 0, load and upstream on the others, the same for every contender.
 * `dual` is for programs that are meant to use two cores. On a machine with one core nothing is pinned.
 */
export const CORES = coresOf(availableParallelism());

function coresOf(count) {
  if (count < 2) return { proxy: '', dual: '', load: '' };
  if (count === 2) return { proxy: '0', dual: '0-1', load: '1' };
  if (count === 3) return { proxy: '0', dual: '0-1', load: '1-2' };
  return { proxy: '0', dual: '0-1', load: `2-${count - 1}` };
}

/**
 * Starts a program and remembers it, so that `stopAll` leaves none behind.
 *
 * @param {{ command: string, args?: string[], env?: Record<string, string>, cores?: string, stdout?: string, stderr?: string,
 *   identity?: { uid?: number, gid?: number }, cwd?: string, stdin?: 'pipe' | 'ignore', capture?: boolean }} options
 *   `stdout` and `stderr` are files; `capture` gives stdout as a stream instead
 */
export function start({
  command,
  args = [],
  env = {},
  cores = '',
  stdout,
  stderr,
  identity = {},
  cwd,
  ...io
}) {
  if (isStopping) throw new Error('the bench is ending');
  const out = stdout === undefined ? undefined : openSync(stdout, 'a');
  const err = stderr === undefined ? undefined : openSync(stderr, 'a');
  const child = spawn('sh', ['-c', WRAPPER, 'sh', cores, command, ...args], {
    env: { ...process.env, ...env },
    stdio: [io.stdin ?? 'ignore', io.capture ? 'pipe' : (out ?? 'ignore'), err ?? 'inherit'],
    ...identity,
    ...(cwd === undefined ? {} : { cwd }),
  });
  for (const descriptor of [out, err]) if (descriptor !== undefined) closeSync(descriptor);
  const exited = new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      running.delete(handle);
      handle.exit = { code, signal };
      resolve(handle.exit);
    });
    child.once('error', (error) => resolve({ error }));
  });
  const handle = { pid: child.pid, child, exited, exit: undefined, stop: (signal) => stop(handle, signal) };
  running.add(handle);
  return handle;
}

async function stop(handle, signal = 'SIGTERM') {
  if (handle.exit !== undefined) return;
  handle.child.kill(signal);
  const patience = sleep(8_000, 'late', { ref: false });
  if ((await Promise.race([handle.exited, patience])) === 'late') {
    handle.child.kill('SIGKILL');
    await handle.exited;
  }
}

/** Stops whatever this run has started and is still there, the last one first; from then on nothing can be started. */
export async function stopAll() {
  isStopping = true;
  for (const handle of [...running].toReversed()) await handle.stop();
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freePort() {
  const probe = createServer();
  await new Promise((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address();
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  return port;
}

/** Waits until the port accepts; an early exit of the program or 30 s of silence is an error that shows its stderr. */
export async function listening(handle, port, stderr) {
  const deadline = Date.now() + 30_000;
  while (!(await accepts(port))) {
    if (handle.exit !== undefined || Date.now() > deadline) {
      const said =
        stderr === undefined ? '' : readFileSync(stderr, 'utf8').trim().split('\n').slice(-12).join('\n');
      throw new Error(
        handle.exit === undefined ? `no answer on port ${port}\n${said}` : `it ended at once\n${said}`,
      );
    }
    await sleep(30);
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
