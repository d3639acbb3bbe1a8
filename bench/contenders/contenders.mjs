import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { API_KEY } from '../platform/identities.mjs';
import { CORES, freePort, listening, start } from '../platform/processes.mjs';
import { goBinary, versionOf } from '../platform/tools.mjs';
import { haproxyConfiguration } from './haproxy.mjs';
import { nginxConfiguration } from './nginx.mjs';

const NODE_PROGRAMS = fileURLToPath(new URL('node/', import.meta.url));
const PROBE = new URL('../probe/probe.mjs', import.meta.url).href;

/**
 * @typedef {object} Stage what contenders need to know of the run
 * @property {string} directory for configurations and logs
 * @property {number} upstreamPort
 * @property {string} sandboxesFile one id on each line
 * @property {string} program `main.js` of the built control plane
 * @property {string} [before] that of another build
 * @property {string} databaseUrl
 *
 * @typedef {object} Contender
 * @property {string} id for the command line
 * @property {string} label for the tables
 * @property {boolean} upgrades whether it forwards WebSockets
 * @property {boolean} [dual] allowed two cores
 * @property {string} [absent] why it cannot run here
 * @property {(stage: Stage, port: number) => { command: string, args: string[], env: Record<string, string> }} program
 */

/** @returns {Contender[]} */
export function contenders() {
  return [
    ours('ours', 'ours, WORKERS=1', { WORKERS: '1' }),
    ...before(),
    { ...ours('ours-2', 'ours, WORKERS=2', { WORKERS: '2' }), dual: true, children: 2 },
    node('floor', 'floor: bare node:http answering itself', { upgrades: false }),
    node('http-proxy', `http-proxy ${packageVersion('http-proxy')}`),
    node('http-proxy-3', `http-proxy-3 ${packageVersion('http-proxy-3')}`),
    node('httpxy', `httpxy ${packageVersion('httpxy')}`),
    node('reply-from', `@fastify/reply-from ${packageVersion('@fastify/reply-from')}`, { upgrades: false }),
    node('undici-dispatch', `undici ${packageVersion('undici')} dispatch`, { upgrades: false }),
    go('go', 'Go ReverseProxy, GOMAXPROCS=1', '1'),
    { ...go('go-2', 'Go ReverseProxy, GOMAXPROCS=2', '2'), dual: true },
    configured('nginx', nginxConfiguration, (file) => ['-c', file, '-g', 'daemon off;'], ['-v']),
    configured('haproxy', haproxyConfiguration, (file) => ['-f', file, '-db'], ['-v']),
  ];
}

/** Names of `--contenders` that stand for several. */
export const QUICK_CONTENDERS = ['ours', 'go', 'http-proxy', 'floor'];

function packageVersion(name) {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

/** Another build of ours, where `--before` names one. */
function before() {
  if (!process.argv.some((argument) => argument.startsWith('--before'))) return [];
  const { program, ...contender } = ours('before', 'ours, the build before', { WORKERS: '1' });
  return [{ ...contender, program: (stage, port) => program({ ...stage, program: stage.before }, port) }];
}

function ours(id, label, env) {
  return {
    id,
    label,
    upgrades: true,
    logs: true,
    program: (stage, port) => ({
      command: process.execPath,
      args: [stage.program],
      env: {
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: String(port),
        DATABASE_URL: stage.databaseUrl,
        ADMIN_TOKEN: 'token-of-the-bench',
        ...env,
      },
    }),
  };
}

function node(id, label, { upgrades = true } = {}) {
  return {
    id,
    label,
    upgrades,
    program: (stage, port) => ({
      command: process.execPath,
      args: [join(NODE_PROGRAMS, `${id}.mjs`)],
      env: {
        NODE_ENV: 'production',
        BENCH_PORT: String(port),
        BENCH_UPSTREAM: `http://127.0.0.1:${stage.upstreamPort}`,
      },
    }),
  };
}

function go(id, label, processors) {
  const { binary, absent } = goBinary('contenders/go-reverse-proxy', 'go-reverse-proxy');
  const version = versionOf('go', ['version'])?.replace(/^.*?go(\d[\d.]*).*$/s, ' $1') ?? '';
  return {
    id,
    label: label.replace('Go', `Go${version}`),
    upgrades: true,
    ...(absent === undefined ? {} : { absent }),
    program: (stage, port) => ({
      command: binary,
      args: [
        `-listen=127.0.0.1:${port}`,
        `-upstream=http://127.0.0.1:${stage.upstreamPort}`,
        `-sandboxes=${stage.sandboxesFile}`,
      ],
      env: { GOMAXPROCS: processors, BENCH_API_KEY: API_KEY },
    }),
  };
}

function configured(id, configuration, argumentsFor, versionArguments) {
  const version = versionOf(id, versionArguments)?.match(/(\d+\.\d+(?:\.\d+)?)/)?.[1];
  return {
    id,
    label: version === undefined ? id : `${id} ${version}`,
    upgrades: true,
    ...(version === undefined ? { absent: `${id} is not installed` } : {}),
    program: (stage, port) => {
      const file = join(stage.directory, `${id}-${port}.conf`);
      writeFileSync(
        file,
        configuration({ port, upstreamPort: stage.upstreamPort, directory: stage.directory }),
      );
      return { command: id, args: argumentsFor(file), env: {} };
    },
  };
}

/**
 * Starts a contender and waits until it listens.
 *
 * @param {Contender} contender
 * @param {Stage} stage
 * @param {{ env?: Record<string, string>, probe?: string, nodeArguments?: string[] }} [options] `probe` is the directory
 *   for the sockets of bench/probe, which is then loaded into every Node process of the contender
 */
export async function launch(contender, stage, { env = {}, probe } = {}) {
  const port = await freePort();
  const { command, args, env: own } = contender.program(stage, port);
  const stdout = join(stage.directory, `${contender.id}.stdout`);
  const stderr = join(stage.directory, `${contender.id}.stderr`);
  for (const file of [stdout, stderr]) writeFileSync(file, '');
  const probing = probe !== undefined && command === process.execPath;
  const handle = start({
    command,
    args: probing ? ['--import', PROBE, ...args] : args,
    env: { ...own, ...env, ...(probing ? { BENCH_PROBE_DIRECTORY: probe } : {}) },
    cores: contender.dual === true ? CORES.dual : CORES.proxy,
    // Whoever logs, logs into a file.
    stdout,
    stderr,
  });
  await listening(handle, port, stderr);
  return { contender, handle, pid: handle.pid, port, stop: () => handle.stop() };
}
