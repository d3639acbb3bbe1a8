import { cpuNs, peakRssBytes, processTree, resetPeak } from './process-tree.mjs';

/**
 * Runs `work` and says what it cost the processes of the target.
 *
 * @template {{ requests: number, seconds: number }} T
 * @param {{ pid: number }} target
 * @param {(mark: (name: 'counting' | 'counted') => void) => Promise<T>} work may mark where what counts begins and ends
 * @returns {Promise<T & { cpuNs: number, peakRssBytes: number }>}
 */
export async function measured(target, work) {
  const pids = processTree(target.pid);
  resetPeak(pids);
  let begin = cpuNs(pids);
  let end;
  const result = await work((name) => {
    if (name === 'counting') begin = cpuNs(pids);
    else end = cpuNs(pids);
  });
  end ??= cpuNs(pids);
  return { ...result, cpuNs: end - begin, peakRssBytes: peakRssBytes(pids) };
}

/**
 * The figures that every load has, per unit of work.
 *
 * @param {{ requests: number, seconds: number, cpuNs: number, p50us?: number, p99us?: number, peakRssBytes: number, failed: number }} result
 * @param {number} [units] how many units the work was; by default its requests
 */
export function figures(result, units = result.requests) {
  if (units === 0) throw new Error('nothing was answered in time');
  const { seconds, p50us, p99us, peakRssBytes, failed } = result;
  return {
    cpuUs: result.cpuNs / 1000 / units,
    perSecond: units / seconds,
    ...(p50us === undefined ? {} : { p50us, p99us }),
    peakRssBytes,
    failed,
  };
}
