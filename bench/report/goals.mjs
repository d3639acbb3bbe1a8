import { pairedRatio } from '../measure/statistics.mjs';
import { number } from './columns.mjs';

const MIB = 2 ** 20;

/** Ratios ours : peer of one run; `higher` where more is better. */
const RATIOS = [
  { title: 'CPU per request', load: 'get', peer: 'go', figure: 'cpuUs', must: 0.95, reach: 0.6 },
  { title: 'CPU per request', load: 'get', peer: 'http-proxy', figure: 'cpuUs', must: 0.42, reach: 0.27 },
  { title: 'CPU per request', load: 'get', peer: 'floor', figure: 'cpuUs', must: 2.9, reach: 1.9 },
  { title: 'CPU per request', load: 'post', peer: 'go', figure: 'cpuUs', must: 1, reach: 0.65 },
  {
    title: 'requests/s on one core',
    load: 'get',
    peer: 'go',
    figure: 'perSecond',
    must: 1.05,
    reach: 1.6,
    higher: true,
  },
  { title: 'CPU per MiB', load: '1m', peer: 'http-proxy', figure: 'cpuUs', must: 1, reach: 0.6 },
  {
    title: 'MiB/s',
    load: 'download',
    peer: 'http-proxy',
    figure: 'perSecond',
    must: 1,
    reach: 1.5,
    higher: true,
  },
  { title: 'CPU per message', load: 'ws-echo', peer: 'go', figure: 'cpuUs', must: 1.15, reach: 1 },
  {
    title: 'RSS per WebSocket',
    load: 'ws-idle',
    peer: 'http-proxy',
    figure: 'rssPerSocketBytes',
    must: 0.9,
    reach: 0.5,
  },
  { title: 'p99 latency', load: 'get-256', peer: 'go', figure: 'p99us', must: 1 },
];

/** Limits on our own figures, worst sample of the run. */
const LIMITS = [
  { title: 'database queries on the warm path', load: 'warm-path', figure: 'queries', limit: 0 },
  { title: 'RSS growth MiB', load: 'download', figure: 'rssGrowthBytes', limit: 16, scale: MIB },
  { title: 'RSS growth MiB', load: 'upload', figure: 'rssGrowthBytes', limit: 16, scale: MIB },
  { title: 'event-loop delay p99 ms', load: 'loop-delay', figure: 'loopP99Ms', limit: 20 },
  { title: 'database queries', load: 'miss-storm', figure: 'queries', limit: 1 },
  { title: 'database queries per id', load: 'unknown', figure: 'queriesPerRequest', limit: 1 },
  {
    title: 'RSS growth MiB after the first fifth',
    load: 'unknown',
    figure: 'rssGrowthBytes',
    limit: 16,
    scale: MIB,
  },
];

/**
 * What was asked for and what came out, of the loads that were run.
 *
 * @returns {{ title: string, load: string, against: string, value: number, must: number, reach?: number, higher?: boolean, verdict: string }[]}
 */
export function judge(loads) {
  const found = (id) => loads.find((load) => load.id === id);
  const goals = [];
  for (const goal of RATIOS) {
    const load = found(goal.load);
    const ours = load?.contenders.ours;
    const peer = load?.contenders[goal.peer];
    if (ours === undefined || peer === undefined) continue;
    const value = pairedRatio(ours.samples, peer.samples, goal.figure);
    if (Number.isFinite(value))
      goals.push({ ...goal, against: goal.peer, value, verdict: verdict(goal, value) });
  }
  for (const goal of LIMITS) {
    const samples = found(goal.load)?.contenders.ours?.samples ?? [];
    const values = samples.map((sample) => sample[goal.figure] / (goal.scale ?? 1));
    if (values.length === 0) continue;
    const value = Math.max(...values);
    goals.push({
      ...goal,
      against: 'limit',
      value,
      must: goal.limit,
      verdict: value <= goal.limit ? 'held' : 'missed',
    });
  }
  return goals;
}

function verdict({ must, reach, higher }, value) {
  const better = (limit) => (higher ? value >= limit : value <= limit);
  if (!better(must)) return 'missed';
  return reach !== undefined && better(reach) ? 'reached' : 'held';
}

/** The goals as a Markdown table. */
export function goalsTable(goals, titleOf) {
  const rows = goals.map(({ title, load, against, value, must, reach, higher, verdict: outcome }) => {
    const peer = against === 'limit' ? 'limit' : `ours : ${against}`;
    const limit = `${higher ? '≥' : '≤'} ${must}`;
    const digits = against === 'limit' ? undefined : 2;
    return `| ${titleOf(load)}: ${title} | ${peer} | ${number(value, digits)} | ${limit} | ${reach ?? ''} | ${outcome} |`;
  });
  return ['| figure | against | value | must | reach | |', '|---|---|---:|---:|---:|---|', ...rows].join(
    '\n',
  );
}
