/**
 * Locks, installs and verifies well-known packages from the configured registry, each in its own
 * application and store. Prints failures with reasons, and a summary as JSON.
 *
 * node scripts/sweep.mjs [--first N] [--summary FILE] [NAME[@RANGE]...]
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CLI = join(ROOT, 'dist', 'cli', 'main.js');
/** Number of concurrent packages. */
const PARALLEL = 2;
/** Time limit of a command, in ms. */
const LIMIT = 300_000;

const { values, positionals } = parseArgs({
  options: { first: { type: 'string', default: '200' }, summary: { type: 'string' } },
  allowPositionals: true,
});
const listed = readFileSync(join(ROOT, 'scripts', 'sweep.txt'), 'utf8')
  .trim()
  .split('\n');
const names = positionals.length > 0 ? positionals : listed.slice(0, Number(values.first));
const temporary = mkdtempSync(join(tmpdir(), 'annex-sweep-'));

/** Runs a command of annex; resolves to its exit code and output. */
function annex(args, cwd) {
  return new Promise((resolve) => {
    const env = {
      ...process.env,
      ANNEX_STORE: join(cwd, '..', 'store'),
      npm_config_cache: join(temporary, 'cache'),
    };
    const child = spawn(process.execPath, [CLI, ...args, '--json'], { cwd, env, timeout: LIMIT });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        output[name] += text;
      });
    }
    child.on('close', (code, signal) => resolve({ code: code ?? signal, ...output }));
  });
}

/** The reason in the last line on stderr that has one. */
function readReason({ code, stderr }) {
  const line = stderr.split('\n').findLast((one) => /unavailable|ANNEX_/.test(one));
  const [, why = '', reason = ''] = /\((ANNEX_\w+)\): (.*?)\. [^.]*\. Now: /.exec(line ?? '') ?? [];
  return why === '' ? `${line ?? stderr.trim().split('\n').at(-1)} (${code})` : `${why}: ${reason}`;
}

/** @returns the command that failed and its reason, or success */
async function sweep(spec) {
  const at = spec.indexOf('@', 1);
  const [name, range] = at === -1 ? [spec, '*'] : [spec.slice(0, at), spec.slice(at + 1)];
  const world = join(temporary, spec.replaceAll(/\W/g, '-'));
  const core = join(world, 'app');
  mkdirSync(core, { recursive: true });
  const manifest = { name: 'app', private: true, annex: { features: { [name]: range } } };
  writeFileSync(join(core, 'package.json'), JSON.stringify(manifest));
  const start = performance.now();
  const result = { name, step: 'done' };
  for (const args of [['lock'], ['install', name], ['verify']]) {
    const ended = await annex(args, core);
    if (args[0] === 'install' && ended.code === 0) {
      const [{ versions, unrun }] = JSON.parse(ended.stdout).results;
      Object.assign(result, { version: versions[name], ...(unrun && { unrun }) });
    }
    if (ended.code === 0) continue;
    Object.assign(result, { step: args[0], reason: readReason(ended) });
    break;
  }
  await rm(world, { recursive: true, force: true });
  result.seconds = Math.round((performance.now() - start) / 100) / 10;
  const said = result.step === 'done' ? `${result.version}` : `${result.step}: ${result.reason}`;
  console.log(`${result.step === 'done' ? 'ok  ' : 'FAIL'} ${name} ${said} (${result.seconds} s)`);
  return result;
}

const start = performance.now();
const queue = [...names];
const results = [];
const work = async () => {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    results.push(await sweep(name));
  }
};
await Promise.all(Array.from({ length: PARALLEL }, work));
await rm(temporary, { recursive: true, force: true });

const failed = results.filter(({ step }) => step !== 'done');
const summary = {
  node: process.version,
  packages: results.length,
  installed: results.length - failed.length,
  withUnrunScripts: results.filter(({ unrun }) => unrun !== undefined).length,
  seconds: Math.round((performance.now() - start) / 1000),
  failed,
};
console.log(JSON.stringify(summary, undefined, 2));
if (values.summary !== undefined) {
  writeFileSync(values.summary, `${JSON.stringify({ ...summary, results }, undefined, 2)}\n`);
}
process.exitCode = failed.length === 0 ? 0 : 1;
