import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Call a function as called from where it hangs in the tree
 * @property {string} name
 * @property {string} place `src/sandbox-proxy/…ts:12`, `node:_http_server:961`, or `''` for what has no source
 * @property {'ours' | 'package' | 'node' | 'native'} kind
 * @property {number} selfUs
 * @property {number} totalUs
 * @property {Call[]} children
 */

/** The tree of a .cpuprofile, without idle time. @returns {Call} */
export function callTree({ nodes, samples, timeDeltas }) {
  const self = new Map();
  for (const [i, id] of samples.entries()) self.set(id, (self.get(id) ?? 0) + timeDeltas[i]);
  const calls = new Map(nodes.map((node) => [node.id, callOf(node, self.get(node.id) ?? 0)]));
  for (const node of nodes) {
    const children = (node.children ?? []).map((id) => calls.get(id));
    calls.get(node.id).children = children.filter(({ name }) => name !== '(idle)');
  }
  const root = calls.get(nodes[0].id);
  addUp(root);
  return root;
}

function addUp(call) {
  call.totalUs = call.selfUs;
  for (const child of call.children) call.totalUs += addUp(child);
  return call.totalUs;
}

function callOf({ callFrame }, selfUs) {
  const { functionName, url, lineNumber, columnNumber } = callFrame;
  const name = functionName === '' ? '(anonymous)' : functionName;
  const { place, kind } = placeOf(url, lineNumber, columnNumber);
  return { name, place, kind, selfUs, totalUs: 0, children: [] };
}

function placeOf(url, line, column) {
  if (url === '') return { place: '', kind: 'native' };
  if (!url.startsWith('file:')) return { place: `${url}:${line + 1}`, kind: 'node' };
  const original = mapOf(url)?.findEntry(line, column);
  const source = original?.originalSource;
  const file = fileURLToPath(source === undefined ? url : new URL(source, url));
  const place = `${shorten(file)}:${(source === undefined ? line : original.originalLine) + 1}`;
  return { place, kind: file.includes('/node_modules/') ? 'package' : 'ours' };
}

/** From the last node_modules on, from src on, or from the working directory. */
function shorten(file) {
  const at = file.lastIndexOf('/node_modules/');
  if (at >= 0) return file.slice(at + 1);
  return /\/(src\/.*)$/.exec(file)?.[1] ?? relative(process.cwd(), file);
}

const maps = new Map();

function mapOf(url) {
  if (!maps.has(url)) {
    const file = `${fileURLToPath(url)}.map`;
    maps.set(url, existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8'))) : undefined);
  }
  return maps.get(url);
}

/** The functions that take most time themselves, wherever they are called from; `share` is of all busy time. */
export function hottest(root, count) {
  const functions = new Map();
  const collect = (call) => {
    const key = `${call.name} ${call.place}`;
    const sum = functions.get(key) ?? { name: call.name, place: call.place, selfUs: 0 };
    sum.selfUs += call.selfUs;
    functions.set(key, sum);
    for (const child of call.children) collect(child);
  };
  collect(root);
  return [...functions.values()]
    .toSorted((a, b) => b.selfUs - a.selfUs)
    .slice(0, count)
    .map((each) => ({ ...each, share: each.selfUs / root.totalUs }));
}
