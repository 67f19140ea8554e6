/** The output of `annex why`: the rule, skipped entries, the hint. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openCli } from '../support/cli.ts';
import { conditionsPackage, esmPackage } from '../support/fixtures.ts';
import { outerNodes } from '../support/nodes.ts';

const range = '^1.0.0';

describe.each(outerNodes)('$label', (node) => {
  test('rule 9: it installs nothing, and says what does', async () => {
    const { sandbox, annex } = await openCli(node);
    sandbox.setCore({ features: { 'search.all': { packages: { absent: range } } } });
    const { code, stdout, stderr } = await annex(['why', 'absent/sub']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toEqual([
      `import of absent/sub from ${sandbox.core}/index.js (the core)`,
      'declared: ^1.0.0 in feature search.all',
      'rule 9: not installed: an import installs it',
      '  Node without annex: ERR_MODULE_NOT_FOUND',
      "  core's copy, as seen from the importing file: none",
      '  valid entry in the stores: none',
      '  an install may start: yes',
      `no file: Cannot find package 'absent' imported from ${sandbox.core}/index.js`,
      'Now: import it, or annex install search.all',
    ]);
    expect(existsSync(sandbox.store)).toBe(false);
  });

  test('rule 8: it says why no install may start, and who can change that', async () => {
    const { sandbox, annex } = await openCli(node);
    sandbox.setCore({ features: { absent: range, tagged: 'next' } });
    const denied = await annex(['why', 'absent'], { env: { ANNEX_ALLOW_INSTALLS: 'no' } });
    expect(denied.code).toBe(1);
    expect(denied.stdout).toMatch(
      /^ {2}an install may start: no, installs are switched off by ANNEX_ALLOW_INSTALLS$/m,
    );
    expect(denied.stdout).toMatch(
      /^annex: absent unavailable \(ANNEX_DENIED\): .*\. Now: unset .*$/m,
    );
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

  test('rule 7: it names the entry, and skipped entries with the reason', async () => {
    const { sandbox, annex, plant } = await openCli(node);
    sandbox.setCore({ features: { alpha: '^1.5.0' } });
    const late = plant('alpha', '2.0.0');
    const good = plant('alpha', '1.7.0');
    const torn = plant('alpha', '1.6.0', { manifest: { format: 3 } });
    const { code, stdout } = await annex(['why', 'alpha']);
    expect(code).toBe(0);
    expect(stdout).toContain(`\nrule 7: the stores hold a valid entry: it answers\n`);
    expect(stdout).toContain(`\n  valid entry in the stores: ${good}\n`);
    expect(stdout).toContain(`\n  passed over: ${late}: it holds alpha 2.0.0, not ^1.5.0\n`);
    expect(stdout).not.toContain(torn);
    expect(stdout.trimEnd()).toMatch(new RegExp(`\nfile: ${good}/node_modules/alpha/index\\.js$`));
  });

  test('the importing file may be a URL, and conditions in NODE_OPTIONS count', async () => {
    const { sandbox, annex } = await openCli(node);
    sandbox.setCore({ features: { alpha: range } });
    sandbox.plantEntry({
      feature: 'alpha',
      packages: [conditionsPackage('alpha', '1.0.0', 'planted')],
      specs: { alpha: range },
    });
    const from = pathToFileURL(join(sandbox.core, 'src', 'x.js')).href;
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
      expect(stdout).toContain(
        `\n  core's copy, as seen from the importing file: ${join(broken, '..')}\n`,
      );
    }
  });
});
