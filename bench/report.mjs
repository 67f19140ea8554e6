/** Prints the table and the ratios, and writes bench/results. */
import { availableParallelism } from 'node:os';
import { METHODS } from './methods.mjs';
import { draw } from './picture.mjs';
import { AS_OF, GOALS, MEMORY_GOAL } from './setting.mjs';
import { compareMethods, geometricMean, summarizeSamples } from './statistics.mjs';
import { writeResult } from './write-result.mjs';

/**
 * @param {{ samples: import('./statistics.mjs').Sample[], tools: Record<string, { version: string }>,
 *   closures: Record<string, { version: string, packages: number }>, rounds: number,
 *   disk: { type: string, before: number, after: number }, isFull: boolean }} run
 */
export function report({ samples, tools, closures, rounds, disk, isFull }) {
  const summary = summarizeSamples(samples);
  const versions = Object.entries(tools).map(([name, { version }]) => [name, version]);
  const result = {
    date: new Date().toISOString().slice(0, 10),
    registryAsOf: AS_OF.slice(0, 10),
    rounds,
    cores: availableParallelism(),
    disk,
    tools: Object.fromEntries(versions),
    closures,
    methods: Object.keys(METHODS)
      .filter((id) => summary.has(id))
      .map((id) => describeMethod(samples, id, summary.get(id))),
    ratios: GOALS.map((goal) => judge(samples, goal)),
    memory: judgeMemory(summary),
  };
  console.log(format(result));
  if (!isFull) return;
  writeResult('install', result, draw(result));
}

function describeMethod(samples, id, features) {
  const times = [...features].map(([name, { median, min, max, peak }]) => [
    name,
    {
      ms: Math.round(median),
      min: Math.round(min),
      max: Math.round(max),
      peakMB: Math.round(peak),
    },
  ]);
  return {
    id,
    label: labelOf(id),
    ms: Math.round(geometricMean([...features.values()].map(({ median }) => median))),
    overFloor: roundRatio(compareMethods(samples, id, 'floor')),
    features: Object.fromEntries(times),
  };
}

const labelOf = (id) => `${METHODS[id].label}${METHODS[id].isWarm ? ', warm' : ''}`;

const roundRatio = (ratio) =>
  ratio &&
  Object.fromEntries(
    Object.entries(ratio).map(([name, value]) => [name, Number(value.toFixed(3))]),
  );

function judge(samples, { of, over, atMost }) {
  const ratio = roundRatio(compareMethods(samples, of, over));
  return {
    of: labelOf(of),
    over: labelOf(over),
    atMost,
    ...ratio,
    ...verdict(ratio?.median, atMost),
  };
}

function judgeMemory(summary) {
  const peaks = MEMORY_GOAL.methods.flatMap((id) => [...(summary.get(id)?.values() ?? [])]);
  const most =
    peaks.length > 0 ? Math.round(Math.max(...peaks.map(({ peak }) => peak))) : undefined;
  return { atMost: MEMORY_GOAL.atMost, MB: most, ...verdict(most, MEMORY_GOAL.atMost) };
}

function verdict(value, atMost) {
  if (value === undefined || Number.isNaN(value)) return { verdict: 'not measured' };
  return { verdict: value <= atMost ? 'reached' : 'NOT REACHED' };
}

function format({ methods, ratios, memory, rounds, cores, tools, disk, closures }) {
  const names = Object.keys(closures);
  const rows = [
    ['ms: median min-max', ...names, 'all', 'x floor', 'peak MB'],
    ...methods.map(({ label, features, ms, overFloor }) => {
      const cells = names.map((name) => {
        const found = features[name];
        return found ? `${found.ms} ${found.min}-${found.max}` : '';
      });
      const peak = Math.max(...Object.values(features).map(({ peakMB }) => peakMB));
      return [label, ...cells, String(ms), overFloor?.median.toFixed(2) ?? '', String(peak)];
    }),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  '),
  );
  const versions = Object.entries(tools).map(([name, version]) => `${name} ${version}`);
  return [
    '',
    ...lines,
    '',
    'ratio of times: median of the rounds (min-max), each a geometric mean over the features',
    ...ratios.map((ratio) => `${formatRatio(ratio)}: ${ratio.verdict}`),
    `peak memory from a lock ${memory.MB} MB, goal ${memory.atMost}: ${memory.verdict}`,
    '',
    `${rounds} rounds, ${cores} cores, ${disk.type}; ${versions.join(', ')}`,
    `writing a small file took ${disk.before} us before, ${disk.after} us after${isSlow(disk)}`,
  ].join('\n');
}

function formatRatio({ of, over, atMost, median, min, max }) {
  const value =
    median === undefined ? '-' : `${median.toFixed(2)} (${min.toFixed(2)}-${max.toFixed(2)})`;
  return `${of} / ${over}: ${value}, goal ${atMost}`;
}

/** Whether the disk takes more than twice as long as an idle one: then times depend more on the disk than on the tools. */
const isSlow = ({ before, after }) =>
  Math.max(before, after) > 100 ? '. That is SLOW: see bench/README.md' : '';
