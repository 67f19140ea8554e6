/** `annex sbom`: npm's own report over the versions in use. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { copyLocks, readLock } from '../support/lock-files.ts';
import {
  both,
  common,
  declare,
  list,
  locked,
  run,
  type Spdx,
  sandbox,
  ship,
} from '../support/report-world.ts';
import { findCycloneDxErrors, findSpdxErrors } from '../support/sbom-schema.ts';

const idOf = (text: string) => {
  const { serialNumber, documentNamespace } = JSON.parse(text);
  return serialNumber ?? documentNamespace;
};

describe('annex sbom', () => {
  const KIT = ['pkg:npm/alpha@1.0.0', 'pkg:npm/kit@1.0.0'];
  const OTHER = ['pkg:npm/%40acme/other.js@3.0.0'];

  test.each(['locked', 'installed'])(
    'every package in use and a component for each feature are listed: %s',
    async (how) => {
      declare(both);
      if (how === 'locked') copyLocks(locked, sandbox);
      else expect((await run('install', '--all')).code).toBe(0);
      ship(common('1.7.0'));
      const { code, stderr, document, purls } = await list();
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(purls).toEqual(new Set([...KIT, ...OTHER, 'pkg:npm/common@1.7.0']));
      expect(document.metadata.component).toMatchObject({ name: '@acme/app', version: '1.0.0' });
      const needs = Object.fromEntries(
        document.dependencies.map(({ ref, dependsOn }) => [ref, new Set(dependsOn)]),
      );
      expect(needs).toMatchObject({
        '@acme/app@1.0.0': new Set(['annex-acme-other.js@0.0.0', 'annex-kit@0.0.0']),
        'annex-kit@0.0.0': new Set(['common@1.7.0', 'kit@1.0.0']),
        'kit@1.0.0': new Set(['alpha@1.0.0', 'common@1.7.0']),
      });
      expect((await list('@acme/other.js')).purls).toEqual(new Set(OTHER));
    },
  );

  test('a locked feature and an unlocked one are listed together', async () => {
    declare(both);
    copyLocks(locked, sandbox, 'kit');
    expect((await run('install', '@acme/other.js')).code).toBe(0);
    const { code, purls } = await list('--format', 'cyclonedx');
    expect(code).toBe(0);
    expect(purls).toEqual(new Set([...KIT, ...OTHER, 'pkg:npm/common@1.2.0']));
  });

  test('the spdx format lists the same', async () => {
    copyLocks(locked, sandbox);
    const { code, stdout } = await run('sbom', '--format', 'spdx');
    expect(code).toBe(0);
    expect(stdout).not.toContain(sandbox.root);
    const { spdxVersion, packages: listed } = JSON.parse(stdout) as Spdx;
    expect(spdxVersion).toMatch(/^SPDX-2/);
    const purls = listed.flatMap(({ externalRefs }) =>
      externalRefs.map(({ referenceLocator }) => referenceLocator),
    );
    expect(new Set(purls)).toEqual(
      new Set([...KIT, 'pkg:npm/%40acme/app@1.0.0', 'pkg:npm/common@1.2.0']),
    );
    expect(listed).toContainEqual(expect.objectContaining({ name: 'kit', versionInfo: '1.0.0' }));
  });

  test('a feature, and a core without a name, have no purl: anybody could publish one', async () => {
    copyLocks(locked, sandbox, 'kit');
    sandbox.write('app/package.json', { annex: { features: { kit: '^1.0.0' } } });
    for (const format of ['cyclonedx', 'spdx']) {
      const { code, stdout } = await run('sbom', '--format', format);
      expect(code).toBe(0);
      expect(stdout).toContain('annex-kit');
      expect(stdout).toContain('pkg:npm/kit@1.0.0');
      expect(stdout).not.toMatch(/pkg:npm\/(annex-|core@)/);
    }
  });

  test.each(['1.0', 'latest', '1.0.0\x1b[2J', ''])(
    'an application with the invalid version %j has 0.0.0',
    async (version) => {
      copyLocks(locked, sandbox, 'kit');
      const features = { kit: '^1.0.0' };
      sandbox.write('app/package.json', { name: 'own', version, annex: { features } });
      const { code, stderr, document } = await list();
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(document.metadata.component).toMatchObject({ name: 'own', version: '0.0.0' });
    },
  );

  test.each([
    ['cyclonedx', findCycloneDxErrors],
    ['spdx', findSpdxErrors],
  ] as const)('%s is valid, and two runs give the same bytes', async (format, findErrors) => {
    declare(both);
    copyLocks(locked, sandbox);
    const [one, two] = [
      await run('sbom', '--format', format),
      await run('sbom', '--format', format),
    ];
    expect(findErrors(JSON.parse(one.stdout))).toEqual([]);
    expect(findErrors({})).not.toEqual([]);
    expect(two.stdout).toBe(one.stdout);
    const part = await run('sbom', 'kit', '--format', format);
    expect(findErrors(JSON.parse(part.stdout))).toEqual([]);
    expect(idOf(part.stdout)).not.toBe(idOf(one.stdout));
  });

  test('the time is that of the newest lock, or SOURCE_DATE_EPOCH; the identifier is of the content', async () => {
    declare(both);
    copyLocks(locked, sandbox);
    const times = ['kit', 'acme-other.js'].map((slug) =>
      Date.parse((readLock(sandbox, slug).sidecar.made as { date: string }).date),
    );
    const first = await list();
    expect(Date.parse(first.document.metadata.timestamp)).toBe(Math.max(...times));
    expect(first.document.serialNumber).toMatch(
      /^urn:uuid:[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/,
    );
    const env = { ANNEX_STORE: sandbox.store, SOURCE_DATE_EPOCH: '1750000000' };
    const { stdout } = await sandbox.annex(['sbom', '--format', 'spdx'], { env });
    expect(JSON.parse(stdout).creationInfo.created).toBe('2025-06-15T15:06:40Z');
    expect((await run('install', 'kit')).code).toBe(0);
    rmSync(join(sandbox.core, 'annex'), { recursive: true });
    const unlocked = await list('kit');
    expect(unlocked.document.metadata.timestamp).toBe('1970-01-01T00:00:00Z');
    expect(unlocked.document.serialNumber).not.toBe(first.document.serialNumber);
  });

  test('another format is a usage error', async () => {
    expect(await run('sbom', '--format', 'xml')).toMatchObject({ code: 2, stdout: '' });
  });

  test('without any package it exits with 1 and prints a line', async () => {
    expect(await run('sbom')).toMatchObject({
      code: 1,
      stdout: '',
      stderr:
        'annex: kit is left out: it is neither locked nor installed\nannex: there is nothing to report on (ANNEX_INVALID_CONFIG). Now: npx annex lock FEATURE, or npx annex install FEATURE\n',
    });
  });
});
