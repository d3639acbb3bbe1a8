import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const PAGE_BYTES = 4096;

/** `pid` and all its descendants. */
export function processTree(pid) {
  const children = new Map();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = parentOf(entry);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const tree = [pid];
  for (const member of tree) tree.push(...(children.get(member) ?? []));
  return tree;
}

function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

/** CPU time used so far by all threads of these processes, user and system, in nanoseconds. */
export function cpuNs(pids) {
  let total = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) total += threadNs(pid, thread);
  }
  return total;
}

/** From schedstat: exact to the nanosecond, where utime and stime count ticks of 10 ms. */
function threadNs(pid, thread) {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
  } catch {
    return 0;
  }
}

/** Resident memory of these processes now, in bytes. */
export function rssBytes(pids) {
  let total = 0;
  for (const pid of pids) {
    total += Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
  }
  return total;
}

/** The highest resident memory of each since `resetPeak`, summed, in bytes. */
export function peakRssBytes(pids) {
  let total = 0;
  for (const pid of pids) {
    total += Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) * 1024;
  }
  return total;
}

/** Lets `peakRssBytes` start anew. */
export function resetPeak(pids) {
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
