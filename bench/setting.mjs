/** Settings of the benchmark: features, date of the registry, tools and goals. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The application's features: six popular packages. */
export const FEATURES = {
  'exa-js': '^1.9.0',
  '@mendable/firecrawl-js': '^4.3.0',
  '@larksuiteoapi/node-sdk': '^1.40.0',
  '@slack/web-api': '^7.0.0',
  openai: '^6.0.0',
  sharp: '^0.34.0',
};

/** Two packages of one file, one in CommonJS and one ES module, at exact versions. */
export const ONE_FILE = { ms: '2.1.3', 'yocto-queue': '1.2.2' };

/** Date of the registry snapshot, so that dependencies stay the same. */
export const AS_OF = '2026-11-14T00:00:00.000Z';

/** Tools available as binaries from the npm registry. pnpm 10 is a development dependency. */
export const BINARIES = { pnpm: '12.21.0', bun: '1.4.5', deno: '2.9.6' };

/** Maximum ratios between two methods, given by their keys. */
export const GOALS = [
  { of: 'annex-lock-none', over: 'npm-ci', atMost: 0.22 },
  { of: 'annex-lock-none', over: 'pnpm-frozen-warm', atMost: 0.4 },
  { of: 'annex-lock-none', over: 'bun-add', atMost: 0.85 },
  { of: 'annex-lock-none', over: 'floor', atMost: 1.25 },
  { of: 'annex-lock', over: 'annex-lock-none', atMost: 1.7 },
  { of: 'annex-none', over: 'npm-install', atMost: 0.7 },
  { of: 'import-annex-none', over: 'import-bun', atMost: 1 },
  { of: 'import-annex-none', over: 'import-deno', atMost: 1 },
  { of: 'import-annex', over: 'import-bun', atMost: 1 },
  { of: 'import-annex', over: 'import-deno', atMost: 1 },
];

/** Maximum memory of an install from a lock, in MB. */
export const MEMORY_GOAL = { methods: ['annex-lock', 'annex-lock-none'], atMost: 120 };

/** The root of this repository. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Directory of packages and tools between runs, and of the installs: one disk. */
export const CACHE = join(
  process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  'annex-bench',
  AS_OF.slice(0, 10),
);
