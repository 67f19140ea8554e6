/** `annex lock --check` reports what no longer agrees with a lock, from the disk alone. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { lockBefore, node, readLock } from '../support/lock-files.ts';
import type { PackageFixture } from '../support/package.ts';
import type { Sandbox } from '../support/sandbox.ts';

const common = (version: string) => esmPackage('common', version, `common ${version}`);
const alpha = (version: string) => esmPackage('alpha', version, `alpha ${version}`);
const features = {
  kit: { packages: { kit: '^1.0.0' }, scripts: ['native'] },
  other: { packages: { other: '^3.0.0' } },
};
const platforms = ['linux-x64-glibc', 'darwin-arm64'];

const openLocked = lockBefore({
  packages: [
    dependentPackage('kit', '1.0.0', 'kit', { common: '^1.0.0', alpha: '^1.0.0' }),
    common('1.2.0'),
    alpha('1.0.0'),
    esmPackage('other', '3.0.0', 'other'),
  ],
  annex: {},
  prepare: (sandbox) => ship(sandbox, {}, [common('1.2.0')]),
});

/** A core that declares these features and ships these packages. */
function ship(sandbox: Sandbox, annex: object, shipped: PackageFixture[], extra = {}): void {
  const dependencies = Object.fromEntries(shipped.map(({ name }) => [name, '*']));
  sandbox.setCore({ features, platforms, ...annex }, { dependencies, ...extra });
  for (const pkg of shipped) sandbox.addPackage(join(sandbox.core, 'node_modules'), pkg);
}

/** A core with the locks, and the report of `--check`. */
async function open(annex: object = {}, shipped = [common('1.2.0')]) {
  const prepare = (made: Sandbox) => ship(made, annex, shipped);
  const { sandbox, registry } = await openLocked({ prepare });
  // No test needs it.
  await registry.stop();
  const check = async (...args: string[]) => {
    const { code, stdout, stderr } = await sandbox.annex(['lock', '--check', ...args], {
      env: { PATH: '/nowhere' },
    });
    expect(code).toBe(stderr === '' ? 0 : 1);
    return stderr === '' ? stdout : stderr;
  };
  const at = (path: string) => join(sandbox.core, 'annex', path);
  const edit = (path: string, change: (text: string) => string) =>
    writeFileSync(at(path), change(readFileSync(at(path), 'utf8')));
  return { sandbox, check, at, edit };
}

const WHOLE = 'kit: locked\nother: locked\n';

