// Loaded into a program under test with `--import`: lets the bench look inside without a line in the program. Listens on
// `{BENCH_PROBE_DIRECTORY}/{pid}.sock`; each connection sends one line of JSON and gets one back. Not a signal: the
// program may end on any of them.
import { createHook } from 'node:async_hooks';
import { createServer } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** In milliseconds. The histogram holds the whole time between two ticks, so this much is in every figure. */
const RESOLUTION_MS = 1;

let collect;
let delay;
let session;
let utilization;

const commands = {
  startDelay() {
    delay ??= monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.reset();
    delay.enable();
    utilization = performance.eventLoopUtilization();
    return {};
  },
  stopDelay() {
    delay.disable();
    return {
      p50Ms: delay.percentile(50) / 1e6,
      p99Ms: delay.percentile(99) / 1e6,
      maxMs: delay.max / 1e6,
      utilization: performance.eventLoopUtilization(utilization).utilization,
    };
  },
  memory() {
    return process.memoryUsage();
  },
  /** Memory after a collection, and what the program waits for. */
  left() {
    collect ??= newCollect();
    collect();
    return { ...process.memoryUsage(), timers: timers.size };
  },
  async startProfile({ intervalUs = 250 }) {
    const { Session } = await import('node:inspector/promises');
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: intervalUs });
    await session.post('Profiler.start');
    return {};
  },
  async stopProfile({ file }) {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    await writeFile(file, JSON.stringify(profile));
    return { file };
  },
};

function newCollect() {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

/** Timers that have been set and have neither run out nor been taken back; counted where BENCH_COUNT_TIMERS is set. */
const timers = new Set();
if (process.env.BENCH_COUNT_TIMERS !== undefined) {
  createHook({
    init: (id, type) => void (type === 'Timeout' && timers.add(id)),
    destroy: (id) => void timers.delete(id),
  }).enable();
}

const server = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.once('data', (line) => void answer(socket, line));
});

async function answer(socket, line) {
  try {
    const { command, ...options } = JSON.parse(line.toString());
    socket.end(JSON.stringify(await commands[command](options)));
  } catch (error) {
    socket.end(JSON.stringify({ error: String(error) }));
  }
}

// `exclusive`: a worker of a cluster listens itself instead of asking its parent to.
server.listen({ path: join(process.env.BENCH_PROBE_DIRECTORY, `${process.pid}.sock`), exclusive: true });
server.unref();
