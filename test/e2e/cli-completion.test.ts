/** Shell completion: what the real shells complete, and that their scripts have the whole table. */
import { chmodSync, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/table/commands.ts';
import { GLOBAL } from '../../src/cli/table/common-rows.ts';
import { openCli } from '../support/cli.ts';
import { type NodeUnderTest, outerNodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { findProgram } from '../support/programs.ts';
import type { RunOptions, Sandbox } from '../support/sandbox.ts';

const SHELLS = ['bash', 'zsh', 'fish'];

/** Keys of a person, and the words that the shell makes of them. */
const TYPED: [keys: string, words: string][] = [
  ['annex unins\texa\t', 'uninstall exa-js'],
  ['annex install @mend\t', 'install @mendable/firecrawl-js'],
  ['annex install tw\t', 'install two words'],
  ['annex install od\t', 'install odd $(touch ran)'],
  ['annex sbom --fo\tsp\t', 'sbom --format spdx'],
  ['annex why exa-js --from pack\t', 'why exa-js --from package.json'],
  ['annex -C .. ls --js\t', '-C .. ls --json'],
  ['annex lock --min-age 7 exa\t', 'lock --min-age 7 exa-js'],
  ['annex completion zs\t', 'completion zsh'],
  ['annex help unin\t', 'help uninstall'],
];
const WORDS = TYPED.map(([, words]) => words);

/** The beginning of a line, and the word that fish offers for its end. */
const OFFERED: [line: string, word: string][] = [
  ['annex unins', 'uninstall'],
  ['annex uninstall exa', 'exa-js'],
  ['annex install @mend', '@mendable/firecrawl-js'],
  ['annex install tw', 'two words'],
  ['annex install od', 'odd $(touch ran)'],
  ['annex sbom --fo', '--format'],
  ['annex sbom --format sp', 'spdx'],
  ['annex why exa-js --from pack', 'package.json'],
  ['annex -C .. ls --js', '--json'],
  ['annex lock --min-age 7 exa', 'exa-js'],
  ['annex completion zs', 'zsh'],
  ['annex help unin', 'uninstall'],
];

async function open(node: NodeUnderTest) {
  const world = await openCli(node);
  const { sandbox } = world;
  const features = {
    'exa-js': '^1.0.0',
    'odd $(touch ran)': { packages: { alpha: '^1.0.0' } },
    'two words': { packages: { '@mendable/firecrawl-js': '^4.0.0' } },
  };
  sandbox.setCore({ features });
  const bin = join(sandbox.root, 'bin');
  const cli = join(repositoryRoot, 'dist', 'cli', 'main.js');
  chmodSync(sandbox.write('bin/annex', `#!/bin/sh\nexec "${node.path}" "${cli}" "$@"\n`), 0o755);
  const env = { PATH: [bin, process.env.PATH].join(delimiter), TERM: 'dumb' };
  return { ...world, env };
}

/** Types lines in an interactive shell, after a first one, and returns the words that each of them became. */
async function type(
  sandbox: Sandbox,
  shell: string,
  start: string,
  options: RunOptions,
): Promise<(string | undefined)[]> {
  const echo = 'annex() { [ "$1" = __complete ] && command annex "$@" || echo "ran:$*:"; }';
  const input = [start, echo, ...TYPED.map(([keys]) => keys), 'exit\n'].join('\n');
  const { stdout } = await sandbox.exec('script', ['-qec', shell, '/dev/null'], {
    ...options,
    input,
  });
  const shown = stripVTControlCharacters(stdout);
  return [...shown.matchAll(/^\r?ran:(.*):\r?$/gm)].map(([, words]) => words);
}

describe.each(outerNodes)('$label', (node) => {
  test('bash completes commands, options, their values, features and paths', async () => {
    const { sandbox, env } = await open(node);
    const start = 'source <(command annex completion bash)';
    const options = { node: node.path, env };
    expect(await type(sandbox, 'bash --norc --noprofile -i', start, options)).toEqual(WORDS);
    expect(existsSync(join(sandbox.core, 'ran'))).toBe(false);
  });

  test.runIf(findProgram('zsh'))(
    'zsh completes the same with the script as a file in its path of functions',
    async () => {
      const { sandbox, annex, env } = await open(node);
      sandbox.write('home/functions/_annex', (await annex(['completion', 'zsh'])).stdout);
      const start = 'fpath=(~/functions $fpath); autoload -Uz compinit; compinit -u -D';
      expect(await type(sandbox, 'zsh -f -i', start, { node: node.path, env })).toEqual(WORDS);
      expect(existsSync(join(sandbox.core, 'ran'))).toBe(false);
    },
  );

  test.runIf(findProgram('fish'))(
    'fish offers the same with the script in its directory of completions',
    async () => {
      const { sandbox, annex, env } = await open(node);
      const script = (await annex(['completion', 'fish'])).stdout;
      sandbox.write('home/.config/fish/completions/annex.fish', script);
      const loop = 'for line in $argv; complete -C $line | cut -f 1; end';
      const lines = OFFERED.map(([line]) => line);
      expect(
        await sandbox.exec('fish', ['-c', loop, ...lines], { node: node.path, env }),
      ).toMatchObject({
        code: 0,
        stdout: OFFERED.map(([, word]) => `${word}\n`).join(''),
        stderr: '',
      });
      expect(existsSync(join(sandbox.core, 'ran'))).toBe(false);
    },
  );

  test('the script of each shell has every command and option, and the shells here parse it', async () => {
    const { sandbox, annex, env } = await open(node);
    for (const shell of SHELLS) {
      const { code, stdout, stderr } = await annex(['completion', shell], { cwd: 'home' });
      expect({ shell, code, stderr }).toEqual({ shell, code: 0, stderr: '' });
      for (const { name, aliases = [], options = [] } of COMMANDS) {
        for (const word of [name, ...aliases].join(' ').split(' '))
          expect(stdout).toMatch(new RegExp(`\\b${word}\\b`));
        for (const option of [...options, ...GLOBAL]) {
          const spelled = shell === 'fish' ? `-l ${option.name} ` : `--${option.name}`;
          expect({ shell, spelled, isThere: stdout.includes(spelled) }).toEqual({
            shell,
            spelled,
            isThere: option.isHidden !== true,
          });
        }
      }
      if (findProgram(shell) === undefined) continue;
      const path = sandbox.write(`script.${shell}`, stdout);
      const parsed = await sandbox.exec(shell, ['-n', path], { node: node.path, env });
      expect(parsed).toMatchObject({ code: 0, stdout: '', stderr: '' });
    }
  });

  test('the names for a shell are those of features and packages, and nothing else is printed', async () => {
    const { sandbox, annex } = await open(node);
    expect(await annex(['__complete'])).toMatchObject({
      code: 0,
      stdout: 'exa-js\nodd $(touch ran)\ntwo words\nalpha\n@mendable/firecrawl-js\n',
      stderr: '',
    });
    sandbox.write('home/package.json', '{');
    const outside = await annex(['__complete'], { cwd: 'home' });
    expect(outside).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });
});
