import { generate } from '../load/http-load.mjs';
import { sandboxHost } from '../platform/identities.mjs';
import { OPEN_FILES } from '../platform/processes.mjs';
import { insertSandboxes } from '../platform/postgres.mjs';
import { getSmall } from './http-loads.mjs';
import { figures, measured } from './measured.mjs';
import { processTree, rssBytes } from './process-tree.mjs';

const COLD_SANDBOXES = 2_000;
const STORM_REQUESTS = 10_000;

/** Sandboxes from this number on are in no table. */
const FIRST_UNKNOWN = 2 ** 40;

/** These loads are about our caches and the database; no other contender has either. */
const ONLY_OURS = { contenders: ['ours'], fresh: true, warmUp: (target) => getSmall(target, 1) };

function counted({ reads, writes, example }) {
  return { queries: reads, queryWrites: writes, ...(example === undefined ? {} : { example }) };
}

/** On a process that is done long before its cache entries are asked for anew, as each is after its two minutes. */
const warmPath = {
  ...ONLY_OURS,
  id: 'warm-path',
  title: 'The database under GET small, 32 connections',
  unit: 'request',
  columns: ['requests', 'queries'],
  sample: async (target, run) => {
    const statements = run.postgres.statements();
    const result = await measured(target, () => getSmall(target, run.options.seconds));
    return { ...figures(result), requests: result.requests, ...counted(statements.finish()) };
  },
};

const coldCache = {
  ...ONLY_OURS,
  id: 'cold',
  title: `Cold cache: one GET to each of ${COLD_SANDBOXES} sandboxes, 32 connections`,
  unit: 'request',
  columns: ['cpuUs', 'perSecond', 'p50us', 'p99us', 'queries'],
  sample: async (target, run) => {
    const first = run.takeSandboxes(COLD_SANDBOXES);
    await insertSandboxes(run.postgres.client, first, COLD_SANDBOXES);
    const statements = run.postgres.statements();
    const options = { port: target.port, connections: 32, path: '/', first, count: COLD_SANDBOXES };
    const result = await measured(target, () => generate('each', options));
    return { ...figures(result), ...counted(statements.finish()) };
  },
};

const missStorm = {
  ...ONLY_OURS,
  id: 'miss-storm',
  title: '10,000 requests at once to one uncached sandbox',
  unit: 'request',
  columns: ['queries', 'answers', 'p50us', 'p99us', 'peakRssBytes'],
  sample: async (target, run) => {
    const sandbox = run.takeSandboxes(1);
    await insertSandboxes(run.postgres.client, sandbox, 1);
    const statements = run.postgres.statements();
    const options = {
      // One connection for each request where that many can be open, beside those to the upstream.
      connections: Math.min(STORM_REQUESTS, OPEN_FILES - 4_000),
      count: STORM_REQUESTS,
      path: '/',
      host: sandboxHost(sandbox),
    };
    const result = await measured(target, () => generate('storm', { port: target.port, ...options }));
    return { ...figures(result), ...counted(statements.finish()), answers: answers(result) };
  },
};

const unknownSandboxes = {
  ...ONLY_OURS,
  id: 'unknown',
  title: 'Distinct unknown sandbox ids, 32 connections',
  unit: 'request',
  rounds: 1,
  columns: ['requests', 'cpuUs', 'perSecond', 'p99us', 'queries', 'rssGrowthBytes', 'answers'],
  sample: async (target, run) => {
    const steps = 5;
    const count = Math.ceil(run.options.unknown / steps);
    const pids = processTree(target.pid);
    const statements = run.postgres.statements();
    const rss = [];
    const statuses = {};
    const result = await measured(target, async () => {
      const total = { requests: 0, seconds: 0, failed: 0, p99us: 0, p50us: 0 };
      for (let step = 0; step < steps; step += 1) {
        const first = FIRST_UNKNOWN + step * count;
        const one = await generate('each', { port: target.port, connections: 32, path: '/', first, count });
        for (const [status, n] of Object.entries(one.statuses))
          statuses[status] = (statuses[status] ?? 0) + n;
        total.requests += one.requests;
        total.seconds += one.seconds;
        total.failed += one.cut + (one.statuses[200] ?? 0);
        total.p50us = Math.max(total.p50us, one.p50us);
        total.p99us = Math.max(total.p99us, one.p99us);
        rss.push(rssBytes(pids));
      }
      return total;
    });
    const counts = counted(statements.finish());
    return {
      ...figures(result),
      requests: result.requests,
      ...counts,
      queriesPerRequest: counts.queries / result.requests,
      rssBytes: rss,
      // What the first fifth costs is the filling of the caches and of V8's heap.
      rssGrowthBytes: Math.max(...rss.slice(1)) - rss[0],
      answers: answers({ ...result, statuses }),
    };
  },
};

/** `10000 × 200` */
function answers({ statuses, cut = 0 }) {
  const parts = Object.entries(statuses).map(([status, count]) => `${count} × ${status}`);
  return [...parts, ...(cut > 0 ? [`${cut} cut`] : [])].join(', ');
}

export const directoryLoads = [warmPath, coldCache, missStorm, unknownSandboxes];
