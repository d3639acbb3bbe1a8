import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { barChart } from './chart.mjs';
import { cellOf, headingOf } from './columns.mjs';
import { goalsTable, judge } from './goals.mjs';

const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));
const PUBLISHED = fileURLToPath(new URL('../../docs/benchmark/', import.meta.url));

/** Writes latest.json, latest.md and latest.svg, with `publish` also results.md and results.svg for the README; returns the tables. */
export function writeReport(results, { publish }) {
  const labels = new Map(results.contenders.map(({ id, label }) => [id, label]));
  const goals = judge(results.loads);
  const markdown = `${document(results, labels, goals)}\n`;
  const chart = chartOf(results, labels);
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(`${RESULTS}latest.json`, `${JSON.stringify({ ...results, goals }, null, 2)}\n`);
  writeFileSync(`${RESULTS}latest.md`, markdown);
  if (chart !== undefined) writeFileSync(`${RESULTS}latest.svg`, chart);
  if (publish) {
    mkdirSync(PUBLISHED, { recursive: true });
    writeFileSync(`${PUBLISHED}results.md`, markdown);
    if (chart !== undefined) writeFileSync(`${PUBLISHED}results.svg`, chart);
  }
  return markdown;
}

function document(results, labels, goals) {
  const titles = new Map(results.loads.map(({ id, title }) => [id, title]));
  const parts = ['# Results of the benchmark', circumstances(results)];
  if (goals.length > 0)
    parts.push(
      '## Goals',
      goalsTable(goals, (id) => titles.get(id)),
    );
  for (const load of results.loads) parts.push(`## ${load.title}`, loadTable(load, labels));
  return parts.join('\n\n');
}

function circumstances({ machine, upstream, options, contenders }) {
  const { processor, cores, kernel, node, generator, pinning, loadBefore } = machine;
  const where =
    pinning.proxy === ''
      ? 'nothing pinned'
      : `proxy on core ${pinning.proxy} (two-core contenders on ${pinning.dual}), load and upstream on core ${pinning.load}`;
  const absent = contenders.filter((contender) => contender.absent !== undefined);
  return [
    `${processor}, ${cores} cores, Linux ${kernel}, Node ${node}; load by ${generator}, upstream in ${upstream}; ${where}.`,
    `${options.rounds} rounds of ${options.seconds} s after ${options.warmUpSeconds} s of warm-up; medians (quartiles).`,
    ...(loadBefore > 0.2
      ? [`The machine was not idle: load average ${loadBefore.toFixed(2)} before the start.`]
      : []),
    ...absent.map(({ label, absent: why }) => `Absent: ${label} (${why}).`),
  ].join('\n');
}

/** One load: a row for each contender, the cheapest first where there is a CPU figure. */
function loadTable({ columns, unit, contenders }, labels) {
  const { ours } = contenders;
  const rows = Object.entries(contenders).toSorted(
    ([, a], [, b]) => (a.summary.cpuUs?.median ?? Infinity) - (b.summary.cpuUs?.median ?? Infinity),
  );
  const headings = ['contender', ...columns.map((column) => headingOf(column, unit))];
  const lines = rows.map(([id, it]) => {
    const label = id === 'ours' ? `**${labels.get(id)}**` : labels.get(id);
    const failed = it.samples.some((sample) => sample.failed > 0) ? ' (with failures)' : '';
    const cells =
      it.samples.length === 0
        ? [`failed: ${(it.errors[0] ?? '').split('\n')[0]}`, ...columns.slice(1).map(() => '')]
        : columns.map((column) => cellOf(column, it, ours));
    return `| ${[`${label}${failed}`, ...cells].join(' | ')} |`;
  });
  return [`| ${headings.join(' | ')} |`, `|---|${columns.map(() => '---:|').join('')}`, ...lines].join('\n');
}

function chartOf({ loads, machine }, labels) {
  const load = loads.find(({ id }) => id === 'get');
  if (load === undefined) return undefined;
  const bars = Object.entries(load.contenders)
    .filter(([, { summary }]) => summary.cpuUs !== undefined)
    .map(([id, { summary }]) => ({
      label: labels.get(id),
      value: summary.cpuUs.median,
      isOurs: id.startsWith('ours'),
    }))
    .toSorted((a, b) => a.value - b.value);
  return barChart({
    title: 'CPU microseconds per proxied request (less is better)',
    subtitle: `${load.title}; Node ${machine.node}`,
    bars,
  });
}
