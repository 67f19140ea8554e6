/** npm run bench:install: times annex, npm, pnpm, bun, deno and the floor against a local registry. */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nameDisk, probeDisk } from './disk.mjs';
import { METHODS } from './methods.mjs';
import { createPlaces, digestFiles, findEntryModules } from './place.mjs';
import { report } from './report.mjs';
import { CACHE, FEATURES, ROOT } from './setting.mjs';
import { fetchMore, fetchSnapshot } from './snapshot.mjs';
import { findTools } from './tools.mjs';

const USAGE = `usage: npm run bench:install -- [--rounds N] [--only NAME,...] [--methods KEY,...]
       [--delay MS] [--dir DIRECTORY] [--keep]
  --only     features, or parts of their names: ${Object.keys(FEATURES).join(', ')}
  --methods  methods: ${Object.keys(METHODS).join(', ')}
             or prefixes of them: annex, pnpm
  --delay    delay of the registry before each response; default 0
  --dir      directory for the installs; default the user's cache directory
  --keep     removes nothing
With --only, --methods or --delay, bench/results is not updated.`;

/** Methods whose files are compared with annex's. */
const COMPARED = ['floor', 'npm-ci'];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    only: { type: 'string' },
    methods: { type: 'string' },
    delay: { type: 'string', default: '0' },
    dir: { type: 'string', default: CACHE },
    keep: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}
const pick = (all, text, isMatch) => {
  const found = all.filter((key) => !text || text.split(',').some((part) => isMatch(key, part)));
  if (found.length > 0) return found;
  console.error(USAGE);
  process.exit(2);
};
const names = pick(Object.keys(FEATURES), values.only, (name, part) => name.includes(part));
const rounds = Number(values.rounds);

execFileSync(process.execPath, [join(ROOT, 'scripts/setup.mjs')], { stdio: 'inherit' });
mkdirSync(CACHE, { recursive: true });
fetchSnapshot();
const tools = findTools();
const registry = fork(new URL('registry.mjs', import.meta.url), [values.delay]);
const [{ url }] = await once(registry, 'message');
const base = mkdtempSync(join(values.dir, 'runs-'));
const places = createPlaces({ base, url, tools });
try {
  const before = probeDisk(base);
  const chosen = pick(Object.keys(METHODS), values.methods, (id, part) =>
    id.startsWith(part),
  ).filter((id) => tools[METHODS[id].tool]);
  const broken = await prepare(chosen);
  const samples = await time(chosen, broken);
  const disk = { type: nameDisk(base), before, after: probeDisk(base) };
  const closures = Object.fromEntries(names.map((name) => [name, places.describe(name)]));
  const isFull = !values.only && !values.methods && values.delay === '0';
  report({ samples, tools, closures, rounds, disk, isFull });
} finally {
  registry.disconnect();
  if (!values.keep) rmSync(base, { recursive: true, force: true });
}

/** Makes locks and fills caches. @returns the methods that failed, which are also reported on stderr */
async function prepare(chosen) {
  const sources = new Set(['npm-install', ...chosen.map((id) => METHODS[id].from).filter(Boolean)]);
  const locked = chosen.filter((id) => METHODS[id].annex && METHODS[id].isLocked);
  const broken = new Set();
  for (const name of names) {
    for (const id of sources) {
      // The floor installs the list of packages that npm installed.
      const users = chosen.filter((user) => [METHODS[user].from, user].includes(id));
      const floor = id === 'npm-install' ? ['floor'] : [];
      await attempt([...users, ...floor], name, broken, () => places.prime(id, name));
    }
    if (locked.length > 0) await attempt(locked, name, broken, () => places.lockAnnex(name));
  }
  return broken;
}

/** Runs an action. If it fails, fetches what the registry lacked and retries, or else leaves the methods out. */
async function attempt(ids, name, broken, action) {
  for (let tries = 0; ids.some((id) => !broken.has(id)); tries++) {
    await takeMisses();
    try {
      return await action();
    } catch (error) {
      const misses = await takeMisses();
      if (tries < 5 && misses.length > 0 && fetchMore(misses)) continue;
      const reason = error.message.split('\n').slice(0, 4).join('\n  ');
      console.error(`left out: ${ids.join(', ')}; ${name} failed\n  ${reason}`);
      for (const id of ids) broken.add(id);
    }
  }
  return undefined;
}

/** Requests since the last call that the registry could not serve. */
async function takeMisses() {
  const response = await fetch(`${url}/-/misses`);
  return response.json();
}

/** Runs each feature with all methods in every round, in random order. The first round checks the results. */
async function time(chosen, broken) {
  const samples = [];
  for (let round = 0; round < rounds; round++) {
    for (const name of shuffle(names)) {
      const files = {};
      const isFor = (id) => [undefined, name].includes(METHODS[id].only);
      for (const id of shuffle(chosen.filter(isFor))) {
        await attempt([id], name, broken, async () => {
          // Syncs, so that a run does not wait for the writes of the last one.
          execFileSync('sync', process.platform === 'linux' ? ['-f', base] : []);
          const { ms, peak, place } = await places.run(id, name);
          samples.push({ id, name, round, ms, peak });
          if (round > 0) return;
          await places.check(id, place);
          if (COMPARED.includes(id)) files[id] = digestFiles(join(place.app, 'node_modules'));
          if (id.startsWith('annex')) files[id] = digestFiles(findEntryModules(place.store));
        });
      }
      compare(name, files);
    }
    if (!values.keep) places.sweep();
    console.error(`round ${round + 1} of ${rounds}`);
  }
  return samples.filter(({ id }) => !broken.has(id));
}

/** Compares the files that annex and npm wrote with the floor's. */
function compare(name, { floor, ...others }) {
  for (const [id, files] of Object.entries(others)) {
    if (floor === undefined) continue;
    const odd = [
      ...floor.filter((file) => !files.includes(file)),
      ...files.filter((file) => !floor.includes(file)),
    ];
    if (odd.length > 0)
      console.error(`${id} ${name}: ${odd.length} files differ, for example ${odd[0]}`);
  }
}

function shuffle(list) {
  return list
    .map((item) => [Math.random(), item])
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}
