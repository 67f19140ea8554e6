/** Shell completion: what a real bash completes, and that the scripts of all shells have the whole table. */
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

const SHELLS = ['bash', 'zsh', 'fish'];

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

describe.each(outerNodes)('$label', (node) => {
  test('bash completes commands, options, their values, features and paths', async () => {
    const { sandbox, env } = await open(node);
    // Keys of a person; the function shows the words that the shell makes of them.
    const typed: [string, string][] = [
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
    const echo = 'annex() { [ "$1" = __complete ] && command annex "$@" || echo "ran:$*:"; }';
    const keys = ['source <(command annex completion bash)', echo, ...typed.map(([line]) => line)];
    const { stdout } = await sandbox.exec(
      'script',
      ['-qec', 'bash --norc --noprofile -i', '/dev/null'],
      { node: node.path, env, input: `${keys.join('\n')}\nexit\n` },
    );
    const shown = stripVTControlCharacters(stdout);
    const ran = [...shown.matchAll(/^\r?ran:(.*):\r?$/gm)].map(([, words]) => words);
    expect(ran).toEqual(typed.map(([, words]) => words));
    expect(existsSync(join(sandbox.core, 'ran'))).toBe(false);
  });

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
