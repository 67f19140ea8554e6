/** npm run bench:overhead: measures what annex costs a program, against the same program without it. */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fetchNode, matrix } from '../scripts/nodes.mjs';
import { report } from './overhead-report.mjs';
import { makeRows, ROWS } from './overhead-rows.mjs';
import { createWorld, runProgram } from './overhead-world.mjs';
import { CACHE, ONE_FILE, ROOT } from './setting.mjs';
import { fetchMore, fetchSnapshot, tarballFile } from './snapshot.mjs';

const USAGE = `usage: npm run bench:overhead -- [--rounds N] [--node VERSION,...] [--only ROW,...] [--annex DIRECTORY]
  --rounds  pairs of runs, 25 by default
  --node    versions of Node, or prefixes of them: ${matrix.join(', ')}; default 22.23, 24, 26
  --only    rows, or the start of their names: ${ROWS.join(', ')}
  --annex   another built checkout of annex to measure
With --only, --node or --annex, bench/results is not updated.`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '25' },
    node: { type: 'string' },
    only: { type: 'string' },
    annex: { type: 'string', default: ROOT },
    help: { type: 'boolean', short: 'h' },
  },
});
const pick = (all, text) =>
  all.filter((name) => text.split(',').some((part) => name.startsWith(part)));
const versions = pick(matrix, values.node ?? '22.23,24,26');
const ids = pick(ROWS, values.only ?? '');
if (values.help || versions.length === 0 || ids.length === 0) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
const rounds = Number(values.rounds);

spawnSync(process.execPath, [join(ROOT, 'scripts/setup.mjs')], { stdio: 'inherit' });
mkdirSync(CACHE, { recursive: true });
fetchSnapshot();
const more = Object.entries(ONE_FILE).filter((spec) => !existsSync(tarballFile(...spec)));
if (more.length > 0) fetchMore(more.map((spec) => spec.join('@')));
const nodes = [];
for (const version of versions) nodes.push({ version, path: await fetchNode(version) });
const registry = fork(new URL('registry.mjs', import.meta.url), ['0']);
const [{ url }] = await once(registry, 'message');
const base = mkdtempSync(join(CACHE, 'overhead-'));
try {
  const annex = resolve(values.annex);
  const world = createWorld({ base, url, annex, nodes: nodes.map(({ path }) => path) });
  const rows = makeRows(world, ids);
  const samples = nodes.flatMap(({ version, path }) => run(world, rows, version, path));
  const isFull = !values.only && !values.node && annex === resolve(ROOT);
  report({ rows, samples, versions, rounds, isFull });
} finally {
  registry.disconnect();
  rmSync(base, { recursive: true, force: true });
}

/**
 * Runs every program once in each round. The programs of a row run one after the other, in an order that
 * rotates. The first round is a warm-up.
 */
function run({ environment }, rows, version, node) {
  const samples = [];
  for (let round = 0; round <= rounds; round++) {
    for (const { id, programs } of rows) {
      const names = Object.keys(programs);
      for (let index = 0; index < names.length; index++) {
        const name = names[(index + round) % names.length];
        const { args, cwd, env } = programs[name];
        const { wall, stdout } = runProgram(node, args, { cwd, env: { ...environment, ...env } });
        if (round > 0) samples.push({ version, id, name, round, wall, ...JSON.parse(stdout) });
      }
    }
    console.error(`Node ${version}: round ${round} of ${rounds}`);
  }
  return samples;
}
