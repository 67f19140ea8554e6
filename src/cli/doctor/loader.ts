/** The checks of `annex doctor` of Node, and of whether programs started from here load annex. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import Module from 'node:module';
import { join } from 'node:path';
import { findCorePackage } from '../../app/core.ts';
import { currentEnv } from '../../base/environment.ts';
import { canWatchLoads } from '../../base/load-hooks.ts';
import { HERE } from '../../base/own-files.ts';
import { readPackage } from '../../base/package-json.ts';
import { readCwd, toRealPath } from '../../base/paths.ts';
import { satisfies } from '../../base/semver.ts';
import { messageOf } from '../../base/thrown.ts';
import { readWords } from '../../settings/installer-env.ts';
import type { Settings } from '../../settings/settings.ts';
import { type Finding, ok, problem, warning } from '../shared/findings.ts';
import { findAnnexDir, isFixed, listPreloads, type Preload } from './preloads.ts';
import { checkPrograms, readOptionsOfInit } from './programs.ts';

/** Whether annex runs on this Node, and what it uses of it. */
export function checkNode(): Finding[] {
  const { node } = process.versions;
  const { engines } = (readPackage(join(HERE ?? '', '..')) ?? {}) as {
    engines?: { node?: string };
  };
  const range = engines?.node ?? '*';
  if (!satisfies(node, range)) {
    return [problem('node.version', `Node ${node} is not supported`, `use Node ${range}`)];
  }
  const hooks = Object.hasOwn(Module, 'registerHooks')
    ? 'hooks in each thread'
    : 'hooks in a thread of their own';
  const when = canWatchLoads(node) ? 'when Node loads them' : 'with the first request';
  return [ok('node.version', `Node ${node}: ${hooks}; files are verified ${when}`)];
}

