#!/usr/bin/env node
/** The command line: finds the command, runs it, turns its result into an exit code. */
import { delimiter, resolve } from 'node:path';
import { writeLine } from '../base/log.ts';
import { version } from '../base/own-files.ts';
import { splitStores } from '../base/store-layout.ts';
import { messageOf } from '../base/thrown.ts';
import { adoptEnv } from '../settings/environment.ts';
import {
  findPlace,
  type Invocation,
  type Options,
  printError,
  type Result,
} from './shared/command.ts';
import { composeOutput, describeError } from './shared/json.ts';
import { type CommandLine, parseCommandLine } from './table/parse.ts';

/** @returns the exit code: 0 done, 1 failed, 2 wrong usage */
async function main(words: string[]): Promise<number> {
  const line = parseCommandLine(words);
  // In a wrong command line, --json may have been parsed as the value of another option.
  const isJson =
    line.options.json === true || (line.problem !== undefined && words.includes('--json'));
  const print: Invocation['print'] = (text, data, place) => {
    const output = isJson ? composeOutput(line.row?.name, place, data) : text;
    if (output !== '') writeLine(1, output);
  };
  try {
    const result = await run(line, print);
    return typeof result === 'number' ? result : await printMisuse(line, result, print);
  } catch (error) {
    printError(error);
    print('', { error: describeError(error) }, findPlace());
    return 1;
  }
}

async function run(
  { row, args, options, problem }: CommandLine,
  print: Invocation['print'],
): Promise<Result> {
  if (options.version === true) {
    print(version, { annex: version });
    return 0;
  }
  if (options.help === true && (row !== undefined || problem === undefined)) {
    const { help } = await import('./table/help.ts');
    return help({ args: row === undefined ? [] : [row.name], options, print });
  }
  const wrong = problem ?? moveTo(options);
  if (wrong !== undefined) return wrong;
  if (row === undefined) return 'no command is given';
  const command = await row.load();
  return command({ args, options, print });
}

/** Applies `-C`, `--core` and `--store`. @returns what is wrong with them */
function moveTo({ directory, core, store }: Options): string | undefined {
  try {
    if (directory !== undefined) process.chdir(directory);
  } catch (error) {
    return `-C ${directory}: ${messageOf(error).split(',', 1)[0]}`;
  }
  // Settings come from the environment, for this process and for those that it starts.
  if (core !== undefined) adoptEnv({ ANNEX_CORE: resolve(core) });
  if (store !== undefined) {
    adoptEnv({
      ANNEX_STORE: splitStores(store)
        .map((path) => path && resolve(path))
        .join(delimiter),
    });
  }
  return undefined;
}

/** Says what is wrong with a command line, and how the command is used. */
async function printMisuse(
  { row, problem }: CommandLine,
  reason: string,
  print: Invocation['print'],
): Promise<number> {
  const { composeOverview, composeUsage, USAGE } = await import('./table/help.ts');
  const usage = row === undefined ? USAGE : composeUsage(row);
  const hint = row === undefined ? 'annex help' : `annex help ${row.name}`;
  const isEmpty = row === undefined && problem === undefined;
  const help = isEmpty ? composeOverview() : `usage: ${usage}\nSee ${hint}.`;
  writeLine(2, `annex: ${reason}\n${help}`);
  print('', { error: { code: 'ANNEX_USAGE', reason, hint, usage } });
  return 2;
}

// A library of npm may still wait for an answer that came too late.
process.exit(await main(process.argv.slice(2)));
