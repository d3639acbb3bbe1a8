import { generate, httpLoad } from '../load/http-load.mjs';
import { sandboxHost } from '../platform/identities.mjs';
import { ask } from '../probe/ask.mjs';
import { figures, measured } from './measured.mjs';

const USUAL = ['cpuUs', 'ratio', 'perSecond', 'p50us', 'p99us', 'peakRssBytes'];

/** A closed loop of one kind of request for a time. */
function closedLoop({ id, title, contenders = 'proxies', unit = 'request', ...shape }) {
  const load = (target, run, seconds) =>
    httpLoad({
      port: target.port,
      connections: 32,
      path: '/',
      host: sandboxHost(1),
      ...shape,
      ...(shape.host === '@sandboxes' ? { host: `@${run.stage.hostsFile}` } : {}),
      seconds,
    });
  return {
    id,
    title,
    unit,
    contenders,
    columns: USUAL,
    warmUp: async (target, run) => {
      if (shape.host === '@sandboxes') await visitSandboxes(target);
      await load(target, run, run.options.warmUpSeconds);
    },
    sample: async (target, run) =>
      figures(await measured(target, () => load(target, run, run.options.seconds))),
  };
}

/** Each of the 1,000 sandboxes once, so that none is left uncached however slow the machine is. */
function visitSandboxes(target) {
  return generate('each', { port: target.port, connections: 32, path: '/', first: 1, count: 1_000 });
}

/** The GET load with a look at the event loop; a run of its own, so that looking costs the other figures nothing. */
const loopDelay = {
  id: 'loop-delay',
  title: 'Event loop under GET small, 32 connections',
  unit: 'request',
  contenders: ['ours', 'http-proxy'],
  columns: ['loopP50Ms', 'loopP99Ms', 'loopMaxMs', 'loopUtilization'],
  probe: true,
  warmUp: (target, run) => getSmall(target, run.options.warmUpSeconds),
  sample: async (target, run) => {
    await ask(run.stage.probes, target.pid, 'startDelay');
    const result = figures(await measured(target, () => getSmall(target, run.options.seconds)));
    const delay = await ask(run.stage.probes, target.pid, 'stopDelay');
    return {
      ...result,
      loopP50Ms: delay.p50Ms,
      loopP99Ms: delay.p99Ms,
      loopMaxMs: delay.maxMs,
      loopUtilization: delay.utilization,
    };
  },
};

/** The load of the first figure; other loads warm up with it. */
export function getSmall(target, seconds) {
  return httpLoad({ port: target.port, connections: 32, path: '/', host: sandboxHost(1), seconds });
}

export const httpLoads = [
  closedLoop({ id: 'get', title: 'GET small, 32 connections', contenders: 'all' }),
  closedLoop({
    id: 'post',
    title: 'POST 1 KiB, 32 connections',
    method: 'POST',
    path: '/echo',
    bodyBytes: 1024,
  }),
  closedLoop({
    id: 'headers',
    title: 'GET with 40 request and 30 response headers, 32 connections',
    path: '/headers',
    // Host and X-API-Key are two of the forty.
    extraHeaders: 38,
  }),
  closedLoop({ id: 'get-256', title: 'GET small, 256 connections', connections: 256, contenders: 'all' }),
  closedLoop({ id: 'get-2000', title: 'GET small, 2,000 connections', connections: 2000 }),
  closedLoop({
    id: 'sandboxes',
    title: 'GET small to 1,000 sandboxes in turn, 32 connections',
    host: '@sandboxes',
  }),
  closedLoop({
    id: 'get-origin',
    title: 'GET small by a page of the sandbox itself (Origin), 32 connections',
    origin: `http://${sandboxHost(1)}`,
  }),
  closedLoop({ id: '1m', title: 'GET 1 MiB, 8 connections', connections: 8, path: '/1m', unit: 'MiB' }),
  loopDelay,
];