/** The line that loads annex beside other options. */
function nameLine({ settings, options }: StartContext, annex?: Preload): string {
  const shipped = settings && findCorePackage('annex', settings.core.root);
  const loader = shipped && join(shipped.dir, 'loader.mjs');
  // Options with quotes would have to be quoted again.
  if (loader === undefined || /["'\\]/.test(options)) {
    return 'npx annex env prints the line for this application';
  }
  const line =
    annex === undefined
      ? `${options} --import=${loader}`.trimStart()
      : options.replace(annex.name, loader);
  return `set NODE_OPTIONS="${line}"`;
}

/** Whether Node, started with this environment, loads annex from the right place. */
export function checkLoader(settings: Settings | undefined): Finding[] {
  const given = currentEnv().NODE_OPTIONS;
  const own = given ?? '';
  const inherited = own === '' ? (readOptionsOfInit() ?? '') : '';
  const options = own || inherited;
  const name = own === '' && inherited !== '' ? 'NODE_OPTIONS of process 1' : 'NODE_OPTIONS';
  const cwd = settings?.core.root ?? readCwd() ?? '/';
  const preloads = listPreloads(readWords(options));
  const annex = preloads.find((each) => findAnnexDir(each, cwd) !== undefined);
  const context = { settings, options, name, cwd };
  const lost =
    'this process has no NODE_OPTIONS, and process 1 has: what started this one did not pass it on';
  return [
    // A value that somebody emptied is not lost.
    ...(inherited === '' || given !== undefined
      ? []
      : [warning('loader.environment', lost, PASS_ON)]),
    checkStart(context, annex),
    ...(annex === undefined ? [] : checkPlace(annex, context)),
    ...(annex === undefined ? [] : checkOrder(annex, preloads)),
    ...(settings === undefined ? [] : checkPrograms(settings.core)),
  ];
}

const PASS_ON = 'pass the environment on: with-contenv in s6-overlay, env_keep in sudo';

/** How a program of the application is started. */
interface StartContext {
  settings: Settings | undefined;
  /** The value of NODE_OPTIONS. */
  options: string;
  /** What the options are called in a message. */
  name: string;
  /** The root of the application. */
  cwd: string;
}

function checkStart(context: StartContext, annex: Preload | undefined): Finding {
  const { settings, options, name, cwd } = context;
  const id = 'loader.active';
  const remedy = nameLine(context, annex);
  let start: Start;
  try {
    start = startNode(options, cwd);
  } catch (failure) {
    return warning(id, `no program can be started to try it: ${messageOf(failure)}`);
  }
  const { versions, error, said } = start;
  if (error !== undefined) return problem(id, `Node does not start with ${name}: ${error}`, remedy);
  // On Node 20 annex becomes inactive at once where no package.json declares a feature.
  const isSearched = settings !== undefined && settings.declaration.byPackage.size > 0;
  if (versions.length > 0 || (annex !== undefined && !isSearched)) {
    return ok(id, `${name} loads annex ${versions.join(' and ')}`.trimEnd());
  }
  if (annex !== undefined) {
    return problem(id, `${name} names ${annex.name}, and annex stays inactive${said}`, remedy);
  }
  if (/'.*annex/.test(options)) {
    const text = `${name} has single quotes, which Node takes for a part of the option`;
    return problem(id, text, 'remove them; Node knows double quotes alone');
  }
  const text = `${name} does not load annex; a program then needs --import or annex/register`;
  return warning(id, text, remedy);
}

/** Milliseconds for a start of Node. */
const LIMIT = 20_000;

const SCRIPT = `process.stdout.write(Object.getOwnPropertySymbols(globalThis)
  .map((symbol) => /^annex\\.thread@(.*)/.exec(Symbol.keyFor(symbol) ?? '')?.[1] ?? '').join(' '))`;

/** What a start of Node shows. */
interface Start {
  /** Versions of annex that are active. */
  versions: string[];
  /** Why Node does not start. */
  error?: string;
  /** What annex writes to stderr, as a clause. */
  said: string;
}

/** Starts Node, and asks it which versions of annex are active. */
function startNode(options: string, cwd: string): Start {
  const { status, error, stdout, stderr } = spawnSync(process.execPath, ['-e', SCRIPT], {
    cwd,
    env: { ...currentEnv(), NODE_OPTIONS: options },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT,
  });
  if (error !== undefined) throw error;
  const lines = stderr.split('\n');
  const said = lines.find((line) => line.startsWith('annex: '))?.slice('annex: '.length);
  const versions = stdout.split(' ').filter((word) => /^\d/.test(word));
  if (status === 0) return { versions, said: said === undefined ? '' : `: ${said}` };
  const why = lines.find((line) => /^\w*Error\b|is not allowed|requires an argument/.test(line));
  return { versions: [], error: why ?? lines[0] ?? '', said: '' };
}

/** Whether the preload is found everywhere, and is the application's own annex. */
function checkPlace(annex: Preload, context: StartContext): Finding[] {
  const { settings, name, cwd } = context;
  const remedy = nameLine(context, annex);
  const found: Finding[] = [];
  if (!isFixed(annex)) {
    const text = `${annex.name} in ${name} is not an absolute path: Node does not start in other directories`;
    found.push(problem('loader.path', text, remedy));
  }
  const dir = findAnnexDir(annex, cwd);
  const shipped = settings && findCorePackage('annex', settings.core.root);
  if (dir === undefined || shipped === undefined || !existsSync(dir)) return found;
  if (toRealPath(dir) === toRealPath(shipped.dir)) return found;
  const versions = [readPackage(dir)?.version ?? 'unreadable', shipped.version ?? 'unreadable'];
  const text = `${name} loads annex ${versions[0]} of ${dir}, and the application ships ${versions[1]}`;
  found.push(warning('loader.copy', text, remedy));
  return found;
}

/** Tools that instrument modules as they are loaded. */
const INSTRUMENTS =
  /(?:dd-trace|@opentelemetry|newrelic|elastic-apm-node|@sentry|import-in-the-middle|@splunk[\\/]otel|applicationinsights|@azure[\\/]monitor|@instana|@dynatrace)/;

/**
 * Another loader that instruments ES modules has to be registered after annex.
 *
 * @param preloads in the order in which Node loads them
 */
function checkOrder(annex: Preload, preloads: readonly Preload[]): Finding[] {
  const others = preloads.filter((each) => each !== annex && each.flag !== '--loader');
  const before = others.filter((each) => preloads.indexOf(each) < preloads.indexOf(annex));
  const early = before.filter(({ name }) => INSTRUMENTS.test(name));
  if (early.length > 0) {
    const names = early.map(({ name }) => name).join(', ');
    const text = `${names} is loaded before annex: it misses what packages of a store re-export`;
    // Node loads every --require before any --import.
    const flag = early.some((each) => each.flag === '--require') ? '--require' : annex.flag;
    const line = [`${flag} ${annex.name}`, ...early.map((each) => `${each.flag} ${each.name}`)];
    return [warning('loader.order', text, `NODE_OPTIONS="${line.join(' ')}"`)];
  }
  if (others.length === 0) return [];
  const names = others.map(({ name }) => name).join(', ');
  return [ok('loader.order', `with ${names} ${before.length > 0 ? 'before' : 'after'} annex`)];
}
