/** The output of `annex why`: the verdict, the rule, the hint. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openCli } from '../support/cli.ts';
import { conditionsPackage, esmPackage } from '../support/fixtures.ts';
import { outerNodes } from '../support/nodes.ts';

const range = '^1.0.0';

/** A text without its line breaks and indents. */
const unfold = (text: string): string => text.replace(/\s+/g, ' ');

/** A line as it is broken: before its last word that is too long, a path. */
const foldLine = (line: string, indent = '  '): string[] => {
  if (line.length <= 78) return [line];
  const end = line.lastIndexOf(' ', 78);
  return [line.slice(0, end), indent + line.slice(end + 1)];
};

describe.each(outerNodes)('$label', (node) => {
  test('rule 9: it installs nothing, and says what does', async () => {
    const { sandbox, annex } = await openCli(node);
    sandbox.setCore({ features: { 'search.all': { packages: { absent: range } } } });
    const { code, stdout, stderr } = await annex(['why', 'absent/sub']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toEqual([
      'NOT FOUND because it is not installed yet; an import installs it',
      ...foldLine(`import of absent/sub from ${sandbox.core}/index.js (the core)`),
      'declared: ^1.0.0 in feature search.all, not locked',
      '',
      'rule 9: not installed: an import installs it',
      '  Node without annex: ERR_MODULE_NOT_FOUND',
      "  core's copy, as seen from the importing file: none",
      '  valid entry in the stores: none',
      '  an install may start: yes',
      ...foldLine(
        `  error: Cannot find package 'absent' imported from ${sandbox.core}/index.js`,
        '    ',
      ),
      '',
      'copies: none',
      '',
      'Now: import it, or npx annex install search.all',
    ]);
    expect(existsSync(sandbox.store)).toBe(false);
  });

  test('rule 8: it says why no install may start, and who can change that', async () => {
    const { sandbox, annex } = await openCli(node);
    sandbox.setCore({ features: { absent: range, tagged: 'next' } });
    const denied = await annex(['why', 'absent'], { env: { ANNEX_ALLOW_INSTALLS: 'no' } });
    expect(denied.code).toBe(1);
    expect(denied.stdout).toMatch(
      /^NOT FOUND because installs are switched off by ANNEX_ALLOW_INSTALLS$/m,
    );
    expect(denied.stdout).toMatch(/^ {2}an install may start: no, installs are switched off by/m);
    expect(denied.stdout).toMatch(/\n\nNow: .*unset .* \(ANNEX_DENIED\)\n$/);
    sandbox.addPackage('app/node_modules', esmPackage('prober', '1.0.0', 'core'));
    const from = 'node_modules/prober/index.js';
    const probing = await annex(['why', 'absent', '--from', from, '--json']);
    expect(JSON.parse(probing.stdout)).toMatchObject({
      from: `${sandbox.core}/${from}`,
      rule: 8,
      zone: 'a package that core ships',
      refusal: { code: 'ANNEX_DENIED', hint: expect.stringContaining('annex.importers') },
    });
    const tagged = await annex(['why', 'tagged', '--json']);
    expect(JSON.parse(tagged.stdout)).toMatchObject({
      rule: 8,
      refusal: {
        code: 'ANNEX_INVALID_CONFIG',
        reason: expect.stringContaining('"next" for tagged, which is a tag'),
      },
    });
  });

  test('the importing file may be a URL, and conditions in NODE_OPTIONS count', async () => {
    const { sandbox, annex } = await openCli(node);
    sandbox.setCore({ features: { alpha: range } });
    sandbox.plantEntry({
      feature: 'alpha',
      packages: [conditionsPackage('alpha', '1.0.0', 'planted')],
      specs: { alpha: range },
    });
    const from = pathToFileURL(sandbox.write('app/src/x.js', '')).href;
    const { stdout } = await annex(['why', 'alpha', '--json', '--from', `${from}?x=1`], {
      env: { NODE_OPTIONS: `--import=${sandbox.loader} --conditions=custom` },
    });
    expect(JSON.parse(stdout)).toMatchObject({
      from: join(sandbox.core, 'src', 'x.js'),
      rule: 7,
      file: expect.stringMatching(/\/alpha\/custom\.mjs$/),
    });
    const plain = await annex(['why', 'alpha', '--json', '--require']);
    expect(JSON.parse(plain.stdout).file).not.toContain('custom');
  });

  test('an importing file that is absent, or a directory, is wrong usage', async () => {
    const { sandbox, annex } = await openCli(node);
    sandbox.setCore({ features: { alpha: range } });
    const absent = await annex(['why', 'alpha', '--from', 'src/x.js', '--json']);
    expect(absent).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^annex: --from src\/x\.js: ENOENT: no such file or directory\n/,
      ),
    });
    expect(JSON.parse(absent.stdout).error).toMatchObject({ code: 'ANNEX_USAGE' });
    const directory = await annex(['why', 'alpha', '--from', 'node_modules']);
    expect(directory).toMatchObject({ code: 2, stdout: '' });
    expect(directory.stderr).toMatch(/^annex: --from node_modules: it is a directory/);
  });

  test('rule 5: it names the copy of core that owns the name', async () => {
    const { sandbox, annex, plant } = await openCli(node);
    sandbox.setCore({ features: { alpha: range } });
    plant('alpha', '1.0.0');
    const broken = sandbox.write('app/node_modules/alpha/package.json', '{ "main": "./gone.js" }');
    for (const kind of [[], ['--require']]) {
      const { code, stdout } = await annex(['why', 'alpha', ...kind]);
      expect(code).toBe(1);
      expect(stdout).toContain(
        '\nrule 5: core owns the name: its error is final, no other copy is used\n',
      );
      expect(unfold(stdout)).toContain(
        ` core's copy, as seen from the importing file: ${join(broken, '..')} `,
      );
      expect(stdout).toMatch(/^NOT FOUND because core owns the name, /);
    }
  });
});
