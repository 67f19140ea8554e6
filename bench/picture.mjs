/** Draws the result of bench:install as an SVG bar chart. Pure. */

/** Styles of a chart for light and dark backgrounds. */
export const STYLE = `<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.note { font-size: 11px; fill: #59636e }
.own { fill: #0969da }
.other { fill: #afb8c1 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .note { fill: #9198a1 }
  .own { fill: #4493f8 }
  .other { fill: #59636e }
}
</style>`;

/** The methods in the picture. */
const ROWS = [
  'annex-lock-none',
  'annex-lock',
  'floor',
  'bun-frozen',
  'bun-add',
  'deno-add',
  'pnpm12-frozen-warm',
  'pnpm12-add',
  'pnpm-frozen-warm',
  'pnpm-add',
  'npm-ci-warm',
  'npm-ci',
  'annex-none',
  'npm-install',
];
const LEFT = 190;
const SCALE = 400;
const LINE = 22;
const TOP = 44;

/** @param {{ methods: { id: string, label: string, ms: number }[], closures: object, rounds: number }} result */
export function draw({ methods, closures, rounds }) {
  const rows = methods.filter(({ id }) => ROWS.includes(id)).sort((a, b) => a.ms - b.ms);
  const most = Math.max(...rows.map(({ ms }) => ms));
  const height = TOP + rows.length * LINE + 10;
  const bars = rows.flatMap(({ id, label, ms }, i) => {
    const y = TOP + i * LINE;
    const width = Math.max(1, Math.round((ms / most) * SCALE));
    const kind = id.startsWith('annex') ? 'own' : 'other';
    return [
      `<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${label}</text>`,
      `<rect class="${kind}" x="${LEFT}" y="${y}" width="${width}" height="16" rx="2"/>`,
      `<text x="${LEFT + width + 6}" y="${y + 12}">${ms} ms</text>`,
    ];
  });
  const count = Object.keys(closures).length;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 ${height}" width="680" height="${height}" role="img" aria-label="Time to install a feature">
${STYLE}
<text x="${LEFT}" y="16">Time to install a feature, whole process</text>
<text class="note" x="${LEFT}" y="32">geometric mean over ${count} packages, median of ${rounds} rounds; empty caches but where warm</text>
${bars.join('\n')}
</svg>
`;
}
