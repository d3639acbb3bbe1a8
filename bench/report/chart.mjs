import { escapeXml } from './escape.mjs';

const WIDTH = 800;
const LABELS = 310;
const BAR = 20;
const GAP = 8;
const TOP = 58;

/**
 * Horizontal bars as an SVG that reads on a light and on a dark page.
 *
 * @param {{ title: string, subtitle: string, bars: { label: string, value: number, isOurs: boolean }[] }} chart
 */
export function barChart({ title, subtitle, bars }) {
  const highest = Math.max(...bars.map(({ value }) => value));
  const room = WIDTH - LABELS - 70;
  const height = TOP + bars.length * (BAR + GAP) + 6;
  const rows = bars.map(({ label, value, isOurs }, i) => {
    const y = TOP + i * (BAR + GAP);
    const width = Math.max(1, (value / highest) * room).toFixed(1);
    const middle = y + BAR / 2 + 4;
    return [
      `<text class="label${isOurs ? ' ours' : ''}" x="${LABELS - 10}" y="${middle}">${escapeXml(label)}</text>`,
      `<rect class="${isOurs ? 'bar ours' : 'bar'}" x="${LABELS}" y="${y}" width="${width}" height="${BAR}" rx="3"/>`,
      `<text class="value" x="${(LABELS + Number(width) + 8).toFixed(1)}" y="${middle}">${value.toFixed(0)}</text>`,
    ].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeXml(title)}">
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 }
.subtitle { fill: #59636e }
.label { text-anchor: end }
.label.ours { font-weight: 600 }
.bar { fill: #9aa4af }
.bar.ours { fill: #0969da }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.subtitle { fill: #9198a1 }
.bar { fill: #59636e }
.bar.ours { fill: #4493f8 }
}
</style>
<text class="title" x="12" y="24">${escapeXml(title)}</text>
<text class="subtitle" x="12" y="44">${escapeXml(subtitle)}</text>
${rows.join('\n')}
</svg>
`;
}
