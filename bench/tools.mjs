/** Package managers to compare with: those installed here, and binaries from the npm registry. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BINARIES, CACHE, ROOT } from './setting.mjs';

/** Possible paths of a tool's binary in node_modules, in the package for the platform. */
const PLACES = {
  pnpm: [/^@pnpm\/exe\./, 'pnpm'],
  bun: [/^@oven\/bun-/, 'bin/bun'],
  deno: [/^@deno\//, 'deno'],
};

/**
 * @returns {Record<string, { argv: string[], version: string }>} tools by name; unavailable ones are
 *   left out and reported on stderr
 */
export function findTools() {
  const npm = join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js');
  const tools = {
    node: describe([process.execPath]),
    npm: describe(existsSync(npm) ? [process.execPath, npm] : ['npm']),
    pnpm10: describe([process.execPath, join(ROOT, 'node_modules/pnpm/bin/pnpm.cjs')]),
  };
  for (const [name, version] of Object.entries(BINARIES)) {
    try {
      tools[name] = fetchBinary(name, version);
    } catch (error) {
      console.error(`${name} ${version} is unavailable and left out: ${firstLine(error)}`);
    }
  }
  return tools;
}

const firstLine = ({ message }) => message.split('\n')[0];

function describe(argv) {
  const [file, ...args] = argv;
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  const said = execFileSync(file, [...args, '--version'], options);
  return { argv, version: /\d+\.\d+\.\d+\S*/.exec(said)?.[0] ?? said.trim() };
}

function fetchBinary(name, version) {
  const home = join(CACHE, '..', 'tools', `${name}-${version}`);
  if (!existsSync(home)) {
    mkdirSync(home, { recursive: true });
    const args = ['install', '--prefix', home, '--ignore-scripts', '--no-audit', '--no-fund'];
    execFileSync('npm', [...args, '--silent', `${name}@${version}`], { cwd: home });
  }
  const modules = join(home, 'node_modules');
  const [pattern, path] = PLACES[name];
  const packages = readdirSync(modules).flatMap((entry) =>
    entry.startsWith('@') ? readdirSync(join(modules, entry)).map((sub) => `${entry}/${sub}`) : [],
  );
  const errors = [];
  for (const candidate of packages.filter((text) => pattern.test(text)).sort()) {
    try {
      return describe([join(modules, candidate, path)]);
    } catch (error) {
      errors.push(error);
    }
  }
  throw errors[0] ?? new Error('no binary for this platform');
}
