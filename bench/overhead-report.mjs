/** Computes the ratios of bench:overhead, prints them, and writes bench/results. */
import { availableParallelism, cpus } from 'node:os';
import { drawOverhead } from './overhead-picture.mjs';
import { GROUPS } from './overhead-rows.mjs';
import { estimateMedian, geometricMean, median } from './statistics.mjs';
import { writeResult } from './write-result.mjs';

/** @typedef {{ version: string, id: string, name: string, round: number, wall: number, cpu: number, rss: number, heap: number, us?: number }} Sample */

/** @param {{ rows: import('./overhead-rows.mjs').Row[], samples: Sample[], versions: string[], rounds: number, isFull: boolean }} run */
export function report({ rows, samples, versions, rounds, isFull }) {
  const lines = versions.flatMap((node) => {
    const own = samples.filter(({ version }) => version === node);
    return [...compareRows(rows, own), ...compareGroups(rows, own)].map((line) => ({
      node,
      ...line,
    }));
  });
  const result = {
    date: new Date().toISOString().slice(0, 10),
    rounds,
    cores: availableParallelism(),
    processor: cpus()[0]?.model,
    lines,
  };
  console.log(format(result));
  if (!isFull) return;
  writeResult('overhead', result, drawOverhead(result));
}

function compareRows(rows, samples) {
  return rows.flatMap(({ id, compare }) =>
    compare.map(({ of, over, label, unit, goal }) => {
      const pairs = pairUp(samples, id, of, over);
      return { id: `${id} ${of}`, label, goal, ...MEASURES[unit](pairs) };
    }),
  );
}

/** The geometric mean over the rows of a group, in each round. */
function compareGroups(rows, samples) {
  return Object.entries(GROUPS).flatMap(([group, comparisons]) => {
    const members = rows.filter((row) => row.group === group);
    if (members.length < 2) return [];
    return comparisons.map(({ of, over, label, goal }) => {
      const all = members.map(({ id }) => pairUp(samples, id, of, over));
      const ratios = (key) =>
        all[0].map((_, index) => geometricMean(all.map((pairs) => ratioOf(pairs[index], key))));
      const [wall, cpu] = ['wall', 'cpu'].map((key) => ({
        ratio: round(estimateMedian(ratios(key))),
      }));
      return { id: `${group} ${of}`, label, goal, wall, cpu };
    });
  });
}

/** @returns {[Sample, Sample][]} the two programs of each round */
function pairUp(samples, id, of, over) {
  const ofProgram = (name) => samples.filter((sample) => sample.id === id && sample.name === name);
  const others = ofProgram(over);
  return ofProgram(of).map((sample, index) => [sample, others[index]]);
}

const ratioOf = ([one, other], key) => one[key] / other[key];
const differences = (pairs, key, scale) =>
  round(estimateMedian(pairs.map(([one, other]) => (one[key] - other[key]) / scale)));

/** What is computed from the pairs of a row. */
const MEASURES = {
  time: (pairs) =>
    Object.fromEntries(
      ['wall', 'cpu'].map((key) => [
        key,
        {
          ratio: round(estimateMedian(pairs.map((pair) => ratioOf(pair, key)))),
          ms: differences(pairs, key, 1),
          medians: pairs[0].map((_, side) =>
            Number(median(pairs.map((pair) => pair[side][key])).toFixed(1)),
          ),
        },
      ]),
    ),
  MB: (pairs) => ({
    rss: { MB: differences(pairs, 'rss', 2 ** 20) },
    heap: { MB: differences(pairs, 'heap', 2 ** 20) },
  }),
  us: (pairs) => ({ loop: { us: differences(pairs, 'us', 1) } }),
};

const round = (values) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Number(value.toFixed(3))]),
  );

function format({ lines, rounds, cores, processor, date }) {
  const rows = lines.flatMap((line) =>
    ['wall', 'cpu', 'rss', 'heap', 'loop']
      .filter((key) => line[key] !== undefined)
      .map((key) => describe(line, key)),
  );
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const table = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
  return [
    '',
    ...table,
    '',
    `${rounds} rounds on ${date}, ${cores} cores of ${processor}. Median of the pairs, with its 95 % interval.`,
  ].join('\n');
}

/** The digits and the sign of each unit. */
const UNITS = { ratio: [3, 'x', ''], ms: [1, '', ' ms'], MB: [1, '', ' MB'], us: [1, '', ' us'] };

/** Node, row, what is measured, each unit with its interval and goal, and both medians. */
function describe({ node, label, goal, ...line }, key) {
  const value = line[key];
  const cells = Object.entries(UNITS)
    .filter(([unit]) => value[unit] !== undefined)
    .map(([unit, [digits, before, after]]) => {
      const { median: middle, low, high } = value[unit];
      const most = goal?.[unit];
      const verdict = middle <= most ? 'reached' : 'NOT REACHED';
      const [a, b, c] = [middle, low, high].map((number) => number.toFixed(digits));
      return `${before}${a}${after} (${b} to ${c})${most === undefined ? '' : `, goal ${most}: ${verdict}`}`;
    });
  const against = value.medians === undefined ? '' : `${value.medians.join(' against ')} ms`;
  return [node, label, key, cells[0], cells[1] ?? '', against];
}
