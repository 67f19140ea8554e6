/** The scripts, Dockerfile and s6-overlay variant of the image are valid for their tools. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { describe, expect, test } from 'vitest';
import { repositoryRoot } from '../../../../test/support/package.ts';
import { EXAMPLE, PAGE, readFiles, readText } from '../support/contract/files.ts';
import { readBlocks, readGivenFiles } from '../support/contract/page.ts';
import { checkServices, readVariant } from '../support/contract/s6-services.ts';
import { isShell } from '../support/contract/words.ts';

const files = readFiles();
const page = readText(files, PAGE);
const dockerfile = readText(files, 'Dockerfile');

/** Every shell script of the example, its page and this repository, by name. */
const scripts = new Map([
  ...[...files].filter(([path, text]) => isShell(path, text)),
  ...[...readGivenFiles(page)]
    .map(([path, { block }]): [string, string] => [`${PAGE}: ${path}`, block.text])
    .filter(([path, text]) => isShell(path, text)),
  ...readdirSync(join(repositoryRoot, 'scripts'))
    .filter((name) => name.endsWith('.sh'))
    .map((name): [string, string] => [`scripts/${name}`, read(`scripts/${name}`)]),
]);

function read(path: string): string {
  return readFileSync(join(repositoryRoot, path), 'utf8');
}

const shellcheck = (text: string) => {
  const args = ['--shell=sh', '--external-sources', '--source-path=.', '--format=gcc', '-'];
  const cwd = join(repositoryRoot, EXAMPLE);
  const { error, ...result } = spawnSync('shellcheck', args, {
    cwd,
    input: text,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return result;
};

// In CI a missing tool is a failure; on a laptop a gap that can be seen.
const isMissing = spawnSync('shellcheck', ['--version']).error !== undefined;
describe.skipIf(isMissing && !process.env.CI)('shellcheck', () => {
  test.each([...scripts])('finds nothing in %s', (_, text) => {
    const { stdout, stderr, status } = shellcheck(text);
    expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 });
  });

  test('finds a mistake', () => {
    expect(shellcheck('#!/bin/sh\nrm -rf $1/*\n').stdout).toContain('SC2086');
    expect(shellcheck('#!/bin/sh\n[[ -n "$1" ]]\n').stdout).toContain('SC3010');
  });
});

test('every script starts with a comment on its purpose', () => {
  const silent = [...scripts].filter(([, text]) => !/^(#!.*\n)?# [A-Za-z]/.test(text));
  expect(silent.map(([path]) => path)).toEqual([]);
});

/** Messages of the linter, without positions. */
const lint = (text: string): string[] => validate(text).map(({ message }) => String(message));

test('the linter finds nothing in the Dockerfile', () => {
  expect(lint(dockerfile)).toEqual([]);
  expect(lint(dockerfile.replace('--interval', '--intervall'))).toHaveLength(1);
  expect(lint(dockerfile.replace('EXPOSE', 'EXPOSES'))).toHaveLength(1);
});

test('the linter finds nothing in the Dockerfile parts of the page', () => {
  const blocks = readBlocks(page).filter(({ language }) => language === 'dockerfile');
  expect(blocks).toHaveLength(2);
  expect(blocks.flatMap(({ text }) => lint(`FROM node:24-slim\n${text}`))).toEqual([]);
});

describe('the variant for s6-overlay', () => {
  test('has a hook and an enabled service that waits for it', () => {
    const variant = readVariant(page);
    expect(checkServices(variant)).toEqual([]);
    expect(variant.services).toEqual(['gateway']);
  });

  test.each([
    [
      '#!/command/with-contenv sh\n# Gives',
      '#!/bin/sh\n# Gives',
      /01-volume: starts with an empty/,
    ],
    ['#!/command/with-contenv sh\n# The', '#!/bin/sh\n# The', /gateway: run starts with an empty/],
    ['```text\nlongrun\n', '```text\nlong-run\n', /gateway: its type is invalid/],
    ['gateway/run`', 'gateway/start`', /gateway: no run file/],
    ['gateway/run`, executable', 'gateway/run`', /run is not executable/],
    ['dependencies.d/legacy-cont-init', 'dependencies.d/cont-init', /gateway: does not wait/],
    [
      'user-bundles.d/user/contents.d/gateway',
      'user-bundles.d/user/gateway',
      /gateway: nothing st/,
    ],
    ['STAGE2_FAILS=2', 'STAGE2_FAILS=1', /a failed hook is ignored/],
  ])('with %j as %j is refused', (from, to, why) => {
    expect(page).toContain(from);
    expect(checkServices(readVariant(page.replace(from, to))).join('\n')).toMatch(why);
  });
});
