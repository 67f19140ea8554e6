/** Compares the numbers on the page on performance with the results of the last runs of the benchmarks. */
import { expect, test } from 'vitest';
import { readDocument as read, readTable } from '../../support/documents.ts';

const page = read('docs/performance.md');

test('the page on performance has the results of the last run of bench:install', () => {
  const { methods } = JSON.parse(read('bench/results/install.json')) as {
    methods: { label: string; ms: number; overFloor: { median: number } }[];
  };
  const results = methods.map(({ label, ms, overFloor }) => [
    label,
    `${ms}`,
    `x${overFloor.median.toFixed(2)}`,
  ]);
  const shown = readTable(page, '| method | ms | over the floor |');
  expect(shown.length).toBeGreaterThan(5);
  expect(results).toEqual(expect.arrayContaining(shown));
});

interface Median {
  median: number;
}

interface Line {
  node: string;
  id: string;
  cpu?: { ratio: Median; ms?: Median };
  loop?: { us: Median };
}

const { lines, rounds } = JSON.parse(read('bench/results/overhead.json')) as {
  lines: Line[];
  rounds: number;
};

/** The first line of a program and a version of Node: where there are two, it is the one over an empty preload. */
function findLine(id: string, node: string): Line {
  const found = lines.find((line) => line.id === id && line.node.startsWith(`${node}.`));
  if (found === undefined) throw new Error(`overhead.json has no ${id} on Node ${node}`);
  return found;
}

const showRatio = ({ cpu }: Line): string => `x${cpu?.ratio.median.toFixed(2)}`;
const showMs = ({ cpu }: Line): string => `${cpu?.ms?.median.toFixed(0)} ms`;

/** What each row of the page shows, and of which program. */
const ROWS: [text: string, id: string, show: (line: Line) => string][] = [
  [
    'does nothing, over an empty preload',
    'start annex',
    (line) => `${showRatio(line)}, ${showMs(line)}`,
  ],
  ['loads 2,000 other ES modules', 'esm annex', showRatio],
  ['loads 2,000 other CommonJS modules', 'cjs annex', showRatio],
  ['imports an installed SDK, geometric mean of six', 'warm annex', showRatio],
  ['the same, with "verify": "off"', 'warm off', showRatio],
  ['imports an installed package of one small file', 'small ms annex', showMs],
  [
    'imports an installed feature again',
    'again annex',
    ({ loop }) => `${loop?.us.median.toFixed(0)} us`,
  ],
];

test('it has the results of the last run of bench:overhead', () => {
  const [, head = ''] = /^(\| program \| .*)$/m.exec(page) ?? [];
  const versions = [...head.matchAll(/Node (\d+\.\d+)/g)].map(([, version = '']) => version);
  expect(new Set(lines.map(({ node }) => node.replace(/\.\d+$/, '')))).toEqual(new Set(versions));
  expect(readTable(page, head)).toEqual(
    ROWS.map(([text, id, show]) => [text, ...versions.map((node) => show(findLine(id, node)))]),
  );
  expect(page).toContain(`Medians of ${rounds} pairs of CPU time`);
});

test('it has the cost of verification of the same run', () => {
  const ratio = (id: string): string => showRatio(findLine(id, '24.21'));
  const text = page.replace(/\s+/g, ' ');
  expect(text).toContain(
    `take ${ratio('warm annex')} in the geometric mean with the default, and ${ratio('warm off')} with`,
  );
  for (const name of ['exa-js', 'sharp']) {
    const [annex, off] = [ratio(`warm ${name} annex`), ratio(`warm ${name} off`)];
    expect(text).toMatch(new RegExp(`${name}[^.]*\\(${annex} against ${off}\\)`));
  }
});
