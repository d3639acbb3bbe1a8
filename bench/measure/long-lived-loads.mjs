import { setTimeout as sleep } from 'node:timers/promises';
import { generate } from '../load/http-load.mjs';
import { sandboxHost } from '../platform/identities.mjs';
import { getSmall } from './http-loads.mjs';
import { figures, measured } from './measured.mjs';
import { processTree, rssBytes } from './process-tree.mjs';

const STREAM_MIB = 200;
const STREAMS = 3;
const SUBSCRIBERS = 200;
const EVENT_INTERVAL_MS = 50;

/** Idle WebSockets are spread over this many sandboxes: a proxy may limit the connections to one. */
const IDLE_SANDBOXES = 50;

/**
 * 200 MiB in one direction, three times on a process that has streamed nothing yet. Memory is the highest of all over what
 * it was before the first; regrowth that of the later ones over what it was after the first; speed is of the later ones.
 */
function stream(kind, title) {
  return {
    id: kind,
    title,
    unit: 'MiB',
    contenders: 'proxies',
    columns: ['cpuUs', 'ratio', 'perSecond', 'rssGrowthBytes', 'rssRegrowthBytes'],
    fresh: true,
    warmUp: (target) => getSmall(target, 1),
    sample: async (target) => {
      await sleep(300);
      const before = rssBytes(processTree(target.pid));
      const first = await streaming(kind, target, 1);
      const between = rssBytes(processTree(target.pid));
      const more = await streaming(kind, target, STREAMS - 1);
      return {
        ...figures(more, STREAM_MIB * (STREAMS - 1)),
        failed: first.failed + more.failed,
        rssGrowthBytes: Math.max(first.peakRssBytes, more.peakRssBytes) - before,
        rssRegrowthBytes: more.peakRssBytes - between,
      };
    },
  };
}

function streaming(kind, target, count) {
  return measured(target, async () => {
    const total = { requests: 0, seconds: 0, failed: 0 };
    for (; total.requests < count; total.requests += 1) {
      const bytes = STREAM_MIB * 2 ** 20;
      const one = await generate(kind, { port: target.port, host: sandboxHost(1), bytes });
      total.seconds += one.seconds;
      total.failed += one.failed;
    }
    return total;
  });
}

/**
 * The cost of one more WebSocket: what the last four fifths of them add. The first fifth uses up what the process had
 * room for already, which would flatter the program that starts with the larger heap.
 */
const idleWebSockets = {
  id: 'ws-idle',
  title: 'Idle WebSockets',
  unit: 'WebSocket',
  contenders: 'upgrades',
  columns: ['open', 'rssPerSocketBytes', 'rssRatio', 'rssOverAllBytes', 'peakRssBytes'],
  fresh: true,
  warmUp: async (target) => {
    await getSmall(target, 1);
    await holdWebSockets(target, 100, () => undefined);
  },
  sample: async (target, run) => {
    await sleep(500);
    const connections = run.options.idleWebSockets;
    const first = Math.ceil(connections / 5);
    const more = connections - first;
    const rss = async () => {
      await sleep(2_000);
      return rssBytes(processTree(target.pid));
    };
    const before = await rss();
    let between = 0;
    let after = 0;
    const { peakRssBytes, failed } = await measured(target, async () => {
      const failures = [];
      const outer = await holdWebSockets(target, first, async () => {
        between = await rss();
        const inner = await holdWebSockets(target, more, async () => (after = await rss()));
        failures.push(inner.failed);
      });
      return { failed: outer.failed + failures[0] };
    });
    const rssPerSocketBytes = (after - between) / more;
    const rssOverAllBytes = (after - before) / connections;
    return { open: connections, rssPerSocketBytes, rssOverAllBytes, peakRssBytes, failed };
  },
};

function holdWebSockets(target, connections, whileOpen) {
  const hosts = Array.from({ length: IDLE_SANDBOXES }, (_, i) => sandboxHost(i + 1));
  return generate('websocketIdle', { port: target.port, hosts, connections }, whileOpen);
}

const echo = {
  id: 'ws-echo',
  title: 'WebSocket echo, 32 connections, 32 bytes',
  unit: 'message',
  contenders: 'upgrades',
  columns: ['cpuUs', 'ratio', 'perSecond', 'p50us', 'p99us', 'peakRssBytes'],
  warmUp: (target, run) => echoing(target, run.options.warmUpSeconds),
  sample: async (target, run) => {
    const seconds = run.options.seconds;
    return figures(await measured(target, (mark) => echoing(target, seconds, mark)));
  },
};

function echoing(target, seconds, mark) {
  const options = { port: target.port, hosts: [sandboxHost(1)], connections: 32, seconds };
  return generate('websocketEcho', options, mark);
}

const events = {
  id: 'sse',
  title: `Server-sent events to ${SUBSCRIBERS} subscribers, ${1000 / EVENT_INTERVAL_MS} a second each`,
  unit: 'event',
  contenders: 'proxies',
  columns: ['cpuUs', 'ratio', 'perSecond', 'p50us', 'p99us', 'peakRssBytes'],
  warmUp: (target, run) => subscribing(target, run.options.warmUpSeconds),
  sample: async (target, run) => {
    const seconds = run.options.seconds;
    return figures(await measured(target, (mark) => subscribing(target, seconds, mark)));
  },
};

function subscribing(target, seconds, mark) {
  const options = { port: target.port, host: sandboxHost(1), seconds };
  return generate('sse', { ...options, connections: SUBSCRIBERS, intervalMs: EVENT_INTERVAL_MS }, mark);
}

export const longLivedLoads = [
  stream('download', '200 MiB download, one connection'),
  stream('upload', '200 MiB upload, one connection'),
  idleWebSockets,
  echo,
  events,
];
