import { httpLoads } from './http-loads.mjs';
import { directoryLoads } from './directory-loads.mjs';
import { longLivedLoads } from './long-lived-loads.mjs';

/**
 * @typedef {object} Load
 * @property {string} id for the command line
 * @property {string} title
 * @property {string} unit what the figures are per
 * @property {string[] | 'all' | 'proxies' | 'upgrades'} contenders who takes part: ids, everyone, one-core proxies, or
 *   those of them that forward WebSockets
 * @property {string[]} columns figures of the sample for the table, see report/columns.mjs
 * @property {number} [rounds] where more would tell nothing
 * @property {boolean} [fresh] each sample on a new process
 * @property {boolean} [probe] Node programs are started with bench/probe
 * @property {(target: object, run: object) => Promise<void>} [warmUp] after each start
 * @property {(target: object, run: object) => Promise<object>} sample
 */

/** @type {Load[]} */
export const LOADS = [...httpLoads, ...longLivedLoads, ...directoryLoads];

export const QUICK_LOADS = ['get'];
