/** annex audit and annex sbom: npm's own reports, over what is in use. */
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { copyLocks, lock } from '../support/lock-files.ts';
import { nodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const common = (version: string) =>
  esmPackage('common', version, `common ${version}`, { dependencies: { deep: '^1.0.0' } });
/** Optional: some leave those out. */
const WITH_ALPHA = { optionalDependencies: { alpha: '^1.0.0' } };
const alpha = esmPackage('alpha', '1.0.0', 'alpha');
const packages = [
  dependentPackage('kit', '1.0.0', 'kit', { common: '^1.0.0' }, WITH_ALPHA),
  common('1.2.0'),
  common('1.7.0'),
  alpha,
  esmPackage('deep', '1.5.0', 'deep'),
  esmPackage('@acme/other.js', '3.0.0', 'other', { license: 'MIT' }),
];

/** The parts of npm's reports that are looked at. */
interface Audit {
  vulnerabilities: Record<string, { nodes: string[] }>;
}
interface CycloneDx {
  metadata: { component: { name: string; version: string } };
  components: { name: string; version: string; purl?: string; 'bom-ref': string }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}
interface Spdx {
  spdxVersion: string;
  packages: { name: string; versionInfo: string; externalRefs: { referenceLocator: string }[] }[];
}

const both = { kit: '^1.0.0', '@acme/other.js': '^3.0.0' };
const [node] = nodes;

describe(node?.label ?? '', () => {
  let locked: Sandbox;
  let registry: Registry;
  let sandbox: Sandbox;

  const open = async () => {
    registry = await startRegistry(packages);
    sandbox = await createSandbox({ registry });
    declare({ kit: '^1.0.0' });
    ship(common('1.2.0'), esmPackage('deep', '1.0.0', 'deep'));
  };
  const declare = (features: object): void =>
    sandbox.setCore({ features }, { name: '@acme/app', dependencies: { common: '*' } });
  const ship = (...shipped: typeof packages): void => {
    for (const pkg of shipped) sandbox.addPackage(join(sandbox.core, 'node_modules'), pkg);
  };
  beforeAll(async () => {
    await open();
    locked = sandbox;
    declare(both);
    await lock(locked);
    await registry.stop();
  });
  afterAll(() => locked.cleanup());
  beforeEach(async () => {
    await open();
    const opened = { registry, sandbox };
    onTestFinished(() => opened.registry.stop());
    onTestFinished(() => opened.sandbox.cleanup());
  });
  const run = (...args: string[]) => sandbox.annex(args, { env: { ANNEX_STORE: sandbox.store } });
  const audit = async (...args: string[]) => {
    const { code, stdout, stderr } = await run('audit', '--json', ...args);
    return { code, stderr, found: Object.keys((JSON.parse(stdout) as Audit).vulnerabilities) };
  };
  const list = async (...args: string[]) => {
    const { code, stdout, stderr } = await run('sbom', ...args);
    expect(stdout).not.toContain(sandbox.root);
    expect(stdout).not.toContain('annex-report-');
    const document = JSON.parse(stdout) as CycloneDx;
    const purls = new Set(document.components.flatMap(({ purl }) => purl ?? []));
    return { code, stderr, document, purls };
  };

  describe('annex audit', () => {
    test('without an advisory it is 0', async () => {
      copyLocks(locked, sandbox);
      expect(await run('audit')).toMatchObject({
        code: 0,
        stdout: 'found 0 vulnerabilities\n',
        stderr: '',
      });
    });

    test('an advisory on a package of the lock is reported, and it is 1', async () => {
      copyLocks(locked, sandbox);
      registry.advise('alpha', '<2');
      const { code, stdout } = await run('audit', 'kit');
      expect(code).toBe(1);
      expect(stdout).toContain('alpha is broken - https://advisories.invalid/1001\n');
      expect(await audit()).toEqual({ code: 1, stderr: '', found: ['alpha', 'kit'] });
    });

    test('an advisory on a package of an entry is reported', async () => {
      declare(both);
      expect((await run('install', '--all')).code).toBe(0);
      registry.advise('alpha', '*');
      registry.advise('@acme/other.js', '3.0.0');
      const { code, found } = await audit();
      expect(code).toBe(1);
      expect(new Set(found)).toEqual(new Set(['@acme/other.js', 'alpha', 'kit']));
      expect(await audit('@acme/other.js')).toMatchObject({ code: 1, found: ['@acme/other.js'] });
    });

    test.each(['locked', 'installed'])(
      'what is shared counts at the version of core as it is now: %s',
      async (how) => {
        if (how === 'locked') copyLocks(locked, sandbox);
        else expect((await run('install', 'kit')).code).toBe(0);
        registry.advise('common', '1.7.0');
        expect(await audit()).toEqual({ code: 0, stderr: '', found: [] });
        ship(common('1.7.0'));
        expect((await audit()).found).toContain('common');
        // Core's own affair, and of another version in the lock.
        registry.advise('deep', '*');
        expect((await audit()).found).not.toContain('deep');
        expect(registry.audited).toEqual([
          { alpha: ['1.0.0'], common: ['1.2.0'], kit: ['1.0.0'] },
          ...[1, 2].map(() => ({ alpha: ['1.0.0'], common: ['1.7.0'], kit: ['1.0.0'] })),
        ]);
      },
    );

    test('a feature that core ships is left out with a line, whatever else holds it', async () => {
      declare(both);
      copyLocks(locked, sandbox);
      expect((await run('install', '--all')).code).toBe(0);
      ship(esmPackage('@acme/other.js', '3.1.0', 'of core'));
      const dependencies = { common: '*', '@acme/other.js': '*' };
      sandbox.setCore({ features: both }, { name: '@acme/app', dependencies });
      registry.advise('@acme/other.js', '*');
      const { code, found, stderr } = await audit();
      expect({ code, found }).toEqual({ code: 0, found: [] });
      expect(stderr).toBe(
        'annex: @acme/other.js is left out: the application ships it itself: npm has it in the application’s own lock\n',
      );
      expect(registry.audited.flatMap((asked) => Object.keys(asked))).not.toContain(
        '@acme/other.js',
      );
    });

    test('a feature that cannot be looked at is named, and it is 1', async () => {
      declare({ ...both, bad: 'latest' });
      copyLocks(locked, sandbox, 'kit');
      const { code, found, stderr } = await audit();
      expect({ code, found }).toEqual({ code: 1, found: [] });
      expect(stderr).toMatch(
        /^annex: @acme\/other\.js is left out: it is neither locked nor installed$/m,
      );
      expect(stderr).toMatch(/^annex: bad is left out: annex\.features\["bad"\] in .* is a tag; /m);
      sandbox.write('app/annex/kit/package.json', '{}');
      const other = await run('audit', 'kit');
      expect(other).toMatchObject({ code: 1, stdout: '' });
      expect(other.stderr).toMatch(
        /^annex: kit is left out: .*kit\/package\.json is not the file/m,
      );
    });

    test('no setting of npm leaves anything out; offline it is 1', async () => {
      copyLocks(locked, sandbox);
      registry.advise('alpha', '*');
      sandbox.write('app/.npmrc', 'workspaces=false\nomit[]=optional\naudit=false\n');
      expect(await audit()).toEqual({ code: 1, stderr: '', found: ['alpha', 'kit'] });
      expect((await list()).purls).toContain('pkg:npm/alpha@1.0.0');
      sandbox.write('app/.npmrc', 'offline=true\n');
      const { code, stdout, stderr } = await run('audit');
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^annex: npm is set to be offline, and /);
    });

    test('it signs in as the core does, and says nothing of the token', async () => {
      copyLocks(locked, sandbox);
      const host = new URL(registry.url).host;
      sandbox.write('app/.npmrc', `//${host}/:_authToken=\${TOKEN}\n`);
      registry.fault({ kind: 'status', status: 401, times: 1 }, /^POST/);
      const env = { TOKEN: 'sEcReT' };
      const refused = await sandbox.annex(['audit'], { env });
      expect(refused.code).not.toBe(0);
      expect(refused.stdout + refused.stderr).not.toContain('sEcReT');
      expect((await sandbox.annex(['audit'], { env })).code).toBe(0);
      const posts = registry.requests.flatMap((line, index) =>
        line.startsWith('POST') ? [registry.authorizations[index]] : [],
      );
      expect(posts).toEqual(['Bearer sEcReT', 'Bearer sEcReT']);
    });
  });

  describe('annex sbom', () => {
    const KIT = ['pkg:npm/alpha@1.0.0', 'pkg:npm/kit@1.0.0'];
    const OTHER = ['pkg:npm/%40acme/other.js@3.0.0'];

    test.each(['locked', 'installed'])(
      'every package as used, a component for each feature: %s',
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

    test('a locked feature beside one that is only installed', async () => {
      declare(both);
      copyLocks(locked, sandbox, 'kit');
      expect((await run('install', '@acme/other.js')).code).toBe(0);
      const { code, purls } = await list('--format', 'cyclonedx');
      expect(code).toBe(0);
      expect(purls).toEqual(new Set([...KIT, ...OTHER, 'pkg:npm/common@1.2.0']));
    });

    test('spdx says the same', async () => {
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

    test('another format is a wrong call', async () => {
      expect(await run('sbom', '--format', 'xml')).toMatchObject({ code: 2, stdout: '' });
    });

    test('of nothing it is 1, with a line', async () => {
      expect(await run('sbom')).toMatchObject({
        code: 1,
        stdout: '',
        stderr:
          'annex: kit is left out: it is neither locked nor installed\nannex: there is nothing to report on\n',
      });
    });
  });
});
