#!/usr/bin/env node
/** The command line: finds the command, runs it, turns its result into an exit code. */
import { delimiter, resolve } from 'node:path';
import { AnnexError } from '../base/error.ts';
import { writeLine } from '../base/log.ts';
import { version } from '../base/own-files.ts';
import { splitStores } from '../base/store-layout.ts';
import { messageOf } from '../base/thrown.ts';
import { adoptEnv } from '../settings/environment.ts';
import type { Invocation, Options, Result } from './command.ts';
import { type CommandLine, parseCommandLine } from './parse.ts';

/** @returns the exit code: 0 done, 1 failed, 2 wrong usage */
async function main(words: string[]): Promise<number> {
  const line = parseCommandLine(words);
  const result = await run(line);
  return typeof result === 'number' ? result : printMisuse(line, result);
}

async function run({ row, args, options, problem }: CommandLine): Promise<Result> {
  const print: Invocation['print'] = (text, data) => {
    const output = options.json === true ? JSON.stringify(data) : text;
    if (output !== '') writeLine(1, output);
  };
  if (options.version === true) {
    print(version, { version });
    return 0;
  }
  if (options.help === true && (row !== undefined || problem === undefined)) {
    const { help } = await import('./help.ts');
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
async function printMisuse({ row, problem }: CommandLine, result?: string): Promise<number> {
  const { composeOverview, composeUsage } = await import('./help.ts');
  const what = problem ?? result ?? `wrong arguments for annex ${row?.name}`;
  const usage =
    row !== undefined
      ? `usage: ${composeUsage(row)}\nSee annex help ${row.name}.`
      : problem === undefined
        ? composeOverview()
        : 'usage: annex COMMAND [ARGUMENT...] [OPTION...]\nSee annex help.';
  writeLine(2, `annex: ${what}\n${usage}`);
  return 2;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  writeLine(2, error instanceof AnnexError ? error.message : `annex: ${messageOf(error)}`);
  process.exitCode = 1;
}
