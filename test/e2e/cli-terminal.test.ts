/** What commands show on a terminal: colours, the width of its lines, the application in use. */
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/table/commands.ts';
import { openCli } from '../support/cli.ts';
import { type NodeUnderTest, outerNodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';

const cli = join(repositoryRoot, 'dist', 'cli', 'main.js');

async function open(node: NodeUnderTest) {
  const world = await openCli(node);
  const { sandbox, plant } = world;
  const features = {
    stored: '^1.0.0',
    tagged: 'latest',
    'search.firecrawl': { packages: { '@mendable/firecrawl-js': '^4.3.0', zod: '^4.0.0' } },
  };
  sandbox.setCore({ features });
  plant('stored', '1.0.0');
  /** Runs a command on a terminal, and returns its lines. */
  const show = async (columns: number, command: string, env: Record<string, string> = {}) => {
    const line = `stty cols ${columns}; exec "${node.path}" "${cli}" ${command}`;
    const { stdout } = await sandbox.exec('script', ['-qec', line, '/dev/null'], {
      node: node.path,
      env: { ANNEX_STORE: sandbox.store, TERM: 'xterm', ...env },
    });
    return stdout.trimEnd().split('\r\n');
  };
  return { ...world, show };
}

const strip = (lines: string[]): string[] => lines.map(stripVTControlCharacters);

describe.each(outerNodes)('$label', (node) => {
  test('a list fits the terminal, with the reasons below the table', async () => {
    const { sandbox, show } = await open(node);
    for (const columns of [60, 80, 120]) {
      const lines = strip(await show(columns, 'list'));
      const [place, ...rest] = lines;
      expect(place).toBe(`application ${sandbox.core}, store ${sandbox.store}`);
      expect(rest.filter((line) => line.length > columns)).toEqual([]);
      if (columns === 60) expect(rest.join('\n')).toMatch(/^feature +stored\nrange +\^1\.0\.0\n/m);
      else expect(rest[0]).toMatch(/^feature +range +locked +installed +where +size +age$/);
      expect(rest.join(' ')).toMatch(/ tagged: .*"latest".*\(ANNEX_INVALID_CONFIG\) .* 1 failed$/);
    }
  });

  test('states and headings are coloured on a terminal alone, unless a variable says otherwise', async () => {
    const { show, annex } = await open(node);
    const shown = (await show(100, 'list')).join('\n');
    expect(shown).toContain('\u001b[1mfeature\u001b[22m');
    expect(shown).toContain('\u001b[32mstore\u001b[39m');
    expect(shown).toContain('\u001b[33mmissing\u001b[39m');
    expect(shown).toContain('\u001b[31mdenied\u001b[39m');
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }, { FORCE_COLOR: '0' }]) {
      const plain = await show(100, 'list', env);
      expect(plain).toEqual(strip(shown.split('\n')));
    }
    const piped = await annex(['list']);
    expect(piped.stdout).toBe(stripVTControlCharacters(piped.stdout));
    expect(piped.stderr).toBe('');
    const forced = await annex(['list'], { env: { FORCE_COLOR: '1' } });
    expect(forced.stdout).toContain('\u001b[1mfeature\u001b[22m');
    expect(stripVTControlCharacters(forced.stdout)).toBe(piped.stdout);
  });

  test('every help fits the terminal', async () => {
    const { show } = await open(node);
    for (const columns of [60, 120]) {
      for (const command of ['help', ...COMMANDS.map(({ name }) => `help ${name}`)]) {
        const lines = strip(await show(columns, command));
        const long = lines.filter(
          (line) => line.length > columns && !/^(usage:| {2}annex )/.test(line),
        );
        expect({ command, long }).toEqual({ command, long: [] });
      }
    }
  });

  test('JSON has no colours on a terminal either', async () => {
    const { show } = await open(node);
    for (const command of ['list', 'help', 'verify', 'doctor']) {
      const json = (await show(80, `${command} --json`)).at(-1) ?? '';
      expect(JSON.parse(json)).toMatchObject({ version: 1, command });
      expect(json).not.toContain('\\u001b');
    }
  });
});
