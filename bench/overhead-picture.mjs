/** Draws the result of bench:overhead as an SVG bar chart: CPU time over that of the same program without annex. Pure. */
import { STYLE } from './picture.mjs';

const LEFT = 330;
const SCALE = 280;
const LINE = 20;
const TOP = 44;

/** @param {{ lines: { id: string, node: string, label: string, cpu?: { ratio: { median: number } }, goal?: { ratio?: number } }[], rounds: number }} result */
export function drawOverhead({ lines, rounds }) {
  const rows = lines.filter(({ cpu, goal }) => cpu !== undefined && goal?.ratio !== undefined);
  const most = Math.max(...rows.map(({ cpu }) => cpu.ratio.median), 1);
  const height = TOP + rows.length * LINE + 10;
  const bars = rows.flatMap(({ node, label, cpu }, index) => {
    const y = TOP + index * LINE;
    const width = Math.round((cpu.ratio.median / most) * SCALE);
    const text = `Node ${node.split('.')[0]}: ${label.replaceAll(/[`"]/g, '')}`;
    return [
      `<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${text}</text>`,
      `<rect class="own" x="${LEFT}" y="${y}" width="${width}" height="14" rx="2"/>`,
      `<text x="${LEFT + width + 6}" y="${y + 12}">x${cpu.ratio.median.toFixed(2)}</text>`,
    ];
  });
  const one = LEFT + Math.round(SCALE / most);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 ${height}" width="680" height="${height}" role="img" aria-label="CPU time with annex over CPU time without it">
${STYLE}
<text x="8" y="16">CPU time of whole processes with annex, over the same program without it</text>
<text class="note" x="8" y="32">median of ${rounds} pairs; the line is the program without annex</text>
${bars.join('\n')}
<rect class="other" x="${one}" y="${TOP - 4}" width="1" height="${height - TOP - 2}"/>
</svg>
`;
}
