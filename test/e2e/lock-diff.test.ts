/** `annex lock` prints what a new lock changes, and `annex lock --check` what it would change. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { lockBefore, node } from '../support/lock-files.ts';
import type { PackageFixture } from '../support/package.ts';
import type { Sandbox } from '../support/sandbox.ts';

const licensed = (pkg: PackageFixture, license: string, manifest: object = {}): PackageFixture => ({
  ...pkg,
  manifest: { ...pkg.manifest, license, ...manifest },
});
const common = (version: string) => esmPackage('common', version, `common ${version}`);
const kit = (version: string, dependencies: Record<string, string>) =>
  licensed(dependentPackage('kit', version, `kit ${version}`, dependencies), 'MIT');

const openLocked = lockBefore({
  packages: [
    kit('1.0.0', { common: '^1.0.0', alpha: '^1.0.0', gone: '^1.0.0' }),
    common('1.2.0'),
    licensed(esmPackage('alpha', '1.0.0', 'alpha'), 'MIT'),
    licensed(esmPackage('gone', '1.0.0', 'gone'), 'ISC'),
  ],
  annex: {},
  prepare: (sandbox) => ship(sandbox, '^1.0.0', [common('1.2.0')]),
});

function ship(sandbox: Sandbox, range: string, shipped: PackageFixture[]): void {
  const dependencies = Object.fromEntries(shipped.map(({ name }) => [name, '*']));
  sandbox.setCore({ features: { kit: range } }, { dependencies });
  for (const pkg of shipped) sandbox.addPackage(join(sandbox.core, 'node_modules'), pkg);
}

/** A registry with a later kit and what that needs, and a core that declares it. */
async function openLater() {
  const { sandbox, registry } = await openLocked();
  await registry.add(
    kit('1.1.0', { common: '^1.0.0', alpha: '^1.1.0', fresh: '^2.0.0' }),
    licensed(esmPackage('alpha', '1.1.0', 'alpha'), 'Apache-2.0', {
      scripts: { install: 'node x.js' },
    }),
    esmPackage('fresh', '2.0.0', 'fresh'),
  );
  ship(sandbox, '^1.1.0', [common('1.2.0')]);
  return { sandbox, dir: join(sandbox.core, 'annex', 'kit') };
}

describe(node.label, () => {
  test('the summary names versions, counts, scripts and licences; then each package has a line', async () => {
    const { sandbox, dir } = await openLater();
    const { code, stdout } = await sandbox.annex(['lock']);
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      `kit: locked in ${dir} (packages: 3; shared with core: common)`,
      '  kit 1.0.0 -> 1.1.0; 1 added; 1 removed; 1 changed; new install script: alpha; new licence: Apache-2.0',
      '  added fresh 2.0.0 (licence not stated)',
      '  removed gone 1.0.0 (licence ISC)',
      '  changed alpha 1.0.0 -> 1.1.0 (licence MIT -> Apache-2.0, new install script)',
      '  changed kit 1.0.0 -> 1.1.0',
      '',
    ]);
  });

  test('with --json the difference is data', async () => {
    const { sandbox } = await openLater();
    const { stdout } = await sandbox.annex(['lock', '--json']);
    const [{ diff }] = JSON.parse(stdout).results;
    expect(diff).toMatchObject({
      added: [{ name: 'fresh', version: '2.0.0', license: null, isShared: false, host: null }],
      removed: [{ name: 'gone', version: '1.0.0', license: 'ISC' }],
      changed: [
        { name: 'alpha', isDeclared: false, from: { license: 'MIT' }, to: { version: '1.1.0' } },
        { name: 'kit', isDeclared: true, from: { version: '1.0.0' }, to: { version: '1.1.0' } },
      ],
      newScripts: ['alpha'],
      newLicenses: ['Apache-2.0'],
    });
  });

  test('another version of a package of core, and one that is no longer shared, are changes', async () => {
    const { sandbox, registry } = await openLocked();
    await registry.add(common('1.3.0'));
    ship(sandbox, '^1.0.0', [common('1.3.0')]);
    const later = "  changed common core's 1.2.0 -> core's 1.3.0\n";
    const checked = await sandbox.annex(['lock', '--check']);
    expect(checked).toMatchObject({ code: 1, stderr: expect.stringMatching(/^annex: kit: .*\n$/) });
    expect(checked.stdout).toBe(`kit: would change\n  1 changed\n${later}`);
    expect((await sandbox.annex(['lock'])).stdout).toContain(later);

    ship(sandbox, '^1.0.0', []);
    rmSync(join(sandbox.core, 'node_modules', 'common'), { recursive: true });
    const { stdout } = await sandbox.annex(['lock']);
    expect(stdout).toContain(
      "  changed common core's 1.3.0 -> 1.3.0 (no longer shared with core)\n",
    );
    ship(sandbox, '^1.0.0', [common('1.2.0')]);
    expect((await sandbox.annex(['lock', '--check'])).stdout).toContain(
      "  changed common 1.3.0 -> core's 1.2.0 (now shared with core)\n",
    );
  });

  test('a first lock, and one after the package-lock was edited, have no difference', async () => {
    const { sandbox, dir } = await openLater();
    const path = join(dir, 'package-lock.json');
    writeFileSync(path, `${readFileSync(path, 'utf8')}\n`);
    const whole = `kit: locked in ${dir} (packages: 3; shared with core: common)\n`;
    expect((await sandbox.annex(['lock'])).stdout).toBe(whole);
    rmSync(dir, { recursive: true });
    expect((await sandbox.annex(['lock'])).stdout).toBe(whole);
  });
});
