/** The command line: usage, working directory, and messages for wrong arguments. */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/table/commands.ts';
import { openCli } from '../support/cli.ts';
import { outerNodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';

const cli = join(repositoryRoot, 'dist', 'cli', 'main.js');
describe.each(outerNodes)('$label', (node) => {
  const open = async () => {
    const world = await openCli(node);
    world.sandbox.setCore({ features: { alpha: '^1.0.0' } });
    return world;
  };

  test('help names every command, on stdout and with exit code 0', async () => {
    const { annex } = await open();
    for (const args of [['help'], ['--help'], ['-h']]) {
      const { code, stdout, stderr } = await annex(args, { cwd: '..' });
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      for (const { name } of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    }
    const { code, stdout, stderr } = await annex(['help', 'lock']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^usage: annex lock \[FEATURE\.\.\.\] \[--check\] \[--online\] \[--min-age DAYS\]\n/,
    );
    for (const args of [
      ['lock', '--help'],
      ['-h', 'lock', '--all'],
    ]) {
      expect(await annex(args)).toMatchObject({ code: 0, stdout, stderr: '' });
    }
  });

  test('help of a code prints its section of docs/errors.md, and where that is', async () => {
    const { annex } = await open();
    const { code, stdout, stderr } = await annex(['help', 'ANNEX_NO_SPACE'], { cwd: '..' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^ANNEX_NO_SPACE\n\nno space is left on its volume\n\n {2}The volume is full,/,
    );
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      ` This is a section of ${join(repositoryRoot, 'docs/errors.md')}.`,
    );
  });

  test('the version is that of package.json', async () => {
    const { annex } = await open();
    const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
    for (const flag of ['--version', '-v']) {
      const result = await annex([flag]);
      expect(result).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
    }
  });

  test('wrong arguments exit with 2 and print the problem and the usage on stderr', async () => {
    const { sandbox, annex } = await open();
    const before = sandbox.digest(sandbox.root);
    const calls: [string[], RegExp][] = [
      [[], /no command is given/],
      [['lsit'], /"lsit" is not a command/],
      [['constructor'], /"constructor" is not a command/],
      [['list', '--verbose'], /list has no option --verbose/],
      [['install', 'alpha', '--from', 'x.js'], /install has no option --from/],
      [['why', 'alpha', '--from'], /--from needs a value: --from FILE/],
      [['env', 'alpha'], /env takes no argument; "alpha" is too many/],
      [['uninstall'], /uninstall needs FEATURE/],
      [['prune', '--days', 'x'], /--days is a number of days from 0 to 36500, not "x"/],
      [['help', 'lsit'], /"lsit" is not a command or a code; did you mean list\?/],
      [['help', 'ANNEX_OFLINE'], /"ANNEX_OFLINE" is not .*; did you mean ANNEX_OFFLINE\?/],
      [['list', '-C', 'absent'], /-C absent: ENOENT: no such file or directory/],
    ];
    for (const [args, message] of calls) {
      const { code, stdout, stderr } = await annex(args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
      expect(stderr).toMatch(message);
      const usage = COMMANDS.some(({ name }) => name === args[0]) ? args[0] : 'COMMAND';
      expect(stderr.split('\n')[1]).toMatch(new RegExp(`^usage: annex ${usage}\\b`));
    }
    const { 'npm-cache-own': _, ...after } = sandbox.digest(sandbox.root);
    expect(after).toEqual(before);
  });

  test('the application is the nearest one above the working directory', async () => {
    const { sandbox, annex } = await open();
    sandbox.write('app/src/deep/package.json', { type: 'commonjs' });
    const { code, stdout } = await annex(['list', '--json'], { cwd: 'app/src/deep' });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).features).toMatchObject([{ feature: 'alpha', where: 'missing' }]);
  });

  test('outside of any application every command reports that in one line, with a hint', async () => {
    const { sandbox, annex } = await open();
    for (const args of [
      ['list'],
      ['install', '--all'],
      ['prune'],
      ['uninstall', 'alpha'],
      ['why', 'alpha'],
      ['env'],
    ]) {
      const { code, stdout, stderr } = await annex(args, { cwd: 'home' });
      expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' });
      expect(stderr).toMatch(
        /^annex: no package\.json .*\(ANNEX_INVALID_CONFIG\)\. Now: .*ANNEX_CORE to the directory of the application\n$/,
      );
    }
    const named = await annex(['list'], { cwd: 'home', env: { ANNEX_CORE: sandbox.core } });
    expect(named).toMatchObject({ code: 0, stderr: '' });
    expect(named.stdout).toMatch(/^alpha +alpha +\^1\.0\.0 +- +- +missing/m);
  });

  test('the application that contains annex is used only if it is named', async () => {
    const { sandbox, annex } = await openCli(node, { copyAnnex: true });
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    const before = sandbox.digest(sandbox.core);
    for (const args of [
      ['list'],
      ['prune'],
      ['lock'],
      ['install', '--all'],
      ['uninstall', 'alpha'],
      ['refresh'],
      ['bake', join(sandbox.root, 'baked')],
    ]) {
      const { stdout, stderr } = await annex(args, { cwd: 'home' });
      expect({ args, stderr }).toEqual({
        args,
        stderr: expect.stringMatching(/^annex: no package\.json declares features, as seen from/),
      });
      expect(stdout).not.toMatch(/alpha/);
    }
    expect(sandbox.digest(sandbox.core)).toEqual(before);
    const named = await annex(['list'], { cwd: 'home', env: { ANNEX_CORE: sandbox.core } });
    expect(named.stdout).toMatch(/^alpha /m);
  });

  test('a package.json that does not parse is named in one line', async () => {
    const { sandbox, annex } = await open();
    sandbox.write('app/package.json', '{ "annex": { "features": {} ');
    const { code, stderr } = await annex(['list']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^annex: .*app\/package\.json does not parse.*\(ANNEX_INVALID_CONFIG\).*\n$/,
    );
  });

  test('the command line also reports mistakes in the declaration and the settings', async () => {
    const { sandbox, annex } = await open();
    sandbox.setCore({ feature: {}, features: { alpha: '^1.0.0' } });
    const { code, stderr } = await annex(['list'], { env: { ANNEX_SEALED: 'maybe' } });
    expect(code).toBe(0);
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(stderr).toMatch(/annex\.feature .*\(ANNEX_INVALID_CONFIG\)/);
    expect(stderr).toMatch(/ANNEX_SEALED is "maybe".*\(ANNEX_INVALID_CONFIG\)/);
  });

  test('the preload in NODE_OPTIONS does not affect the command line', async () => {
    const { sandbox, annex } = await open();
    sandbox.setCore({ feature: {}, features: { alpha: '^1.0.0' } });
    const plain = await annex(['list']);
    const preloaded = await annex(['list'], {
      env: { NODE_OPTIONS: `--import=${sandbox.loader}` },
    });
    expect(preloaded).toMatchObject({ code: 0, stdout: plain.stdout, stderr: plain.stderr });
  });

  test('it runs through the link in node_modules/.bin', async () => {
    const { sandbox } = await open();
    mkdirSync(join(sandbox.core, 'node_modules', '.bin'));
    const bin = join(sandbox.core, 'node_modules', '.bin', 'annex');
    symlinkSync('../annex/dist/cli/main.js', bin);
    const linked = await sandbox.run([bin, 'list', '--json'], { node: node.path });
    expect(linked).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(linked.stdout).features).toHaveLength(1);
    expect(readFileSync(bin, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test('a reader that closes the output early causes no crash', async () => {
    const { sandbox } = await open();
    const features = Object.fromEntries(
      Array.from({ length: 2_000 }, (_, at) => [`p${at}`, '^1.0.0']),
    );
    sandbox.setCore({ features });
    const pipe = (rest: string) =>
      sandbox.exec('sh', ['-c', `"${node.path}" "${cli}" list ${rest}`], { node: node.path });
    const early = await pipe('| head -1');
    expect(early).toMatchObject({ code: 0, stderr: '' });
    expect(early.stdout).toMatch(/^feature +package/);
    expect(await pipe('--json | true')).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });
});