describe(node.label, () => {
  test('a lock that agrees passes, without npm and without a registry', async () => {
    const { sandbox, check } = await open();
    const before = sandbox.digest(sandbox.core);
    expect(await check()).toBe(WHOLE);
    expect(JSON.parse(await check('--json'))).toMatchObject({ differences: [] });
    expect(sandbox.digest(sandbox.core)).toEqual(before);
  });

  test('devDependencies make no difference: a laptop and an image agree', async () => {
    const { sandbox, check } = await open();
    const dev = { devDependencies: { other: '*', alpha: '*' }, dependencies: { common: '*' } };
    ship(sandbox, {}, [common('1.2.0'), alpha('1.0.0'), esmPackage('other', '9.0.0', 'dev')], dev);
    const { code, stdout } = await sandbox.annex(['lock', '--check']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: WHOLE });
    for (const name of ['other', 'alpha']) {
      rmSync(join(sandbox.core, 'node_modules', name), { recursive: true });
    }
    expect(await check()).toBe(WHOLE);
  });

  test.each([
    [
      'a feature that is not locked',
      { features: { ...features, alpha: '^1.0.0' } },
      'alpha: is not locked. Now: npx annex lock alpha\n',
    ],
    [
      'another range',
      { features: { ...features, other: '^3.0.1' } },
      /^annex: other: \S+annex\.json locks other for \^3\.0\.0, and \^3\.0\.1 is declared\. Now: npx annex lock other\n$/,
    ],
    [
      'another package',
      { features: { ...features, other: { packages: { other: '^3.0.0', more: '1' } } } },
      /^annex: other: \S+annex\.json locks more for nothing, and 1 is declared\. Now: npx annex lock other\n$/,
    ],
    [
      'other scripts',
      { features: { ...features, kit: { packages: { kit: '^1.0.0' } } } },
      /^annex: kit: \S+annex\.json locks scripts of native, and none are declared\. Now: npx annex lock kit\n$/,
    ],
    [
      'other platforms',
      { platforms: ['linux-x64-glibc'] },
      /^annex: kit: is locked for darwin-arm64, linux-x64-glibc, and linux-x64-glibc is declared\. Now: npx annex lock kit\nannex: other: /,
    ],
    [
      'a lock of a feature that is no longer declared',
      { features: { kit: features.kit } },
      /^annex: \S+annex\/other locks a feature that is not declared\. Now: npx annex lock\n$/,
    ],
    [
      'a key that is wrong',
      { features: { ...features, other: 'latest' } },
      /^(annex: [^\n]+\n)?annex: other: annex\.features\["other"\] in .* Now: correct that key of package\.json, then npx annex lock other\n$/,
    ],
  ] as const)('%s is named', async (_, annex, said) => {
    const { check } = await open(annex);
    const text = await check();
    if (typeof said === 'string') expect(text).toBe(`annex: ${said}`);
    else expect(text).toMatch(said);
  });

  test.each([
    [
      'another version of a shared package',
      [common('1.3.0')],
      "kit: common is core's 1.2.0 in the lock, and would now be core's 1.3.0",
    ],
    [
      'a version of a shared package that does not fit',
      [common('2.0.0')],
      'kit: kit 1.0.0 wants common ^1.0.0, and core ships 2.0.0',
    ],
    [
      'no shared package any more',
      [],
      "kit: common is core's 1.2.0 in the lock, and would now be private",
    ],
    [
      'a package that is private in the feature',
      [common('1.2.0'), alpha('1.0.0')],
      "kit: alpha is private in the lock, and would now be core's 1.0.0",
    ],
    [
      'a package that does not fit the feature',
      [common('1.2.0'), alpha('2.0.0')],
      'kit: kit 1.0.0 wants alpha ^1.0.0, and core ships 2.0.0',
    ],
    [
      'the feature itself outside its range',
      [common('1.2.0'), esmPackage('other', '2.0.0', 'old')],
      'other: the feature wants other ^3.0.0, and core ships 2.0.0',
    ],
    [
      'the feature itself within its range',
      [common('1.2.0'), esmPackage('other', '3.3.0', 'new')],
      "other: other is private in the lock, and would now be core's 3.3.0",
    ],
  ])('a core that ships %s is reported', async (_, shipped, said) => {
    const { check } = await open({}, shipped);
    const [name] = said.split(':');
    const isConflict = said.includes('wants');
    const remedy = isConflict ? "bring core's copy to a version that fits, or run " : '';
    expect(await check()).toBe(`annex: ${said}. Now: ${remedy}npx annex lock ${name}\n`);
  });

  test('a file or directory of the application named annex is not a lock', async () => {
    const { sandbox, check, at } = await open();
    rmSync(at(''), { recursive: true });
    mkdirSync(at('lib'), { recursive: true });
    const nothing = ['kit', 'other']
      .map((name) => `annex: ${name}: is not locked. Now: npx annex lock ${name}\n`)
      .join('');
    expect(await check()).toBe(nothing);
    rmSync(at(''), { recursive: true });
    sandbox.write('app/annex', 'text');
    expect(await check()).toBe(nothing);
    const { code, stderr } = await sandbox.run(
      [
        '--import',
        sandbox.loader,
        '-e',
        'import("kit").catch((e) => process.exit(e.code === "ERR_MODULE_NOT_FOUND" ? 0 : 1))',
      ],
      { env: { ANNEX_ALLOW_INSTALLS: '0' } },
    );
    // The one line is the denial: no lock is read or reported as missing.
    const stderrOfDenial = expect.stringMatching(/^annex: kit unavailable \(ANNEX_DENIED\).*\n$/);
    expect({ code, stderr }).toEqual({ code: 0, stderr: stderrOfDenial });
  });

  test.each(['', '-1', 'abc', '1e3', 'Infinity', '99999'])(
    'an age of %j days is invalid',
    async (days) => {
      const { sandbox } = await open();
      const { code, stderr } = await sandbox.annex(['lock', `--min-age=${days}`]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/--min-age (?:is a number of days|needs a value)/);
    },
  );

  test('--check writes nothing and accepts no age', async () => {
    const { sandbox } = await open();
    const { texts } = readLock(sandbox, 'kit');
    const { code, stderr } = await sandbox.annex(['lock', '--check', '--min-age', '1']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--min-age and --check exclude each other/);
    expect(readLock(sandbox, 'kit').texts).toEqual(texts);
  });
});
