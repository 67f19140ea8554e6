/** npm run bench:store: measures the cost of verification and of a large store. */

import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fillStores, MORE_FEATURES } from './large-store.mjs';
import { CACHE, FEATURES, ROOT } from './setting.mjs';
import { fetchSnapshot } from './snapshot.mjs';
import { median, summarize } from './statistics.mjs';

const USAGE = `usage: npm run bench:store -- [--rounds N] [--node PATH] [--only verify|scale]
  --rounds  pairs of runs of each kind, 25 by default
  --node    the Node to measure; default the running one`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '25' },
    node: { type: 'string', default: process.execPath },
    only: { type: 'string' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}
const rounds = Number(values.rounds);
const version = spawnSync(values.node, ['--version'], { encoding: 'utf8' }).stdout.trim();

/** The only platform whose packages the registry snapshot is sure to have. */
const PLATFORM = `${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}`;

spawnSync(process.execPath, [join(ROOT, 'scripts/setup.mjs')], { stdio: 'inherit' });
mkdirSync(CACHE, { recursive: true });
fetchSnapshot();
const registry = fork(new URL('registry.mjs', import.meta.url), ['0']);
const [{ url }] = await once(registry, 'message');
const base = mkdtempSync(join(CACHE, 'store-'));
const app = join(base, 'app');
const store = join(base, 'store');
try {
  console.log(`Node ${version}, ${rounds} pairs; ratio of each pair, median (min-max)`);
  layOut();
  if (values.only !== 'scale') compareVerify();
  if (values.only !== 'verify') compareScale();
} finally {
  registry.disconnect();
  rmSync(base, { recursive: true, force: true });
}

/** Creates an application with a lock, and a store with all features installed. */
function layOut() {
  mkdirSync(app, { recursive: true });
  const annex = { features: FEATURES, platforms: [PLATFORM] };
  writeFileSync(
    join(app, 'package.json'),
    JSON.stringify({ name: 'app', version: '1.0.0', annex }),
  );
  writeFileSync(join(app, '.npmrc'), `registry=${url}/\n`);
  for (const verify of ['load', 'first-use', 'off']) {
    writeFileSync(join(base, `${verify}.json`), JSON.stringify({ verify, durability: 'none' }));
  }
  annexCli('lock', '--min-age', '0');
  annexCli('install', '--all');
}

function compareVerify() {
  for (const mode of ['load', 'first-use']) {
    const ratios = [];
    for (const name of Object.keys(FEATURES)) {
      const pairs = pair(
        () => importIn(store, name, mode),
        () => importIn(store, name, 'off'),
      );
      ratios.push(printRatio(`verify ${mode} / off, ${name}`, pairs));
    }
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    console.log(`verify ${mode} / off, geometric mean of the medians: ${mean.toFixed(3)}`);
  }
}

/** Measures the same entries among thousands, for a locked feature and for an unlocked one. */
function compareScale() {
  const large = join(base, 'large');
  const few = join(base, 'few');
  fillStores({ store, large, few });
  printRatio(
    '10,006 entries / 6, a locked feature',
    pair(
      () => importIn(large, 'exa-js'),
      () => importIn(store, 'exa-js'),
    ),
  );
  declareMore();
  printRatio(
    '10,006 entries / 1, one of 200 unlocked features',
    pair(
      () => importIn(large, 'feature-0'),
      () => importIn(few, 'feature-0'),
    ),
  );
  const times = Array.from({ length: 5 }, () =>
    time(() => annexCli('list', { ANNEX_STORE: large })),
  );
  const { median: middle, min, max } = summarize(times);
  console.log(
    `annex list of 206 features: ${middle.toFixed(0)} ms (${min.toFixed(0)}-${max.toFixed(0)})`,
  );
}

function declareMore() {
  const annex = { features: { ...FEATURES, ...MORE_FEATURES }, platforms: [PLATFORM] };
  writeFileSync(
    join(app, 'package.json'),
    JSON.stringify({ name: 'app', version: '1.0.0', annex }),
  );
}

function importIn(from, name, verify = 'load') {
  const program = `import(${JSON.stringify(name)})`;
  const args = ['--import', join(ROOT, 'loader.mjs'), '--input-type=module', '--eval', program];
  const env = {
    PATH: process.env.PATH,
    HOME: base,
    ANNEX_CORE: app,
    ANNEX_STORE: from,
    ANNEX_ALLOW_INSTALLS: '0',
  };
  return time(() => run(values.node, args, { ...env, ANNEX_CONFIG: join(base, `${verify}.json`) }));
}

function annexCli(...args) {
  const more = typeof args.at(-1) === 'object' ? args.pop() : {};
  const env = {
    PATH: process.env.PATH,
    HOME: base,
    ANNEX_STORE: store,
    ANNEX_CONFIG: join(base, 'load.json'),
  };
  run(values.node, [join(ROOT, 'dist/cli/main.js'), ...args], { ...env, ...more });
}

function run(command, args, env = process.env) {
  const { status, stderr } = spawnSync(command, args, { cwd: app, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

function time(action) {
  const start = performance.now();
  action();
  return performance.now() - start;
}

/** Runs pairs in alternating order. The first pair is a warm-up. */
function pair(one, other) {
  const pairs = [];
  for (let round = 0; round <= rounds; round++) {
    const isSwapped = round % 2 === 1;
    const late = isSwapped ? other() : undefined;
    const a = one();
    const b = late ?? other();
    if (round > 0) pairs.push([a, b]);
  }
  return pairs;
}

function printRatio(what, pairs) {
  const { median: middle, min, max } = summarize(pairs.map(([a, b]) => a / b));
  const [a, b] = [0, 1].map((side) => median(pairs.map((each) => each[side])).toFixed(0));
  console.log(
    `${what}: x${middle.toFixed(3)} (${min.toFixed(2)}-${max.toFixed(2)}), ${a} against ${b} ms`,
  );
  return middle;
}
