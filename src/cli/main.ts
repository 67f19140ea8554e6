#!/usr/bin/env node
/** The command line: finds the command, runs it, turns its result into an exit code. */
import { parseArgs } from 'node:util';
import { AnnexError } from '../base/error.ts';
import { writeLine } from '../base/log.ts';
import { version } from '../base/own-files.ts';
import { messageOf } from '../base/thrown.ts';
import type { Command, Invocation } from './command.ts';
import { findUsage } from './help.ts';

const OPTIONS = {
  all: { type: 'boolean' },
  check: { type: 'boolean' },
  days: { type: 'string' },
  'dry-run': { type: 'boolean' },
  feature: { type: 'string' },
  format: { type: 'string' },
  from: { type: 'string' },
  graph: { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  'min-age': { type: 'string' },
  repair: { type: 'boolean' },
  require: { type: 'boolean' },
  version: { type: 'boolean', short: 'v' },
} as const;

/** Every command: its module, loaded when it is called, and its options besides `--json`. */
const COMMANDS: Record<string, { load: () => Promise<Command>; takes: readonly string[] }> = {
  add: { load: async () => (await import('./add.ts')).add, takes: ['feature'] },
  audit: { load: async () => (await import('./npm-report.ts')).audit, takes: [] },
  bake: { load: async () => (await import('./bake.ts')).bake, takes: [] },
  config: { load: async () => (await import('./config.ts')).config, takes: [] },
  env: { load: async () => (await import('./env.ts')).env, takes: [] },
  install: { load: async () => (await import('./install.ts')).install, takes: ['all', 'graph'] },
  list: { load: async () => (await import('./list.ts')).list, takes: [] },
  lock: { load: async () => (await import('./lock.ts')).lock, takes: ['check', 'min-age'] },
  prune: { load: async () => (await import('./prune.ts')).prune, takes: ['days', 'dry-run'] },
  refresh: { load: async () => (await import('./refresh.ts')).refresh, takes: [] },
  remove: { load: async () => (await import('./remove.ts')).remove, takes: ['feature'] },
  sbom: { load: async () => (await import('./npm-report.ts')).sbom, takes: ['format'] },
  uninstall: { load: async () => (await import('./uninstall.ts')).uninstall, takes: [] },
  verify: { load: async () => (await import('./verify.ts')).verify, takes: ['repair'] },
  why: { load: async () => (await import('./why.ts')).why, takes: ['from', 'require'] },
};

const isCommand = (name: string): boolean => Object.hasOwn(COMMANDS, name);

/** @returns the exit code: 0 done, 1 failed, 2 invalid arguments */
async function main(args: string[]): Promise<number> {
  let parsed: ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // The second sentence is about Node's parser.
    const [what = ''] = messageOf(error).split('. ', 1);
    return printUsage(what, args.find(isCommand));
  }
  const { values, positionals } = parsed;
  const [name, ...rest] = positionals;
  if (values.version === true) return printLine(version);
  if (values.help === true || name === 'help')
    return printLine(findUsage(positionals.find(isCommand)));
  if (name === undefined) return printUsage('no command is given');
  const command = isCommand(name) ? COMMANDS[name] : undefined;
  if (command === undefined) return printUsage(`${JSON.stringify(name)} is not a command`);
  const { load, takes } = command;
  const foreign = Object.keys(values).find((key) => key !== 'json' && !takes.includes(key));
  if (foreign !== undefined) return printUsage(`annex ${name} takes no --${foreign}`, name);
  const invocation: Invocation = {
    args: rest,
    options: values,
    print: (text, data) => printLine(values.json === true ? JSON.stringify(data) : text),
  };
  const run = await load();
  return (await run(invocation)) ?? printUsage(`wrong arguments for annex ${name}`, name);
}

function printLine(text: string): number {
  if (text !== '') writeLine(1, text);
  return 0;
}

/** @param command whose usage is printed instead of the whole help */
function printUsage(what: string, command?: string): number {
  writeLine(2, `annex: ${what}\n${findUsage(command)}`);
  return 2;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  writeLine(2, error instanceof AnnexError ? error.message : `annex: ${messageOf(error)}`);
  process.exitCode = 1;
}
