/** `annex doctor` finds why nothing is installed: settings, locks, npm, registries and remembered failures. */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shareBinary } from '../support/binary.ts';
import { makeCertificate } from '../support/certificate.ts';
import { diagnose, expectFinding } from '../support/doctor.ts';
import { esmPackage } from '../support/fixtures.ts';
import { lock, lockBefore, node } from '../support/lock-files.ts';
import { startRegistry } from '../support/registry.ts';
import { openWorld } from '../support/world.ts';

const packages = [esmPackage('kit', '1.0.0', 'kit')];
const features = { kit: '^1.0.0' };
const open = lockBefore({ packages, annex: { features } });

describe.concurrent(`settings, ${node.label}`, () => {
  test.each([
    [
      'the operator’s file is missing',
      { ANNEX_CONFIG: '/absent.json' },
      /the operator's file \/absent\.json does not exist.* Now: correct the file, or unset/,
    ],
    [
      'the operator’s file is a directory',
      { ANNEX_CONFIG: '/etc' },
      /the operator's file \/etc cannot be read/,
    ],
    ['the path of the operator’s file is empty', { ANNEX_CONFIG: '' }, /the operator's file ""/],
    [
      'installs are switched off',
      { ANNEX_ALLOW_INSTALLS: 'false' },
      /switched off by ANNEX_ALLOW_INSTALLS\. Now: unset ANNEX_ALLOW_INSTALLS$/,
    ],
    [
      'a switch has another value',
      { ANNEX_ALLOW_INSTALLS: 'maybe' },
      /switched off by ANNEX_ALLOW_INSTALLS/,
    ],
    [
      'a switch is misspelled',
      { ANNEX_ALLOW_INSTALL: '1' },
      /switched off by ANNEX_ALLOW_INSTALL, which this version does not know\./,
    ],
    [
      'there is no store',
      { ANNEX_SEALED: 'true', ANNEX_STORE: '' },
      /sealed and there is no store\. Now: set ANNEX_STORE/,
    ],
    [
      'there is no HOME',
      { ANNEX_STORE: undefined, HOME: undefined },
      /no cache directory is known, and ANNEX_STORE is not set/,
    ],
  ])('%s', async (_, env, text) => {
    const { sandbox } = await open();
    const diagnosis = await diagnose(sandbox, { env: env as Record<string, string> });
    expectFinding(diagnosis, 'installs.allowed', text);
    expect(diagnosis.of('installs.allowed')[0]).toMatch(/^problem/);
    expect(diagnosis.of('features.import')).toEqual(['warning kit: denied, for the reason above']);
  });

  test('a misspelled variable that does nothing is a warning', async () => {
    const { sandbox } = await open();
    const env = { ANNEX_STROE: '/data', ANNEX_LOG: 'loud' };
    expect((await diagnose(sandbox, { env })).of('settings.invalid')).toEqual([
      expect.stringMatching(/^warning ANNEX_LOG is "loud"/),
      expect.stringMatching(/^warning ANNEX_STROE is not known .* Now: rename it to ANNEX_STORE/),
    ]);
  });

  test('ANNEX_CORE that names another directory', async () => {
    const { sandbox } = await open();
    const env = { ANNEX_CORE: '/opt/gone' };
    expectFinding(
      await diagnose(sandbox, { env }),
      'application.root',
      /^problem \/opt\/gone\/package\.json cannot be read: ENOENT\. Now: correct that file, or ANNEX_CORE$/,
    );
  });

  test('installs that are off do no harm once every feature is installed', async () => {
    const { sandbox } = await open();
    const env = { ANNEX_STORE: sandbox.store };
    expect(await sandbox.annex(['install', '--all'], { env })).toMatchObject({ code: 0 });
    const diagnosis = await diagnose(sandbox, { env: { ANNEX_ALLOW_INSTALLS: '0' } });
    expect(diagnosis.code).toBe(0);
    expectFinding(diagnosis, 'installs.allowed', /^ok denied, and every feature is available: /);
  });

  test('a feature that is invalid, and one that is blocked', async () => {
    const { sandbox } = await open({
      annex: { features: { ...features, bad: 'latest' }, blocked: ['kit'] },
    });
    const diagnosis = await diagnose(sandbox);
    expect(diagnosis.of('application.features')).toEqual([
      'ok declares 1 feature',
      expect.stringMatching(/^problem annex\.features\["bad"\] in .* has "latest" for bad/),
    ]);
    expectFinding(
      diagnosis,
      'features.import',
      /^warning kit: denied.*|^problem kit: kit 1\.0\.0 is blocked/,
    );
  });
});

describe.concurrent(`locks, ${node.label}`, () => {
  test('a feature that is not locked, and the lock of another one', async () => {
    const { sandbox } = await open({ annex: { features: { other: '^1.0.0' } } });
    const diagnosis = await diagnose(sandbox);
    expectFinding(
      diagnosis,
      'locks.missing',
      /^warning not locked, .*: other\. Now: npx annex lock$/,
    );
    const sealed = await diagnose(sandbox, { env: { ANNEX_SEALED: '1' } });
    expectFinding(sealed, 'locks.missing', /\. Now: in the source of the image: npx annex lock$/);
    expectFinding(
      diagnosis,
      'locks.leftover',
      /^warning \S+kit locks a feature that is not declared/,
    );
  });

  test('a lock that does not match the declaration', async () => {
    const { sandbox } = await open({ annex: { features: { kit: '^2.0.0' } } });
    const diagnosis = await diagnose(sandbox);
    expectFinding(
      diagnosis,
      'locks.fresh',
      /^problem kit: \S+ locks kit for \^1\.0\.0, and .* Now: npx annex lock kit$/,
    );
    expect(diagnosis.of('features.import')).toEqual(['warning kit: denied, for the reason above']);
  });

  test('a package-lock that was edited', async () => {
    const { sandbox } = await open();
    const path = join(sandbox.core, 'annex/kit/package-lock.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('1.0.0', '1.0.1'));
    expectFinding(await diagnose(sandbox), 'locks.fresh', /^problem kit: .* its digest differs/);
  });

  test('a platform that the lock does not cover', async () => {
    const image = { optionalDependencies: { '@image/there': '1.0.0' } };
    const there = { os: ['freebsd'], cpu: ['arm64'] };
    const { sandbox } = await openWorld({
      packages: [
        esmPackage('image', '1.0.0', 'image', image),
        esmPackage('@image/there', '1.0.0', '', there),
      ],
      annex: { features: { image: '^1.0.0' }, platforms: ['freebsd-arm64'] },
      node: node.path,
    });
    await lock(sandbox);
    const diagnosis = await diagnose(sandbox);
    expectFinding(
      diagnosis,
      'locks.platform',
      /^problem image: is locked for freebsd-arm64, and this is \S+\. Now: add/,
    );
    expect(diagnosis.code).toBe(1);
  });
});

describe.concurrent(`npm and registries, ${node.label}`, () => {
  test('no npm, where an install without a lock needs it', async () => {
    const { sandbox } = await openWorld({ packages, annex: { features }, node: node.path });
    const alone = shareBinary(node.path, join(sandbox.root, 'nodes'));
    const env = { PATH: dirname(alone) };
    const text = /^problem npm is not in PATH, and installs of kit need it\. Now: ship npm/;
    expectFinding(await diagnose(sandbox, { node: alone, env }), 'npm.program', text);
    expectFinding(await diagnose(sandbox), 'npm.program', /^ok \S+npm$/);
  });

  test('a variable of an .npmrc that is not set', async () => {
    const { sandbox, registry } = await open();
    const { host } = new URL(registry.url);
    sandbox.write('app/.npmrc', `//${host}/:_authToken=\${TOKEN}\n`);
    const diagnosis = await diagnose(sandbox);
    expectFinding(
      diagnosis,
      'npm.variables',
      /^warning \S+\.npmrc refers to TOKEN, which is not set\. Now: set TOKEN$/,
    );
  });

  test('a cafile that does not exist is a warning, and one that exists is none', async () => {
    const { sandbox } = await open();
    const file = join(sandbox.root, 'ca.pem');
    sandbox.write('app/.npmrc', `cafile=${file}\n`);
    const env = { npm_config_cafile: '/absent/ca.pem' };
    expect((await diagnose(sandbox, { env })).of('npm.cafile')).toEqual(
      ['/absent/ca.pem', file].map(
        (path) =>
          `warning npm's setting cafile names ${path}, which does not exist: npm and annex ignore it. Now: mount that file, or correct npm_config_cafile or cafile in an .npmrc`,
      ),
    );
    sandbox.write('ca.pem', '');
    expect((await diagnose(sandbox)).of('npm.cafile')).toEqual([]);
  });

  test('a registry is asked with --online alone', async () => {
    const { sandbox, registry } = await open();
    registry.requests.length = 0;
    expect((await diagnose(sandbox)).of('npm.registry')).toEqual([]);
    expect(registry.requests).toEqual([]);
    expectFinding(await diagnose(sandbox, {}, '--online'), 'npm.registry', /^ok \S+ has kit$/);
    expect(registry.requests).toHaveLength(1);
  });

  test('a registry in whose place a page answers', async () => {
    const { sandbox, registry } = await open();
    registry.fault({ kind: 'page', body: '<html>sign in</html>' });
    expectFinding(
      await diagnose(sandbox, {}, '--online'),
      'npm.registry',
      /^problem .* does not answer with a JSON object .* Now: find out what answers there/,
    );
  });

  test('a registry that does not answer, and one that turns the token down', async () => {
    const { sandbox, registry } = await open();
    registry.fault({ kind: 'status', status: 401 });
    expectFinding(
      await diagnose(sandbox, {}, '--online'),
      'npm.registry',
      /^problem .*401.* Now: /,
    );
    await registry.stop();
    expectFinding(
      await diagnose(sandbox, {}, '--online'),
      'npm.registry',
      /^problem .* (refused|cannot be reached)/,
    );
  });

  test('a registry whose certificate is not trusted', async () => {
    const { sandbox } = await open();
    const registry = await startRegistry(packages, { tls: makeCertificate() });
    const env = { npm_config_registry: registry.url };
    expectFinding(
      await diagnose(sandbox, { env }, '--online'),
      'npm.registry',
      /^problem registry \S+ has a certificate that is not trusted .* Now: set npm_config_cafile to/,
    );
  });

  test('a failure that is remembered, with its next try', async () => {
    const { sandbox, registry } = await open({
      annex: { features: { ...features, pad: '^1.0.0' } },
    });
    await registry.stop();
    const env = { ANNEX_STORE: sandbox.store };
    expect(await sandbox.annex(['install', 'kit'], { env })).toMatchObject({ code: 1 });
    const diagnosis = await diagnose(sandbox);
    const [first, ...others] = diagnosis.of('features.import');
    expect(first).toMatch(
      /^problem kit: .*failed before: .*; next try at \d\d:\d\d:\d\d UTC.* Now: check the network .*annex install kit$/,
    );
    // The registry counts for every feature.
    expect(others).toEqual(['warning pad: failed, for the reason above']);
  });
});
