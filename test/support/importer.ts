/** Runs a program that imports packages in sequence, like an application that can work without them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { RunOptions, RunResult, Sandbox } from './sandbox.ts';

/** Result of one import: a module, or an error with all its visible properties. */
export interface Imported {
  marker?: string;
  version?: string;
  code?: string;
  message?: string;
  cause?: { name: string; code?: string; feature?: string; hint?: string; message: string };
}

/** Exit of the program. */
export interface Imports extends RunResult {
  /** By specifier. */
  imported: Record<string, Imported>;
  /** Lines on stderr, without those that a slow machine adds. */
  lines: string[];
}

/** Options of a run. */
export interface ImportOptions extends RunOptions {
  /** Whether the preload is on the command line; true by default. */
  hasLoader?: boolean;
  /** The program's path in the core. */
  program?: string;
  /** Flags of Node, before that of the preload. */
  flags?: readonly string[];
}

const SOURCE = `
const imported = {};
for (const name of process.argv.slice(2)) {
  try {
    const { marker, version } = { ...(await import(name)) };
    imported[name] = { marker, version };
  } catch ({ code, message, cause }) {
    imported[name] = { code, message };
    if (cause) {
      const { name: type, code: why, feature, hint, message: said } = cause;
      imported[name].cause = { name: type, code: why, feature, hint, message: said };
    }
  }
}
console.log(JSON.stringify(imported));
`;

/**
 * Writes only the program, for tests that inspect the core before it runs. An existing file
 * stays, because another process may be reading it.
 */
export function writeImporter(sandbox: Sandbox, program = 'main.mjs'): void {
  const path = join(sandbox.core, program);
  if (!existsSync(path)) sandbox.write(path, SOURCE);
}

/**
 * Imports packages in one run of Node. The program catches errors and exits normally.
 * @throws when it does not
 */
export async function importIn(
  sandbox: Sandbox,
  names: readonly string[],
  { hasLoader = true, program = 'main.mjs', flags = [], ...options }: ImportOptions = {},
): Promise<Imports> {
  writeImporter(sandbox, program);
  const preload = hasLoader ? ['--import', sandbox.loader] : [];
  const result = await sandbox.run([...flags, ...preload, program, ...names], options);
  if (result.code !== 0 || result.stdout === '') {
    throw new Error(`the program ended with ${result.code ?? result.signal}: ${result.stderr}`);
  }
  const imported = JSON.parse(result.stdout) as Imports['imported'];
  const lines = splitLines(result.stderr).filter(
    (line) => !/blocked this thread for|^annex: waiting for/.test(line),
  );
  return { ...result, imported, lines };
}

/** The lines of a string; none for an empty one. */
export const splitLines = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '');

/** Form of the message of every failure: feature, code, reason, state, hint. */
export const FORM =
  /^annex: (?<feature>\S+) unavailable \((?<code>ANNEX_[A-Z_]+)\): (?<reason>.+)\. (?<state>(?:[^.]|\.(?! ))*other features unaffected)\. Now: (?<hint>.+)$/i;

/** Form of a line about a setting. */
export const NOTICE = /^annex: (?<reason>.+) \((?<code>ANNEX_[A-Z_]+)\)\. Now: (?<hint>.+)$/;

/**
 * Expects a failed import to have Node's own error, with a cause of that code in the right form.
 *
 * @param codeOfNode another one when a `require` failed inside what was imported
 */
export function expectRefused(
  imported: Imported | undefined,
  code: string,
  reason: RegExp,
  feature?: string,
  codeOfNode = 'ERR_MODULE_NOT_FOUND',
): void {
  expect(imported).toMatchObject({
    code: codeOfNode,
    cause: { name: 'AnnexError', code },
  });
  const { message = '', cause } = imported ?? {};
  expect(cause?.message).toMatch(FORM);
  expect(cause?.message).toMatch(reason);
  expect(cause?.message).toContain(`(${code})`);
  expect(cause?.message).toMatch(/, asked by main\.mjs\. /);
  expect(cause?.message.endsWith(`Now: ${cause.hint}`)).toBe(true);
  expect(message.split('\n')).toHaveLength(2);
  expect(message.endsWith(`\n${cause?.message}`)).toBe(true);
  if (feature !== undefined) expect(cause?.feature).toBe(feature);
}
