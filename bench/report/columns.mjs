import { pairedRatio } from '../measure/statistics.mjs';

const MIB = 2 ** 20;

/** What a table shows of a measurement: heading, and the text of a cell from a contender's and our measurement. */
const COLUMNS = {
  cpuUs: { heading: (unit) => `CPU µs per ${unit}`, cell: (it) => spread(it.summary.cpuUs) },
  ratio: { heading: () => 'ours : it', cell: (it, ours) => ratio(ours, it, 'cpuUs') },
  rssRatio: { heading: () => 'ours : it', cell: (it, ours) => ratio(ours, it, 'rssPerSocketBytes') },
  perSecond: { heading: (unit) => `${plural(unit)}/s`, cell: (it) => number(it.summary.perSecond?.median) },
  p50us: { heading: () => 'p50 ms', cell: (it) => number(it.summary.p50us?.median / 1000) },
  p99us: { heading: () => 'p99 ms', cell: (it) => number(it.summary.p99us?.median / 1000) },
  peakRssBytes: {
    heading: () => 'peak RSS MiB',
    cell: (it) => number(it.summary.peakRssBytes?.median / MIB),
  },
  rssGrowthBytes: {
    heading: () => 'RSS growth MiB',
    cell: (it) => spread(it.summary.rssGrowthBytes, MIB),
  },
  rssRegrowthBytes: {
    heading: () => 'MiB after the first',
    cell: (it) => spread(it.summary.rssRegrowthBytes, MIB),
  },
  open: { heading: () => 'open', cell: (it) => number(it.summary.open?.median) },
  rssOverAllBytes: {
    heading: () => 'KiB each, the first fifth too',
    cell: (it) => number(it.summary.rssOverAllBytes?.median / 1024),
  },
  rssPerSocketBytes: {
    heading: () => 'RSS KiB per WebSocket',
    cell: (it) => spread(it.summary.rssPerSocketBytes, 1024),
  },
  queries: { heading: () => 'queries', cell: (it) => number(it.summary.queries?.median) },
  requests: { heading: () => 'requests', cell: (it) => number(it.summary.requests?.median) },
  answers: { heading: () => 'answers', cell: (it) => it.samples.at(-1)?.answers ?? '' },
  loopP50Ms: { heading: () => 'loop delay p50 ms', cell: (it) => number(it.summary.loopP50Ms?.median) },
  loopP99Ms: { heading: () => 'loop delay p99 ms', cell: (it) => spread(it.summary.loopP99Ms) },
  loopMaxMs: { heading: () => 'loop delay max ms', cell: (it) => number(it.summary.loopMaxMs?.median) },
  loopUtilization: {
    heading: () => 'loop busy %',
    cell: (it) => number(it.summary.loopUtilization?.median * 100),
  },
};

export function headingOf(column, unit) {
  return COLUMNS[column].heading(unit);
}

export function cellOf(column, it, ours) {
  return COLUMNS[column].cell(it, ours);
}

function plural(unit) {
  return unit === 'MiB' ? unit : `${unit}s`;
}

function ratio(ours, it, figure) {
  if (ours === undefined || ours === it) return '';
  return number(pairedRatio(ours.samples, it.samples, figure), 2);
}

/** `61.2 (60.1-62.8)`: median and quartiles. */
function spread(figure, scale = 1) {
  if (figure === undefined) return '';
  return `${number(figure.median / scale)} (${number(figure.q1 / scale)}-${number(figure.q3 / scale)})`;
}

/** Three digits that mean something, thousands apart. */
export function number(value, digits) {
  if (value === undefined || !Number.isFinite(value)) return '';
  const size = Math.abs(value);
  const decimals = digits ?? (size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2);
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}
