import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { API_KEY } from '../platform/identities.mjs';
import { CORES, start } from '../platform/processes.mjs';
import { wrkVersion } from '../platform/tools.mjs';

const LUA = fileURLToPath(new URL('wrk.lua', import.meta.url));
const GENERATOR = fileURLToPath(new URL('generator.mjs', import.meta.url));
const WRK = wrkVersion();

/** What makes the plain HTTP loads on this machine. */
export const HTTP_GENERATOR = WRK === undefined ? "the bench's own generator (wrk is absent)" : `wrk ${WRK}`;

/**
 * @typedef {object} HttpLoad
 * @property {number} port of the proxy
 * @property {number} connections
 * @property {number} seconds
 * @property {string} path
 * @property {string} host the Host header, or `@file` with one on each line to go through in turn
 * @property {string} [method]
 * @property {number} [extraHeaders]
 * @property {number} [bodyBytes]
 * @property {string} [origin] the Origin header
 */

/**
 * A closed loop of requests on kept-alive connections for a time.
 *
 * @param {HttpLoad} load
 * @returns {Promise<{ requests: number, seconds: number, p50us: number, p99us: number, failed: number }>}
 */
export async function httpLoad(load) {
  const {
    port,
    connections,
    seconds,
    path,
    host,
    method = 'GET',
    extraHeaders = 0,
    bodyBytes = 0,
    origin = '',
  } = load;
  if (WRK === undefined) return generate('http', load);
  const url = `http://127.0.0.1:${port}`;
  const options = ['-t1', `-c${connections}`, `-d${Math.max(1, Math.round(seconds))}s`, '--timeout', '30s'];
  const parameters = [method, path, String(extraHeaders), String(bodyBytes), host, origin];
  return lastLine({
    command: 'wrk',
    args: [...options, '-s', LUA, url, '--', ...parameters],
    env: { BENCH_API_KEY: API_KEY },
  });
}

/**
 * Runs one of the loads of generator.mjs in a process of its own and returns its result.
 *
 * @param {string} kind
 * @param {object} options
 * @param {(mark: 'counting' | 'counted') => unknown} [onMark] called when what is counted begins and ends, for loads
 *   with a beginning of their own; stdin of the generator ends when it has resolved, which ends `websocketIdle`
 */
export async function generate(kind, options, onMark = () => undefined) {
  return lastLine(
    { command: process.execPath, args: [GENERATOR, kind], input: JSON.stringify(options) },
    onMark,
  );
}

async function lastLine({ input, ...program }, onMark) {
  const stdin = input === undefined ? 'ignore' : 'pipe';
  const handle = start({ ...program, cores: CORES.load, capture: true, stdin });
  handle.child.stdin?.on('error', () => undefined);
  handle.child.stdin?.write(`${input}\n`);
  let last = '';
  for await (const line of createInterface({ input: handle.child.stdout })) {
    last = line;
    const mark = /^\{"(counting|counted)":true\}$/.exec(line)?.[1];
    if (mark === undefined) continue;
    await onMark(mark);
    if (mark === 'counting') handle.child.stdin.end();
  }
  const { code } = await handle.exited;
  if (code !== 0 || !last.startsWith('{')) throw new Error(`the load generator ended with ${code}: ${last}`);
  return JSON.parse(last);
}
