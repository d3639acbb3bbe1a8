import { escapeXml } from '../report/escape.mjs';

const WIDTH = 1400;
const ROW = 17;
const TOP = 40;
const LETTER = 6.6;
/** Narrower boxes are left out. */
const NARROWEST = 0.4;

/**
 * The call tree as an SVG: time to the right, callees below their callers; a box tells its figures when pointed at.
 *
 * @param {import('./cpu-profile.mjs').Call} root
 */
export function flameGraph(root, title) {
  const scale = WIDTH / root.totalUs;
  const boxes = [];
  let deepest = 0;
  const draw = (call, x, depth) => {
    const width = call.totalUs * scale;
    if (width < NARROWEST) return;
    deepest = Math.max(deepest, depth);
    boxes.push(box(call, x, TOP + depth * ROW, width, root.totalUs));
    let at = x;
    for (const child of call.children.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      draw(child, at, depth + 1);
      at += child.totalUs * scale;
    }
  };
  draw(root, 0, 0);
  const height = TOP + (deepest + 1) * ROW + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">
<style>
text { font: 11px ui-monospace, monospace; fill: #1f2328; pointer-events: none }
.title { font: 600 15px system-ui, sans-serif }
rect { stroke: #fff; stroke-width: 0.5 }
.ours { fill: #6cb6ff } .package { fill: #b3a6f2 } .node { fill: #8fd19e } .native { fill: #f4b183 }
svg { background: #fff }
</style>
<text class="title" x="8" y="20">${escapeXml(title)}</text>
${legend()}
${boxes.join('\n')}
</svg>
`;
}

function legend() {
  return ['ours', 'package', 'node', 'native']
    .map((kind, i) => {
      const x = WIDTH - 400 + i * 100;
      return `<rect class="${kind}" x="${x}" y="9" width="14" height="14"/><text x="${x + 19}" y="20">${kind}</text>`;
    })
    .join('');
}

function box({ name, place, kind, selfUs, totalUs }, x, y, width, allUs) {
  const percent = (us) => `${((us / allUs) * 100).toFixed(1)}%`;
  const tip = `${name} ${place} total ${percent(totalUs)}, self ${percent(selfUs)}`;
  const letters = Math.floor((width - 4) / LETTER);
  const label = letters < 3 ? '' : name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
  const text = label === '' ? '' : `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escapeXml(label)}</text>`;
  const rect = `<rect class="${kind}" x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(2)}" height="${ROW - 1}"/>`;
  return `<g><title>${escapeXml(tip)}</title>${rect}${text}</g>`;
}
