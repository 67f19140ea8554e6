/** Downloads the packuments and tarballs of the features and their dependencies through npm, and keeps them as files. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { AS_OF, CACHE, FEATURES } from './setting.mjs';

const PACKUMENTS = join(CACHE, 'packuments');
const TARBALLS = join(CACHE, 'tarballs');
/** Flags for npm. With a date it requests full packuments. */
const FLAGS = [`--before=${AS_OF}`, '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];

/** The file of a packument; `@scope/name` is one path segment. */
export const packumentFile = (name) => join(PACKUMENTS, `${encodeURIComponent(name)}.json`);

/** The file of a tarball. */
export const tarballFile = (name, version) =>
  join(TARBALLS, `${encodeURIComponent(name)}-${version}.tgz`);

/** Downloads the packages that the features need, once. */
export function fetchSnapshot() {
  const stamp = join(CACHE, 'snapshot.json');
  const wanted = JSON.stringify(FEATURES);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('downloading the packages (once)');
  const specs = new Set();
  withNpmCache((directory, cache) => {
    for (const [name, range] of Object.entries(FEATURES)) {
      rmSync(join(directory, 'package-lock.json'), { force: true });
      const manifest = { private: true, dependencies: { [name]: range } };
      writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
      npm(['install', '--package-lock-only', '--lockfile-version=3'], directory, cache);
      const lock = JSON.parse(readFileSync(join(directory, 'package-lock.json'), 'utf8'));
      for (const spec of listHere(lock)) specs.add(spec);
    }
    npm(['cache', 'add', ...specs], directory, cache);
    return [...specs];
  });
  writeFileSync(stamp, wanted);
}

/**
 * Downloads more packages, for a tool that resolves differently from npm: `name@version` or `name`.
 * @returns {boolean} false if a package does not exist
 */
export function fetchMore(specs) {
  try {
    withNpmCache((directory, cache) => {
      npm(['cache', 'add', ...specs], directory, cache);
      return specs;
    });
    return true;
  } catch {
    return false;
  }
}

/** Lists the packages that a lock installs on this platform, and possibly some more. */
function listHere({ packages }) {
  const fits = (list, here) => list === undefined || list.includes(here);
  return Object.entries(packages)
    .filter(([path, { os, cpu }]) => path && fits(os, process.platform) && fits(cpu, process.arch))
    .map(
      ([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`,
    );
}

function npm(args, cwd, cache) {
  execFileSync('npm', [...args, ...FLAGS, `--cache=${cache}`], { cwd, stdio: 'inherit' });
}

/** Runs npm with a separate cache, then copies the contents of that cache. */
function withNpmCache(fill) {
  for (const path of [PACKUMENTS, TARBALLS]) mkdirSync(path, { recursive: true });
  const directory = mkdtempSync(join(CACHE, 'fetch-'));
  try {
    const cache = join(directory, 'npm-cache');
    takeOver(join(cache, '_cacache'), fill(directory, cache));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Copies the responses in npm's cache, which are indexed by URL and stored by digest. */
function takeOver(cacache, specs) {
  const answers = new Map();
  const index = join(cacache, 'index-v5');
  for (const path of readdirSync(index, { recursive: true, withFileTypes: true })) {
    if (!path.isFile()) continue;
    for (const line of readFileSync(join(path.parentPath, path.name), 'utf8').split('\n')) {
      if (line === '') continue;
      const { metadata, integrity } = JSON.parse(line.slice(line.indexOf('\t') + 1));
      const [algorithm, base64] = integrity.split(/-(.*)/s);
      const hex = Buffer.from(base64, 'base64').toString('hex');
      const parts = [hex.slice(0, 2), hex.slice(2, 4), hex.slice(4)];
      if (metadata?.url)
        answers.set(metadata.url, join(cacache, 'content-v2', algorithm, ...parts));
    }
  }
  const urls = new Map();
  for (const [url, file] of answers) {
    if (url.endsWith('.tgz')) continue;
    const packument = restrict(JSON.parse(readFileSync(file, 'utf8')));
    writeFileSync(packumentFile(packument.name), JSON.stringify(packument));
    for (const [version, { dist }] of Object.entries(packument.versions)) {
      urls.set(`${packument.name}@${version}`, dist.tarball);
    }
  }
  for (const spec of specs.filter((text) => text.includes('@', 1))) {
    const at = spec.lastIndexOf('@');
    renameSync(answers.get(urls.get(spec)), tarballFile(spec.slice(0, at), spec.slice(at + 1)));
  }
}

/** The packument at the date: without later versions, and with tags on the remaining versions. */
function restrict(packument) {
  const isOld = (version) => packument.time[version] <= AS_OF;
  const keep = (object) => Object.fromEntries(Object.entries(object).filter(([v]) => isOld(v)));
  const versions = keep(packument.versions);
  const released = Object.keys(versions).filter((version) => !version.includes('-'));
  const newest = released.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  const tags = Object.entries(packument['dist-tags']).filter(([, version]) => isOld(version));
  const times = keep(packument.time);
  const modified = Object.values(times).sort().at(-1);
  return {
    ...packument,
    'dist-tags': { latest: newest, ...Object.fromEntries(tags) },
    versions,
    time: { created: packument.time.created, modified, ...times },
  };
}
