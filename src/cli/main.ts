#!/usr/bin/env node
/** The command line: finds the command, runs it, turns its result into an exit code. */
import { parseArgs } from 'node:util';
import { isInstaller } from '../config.ts';
import { messageOf } from '../errors.ts';
import { version } from '../version.ts';
import type { Command, Invocation } from './command.ts';
import { HELP } from './help.ts';

/** Loaded one at a time: what one of them stands on costs the others nothing. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  add: async () => (await import('./add.ts')).add,
  env: async () => (await import('./env.ts')).env,
  install: async () => (await import('./install.ts')).install,
  list: async () => (await import('./list.ts')).list,
  remove: async () => (await import('./remove.ts')).remove,
  why: async () => (await import('./why.ts')).why,
};

const OPTIONS = {
  all: { type: 'boolean' },
  feature: { type: 'string' },
  from: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  require: { type: 'boolean' },
  version: { type: 'boolean', short: 'v' },
} as const;

/** @returns the exit code: 0 done, 1 could not be done, 2 asked for wrongly */
async function main(args: string[]): Promise<number> {
  let parsed: ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return complain(messageOf(error));
  }
  const { values, positionals } = parsed;
  const [name, ...rest] = positionals;
  if (values.version === true) return say(version);
  if (values.help === true || name === 'help') return say(HELP);
  if (name === undefined) return complain('what is to be done?');
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) return complain(`${JSON.stringify(name)} is not a command`);
  const invocation: Invocation = {
    args: rest,
    options: values,
    print: (text, data) => say(values.json === true ? JSON.stringify(data) : text),
  };
  const command = await load();
  return (await command(invocation)) ?? complain(`annex ${name} was called wrongly`);
}

function say(text: string): number {
  if (text !== '') process.stdout.write(`${text}\n`);
  return 0;
}

function complain(what: string): number {
  process.stderr.write(`annex: ${what}\n${HELP}\n`);
  return 2;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`annex: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
// An installer is the head of its own process group: whatever npm left running ends with it.
if (isInstaller() && process.exitCode !== 0) process.once('exit', () => process.kill(0, 'SIGKILL'));
