/** A locked install gives exactly the locked versions, with no program but Node. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shareBinary } from '../support/binary.ts';
import { listedValue } from '../support/entry.ts';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn, writeImporter } from '../support/importer.ts';
import { readListing } from '../support/listing.ts';
import { listEntries, listStaging, lockBefore, node, readLock } from '../support/lock-files.ts';
import type { PackageFixture } from '../support/package.ts';
import type { Fault } from '../support/registry.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { removeTree } from '../support/tree.ts';

const common = (version: string) => esmPackage('common', version, `common ${version}`);
const alpha = esmPackage('alpha', '1.0.0', 'alpha');
const packages = [
  dependentPackage('kit', '1.0.0', 'kit', { common: '^1.0.0', alpha: '^1.0.0' }),
  common('1.2.0'),
  alpha,
  esmPackage('other', '3.0.0', 'other'),
  esmPackage('bound', '1.0.0', 'bound', { os: ['darwin'] }),
];
const features = { kit: '^1.0.0', other: '^3.0.0' };

const openLocked = lockBefore({
  packages,
  annex: {},
  prepare: (sandbox) => ship(sandbox, [common('1.2.0')]),
});
const openBound = lockBefore({
  packages,
  annex: { features: { bound: '^1.0.0' }, platforms: ['darwin-arm64'] },
});

function ship(sandbox: Sandbox, shipped: PackageFixture[]): void {
  const dependencies = Object.fromEntries(shipped.map(({ name }) => [name, '*']));
  sandbox.setCore({ features }, { dependencies });
  for (const pkg of shipped) sandbox.addPackage(join(sandbox.core, 'node_modules'), pkg);
}

/** A core with the locks, a registry of its own that has newer versions as well, and no tools. */
async function open(shipped = [common('1.2.0')]) {
  const prepare = (made: Sandbox) => ship(made, shipped);
  const later = [
    esmPackage('kit', '1.1.0', 'a later kit'),
    esmPackage('alpha', '1.1.0', 'a later alpha'),
  ];
  const { sandbox, registry } = await openLocked({ prepare, packages: [...packages, ...later] });
  return { sandbox, registry, ...run(sandbox) };
}

function run(sandbox: Sandbox) {
  const lone = shareBinary(node.path, join(sandbox.root, 'nodes'));
  const env = { ANNEX_STORE: sandbox.store, PATH: '/nowhere' };
  return {
    load: async (...names: string[]) =>
      (await importIn(sandbox, names, { node: lone, env })).imported,
    install: (...args: string[]) => sandbox.annex(['install', ...args], { node: lone, env }),
  };
}

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');

describe(node.label, () => {
  test('it is the locked closure, whatever is newer, without npm, shell or git', async () => {
    const { sandbox, registry, load } = await open();
    writeImporter(sandbox);
    const core = sandbox.digest(sandbox.core);
    const { kit, other } = await load('kit', 'other');
    expect(kit).toMatchObject({ version: '1.0.0', marker: 'kit' });
    expect(other).toMatchObject({ version: '3.0.0', marker: 'other' });
    // Only tarballs: no packument was requested.
    const tarballs = ['alpha/-/alpha-1.0.0', 'kit/-/kit-1.0.0', 'other/-/other-3.0.0'];
    expect(new Set(registry.requests)).toEqual(new Set(tarballs.map((path) => `GET /${path}.tgz`)));
    const entries = listEntries(sandbox);
    const ids = ['kit', 'other'].map((slug) => readLock(sandbox, slug).sidecar.ids.any);
    expect(new Set(entries.map((dir) => basename(dir)))).toEqual(
      new Set([`kit.${ids[0]}.0`, `other.${ids[1]}.0`]),
    );
    expect(listStaging(sandbox)).toEqual([]);
    expect(sandbox.digest(sandbox.core)).toEqual(core);
  });

  test('the line at the start has the locked version, or says that there is no lock', async () => {
    const { sandbox, install } = await open();
    expect((await install('kit')).stderr).toMatch('annex: installing kit (kit 1.0.0) into ');
    rmSync(join(sandbox.core, 'annex', 'other'), { recursive: true });
    const { stderr } = await sandbox.annex(['install', 'other'], {
      node: node.path,
      env: { ANNEX_STORE: sandbox.store },
    });
    expect(stderr).toMatch('annex: installing other (other@^3.0.0, not locked) into ');
  });

  test('annex-files.txt lists every file of the entry with its digest and size', async () => {
    const { sandbox, install } = await open();
    expect((await install('kit')).code).toBe(0);
    const [entry = ''] = listEntries(sandbox);
    const { packages, files, generated } = readListing(entry);
    expect(generated).toEqual({});
    const { sidecar } = readLock(sandbox, 'kit');
    expect(new Set(Object.keys(packages))).toEqual(new Set(Object.keys(sidecar.packages)));
    for (const [path, text] of Object.entries(packages)) {
      const listed = Buffer.byteLength(text);
      expect(sidecar.packages[path]).toMatchObject({ listing: sha256(Buffer.from(text)), listed });
    }
    const stated = Object.entries(files).map(([path, value]) => `${value}\t${path}`);
    const found = readdirSync(join(entry, 'node_modules'), { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile())
      .map((one) => join(one.parentPath, one.name))
      .map((path) => `${listedValue(readFileSync(path))}\t${path.slice(entry.length + 1)}`);
    expect(new Set(found)).toEqual(new Set(stated));
  });

  test('an entry that is not the locked one is not used: the locked one is installed beside it', async () => {
    const { sandbox, load } = await open();
    const planted = sandbox.plantEntry({
      feature: 'other',
      packages: [esmPackage('other', '3.9.0', 'planted')],
      specs: { other: '^3.0.0' },
    });
    const before = sandbox.digest(planted);
    const { other } = await load('other');
    expect(other).toMatchObject({ version: '3.0.0', marker: 'other' });
    expect(listEntries(sandbox)).toHaveLength(2);
    expect(sandbox.digest(planted)).toEqual(before);
    const env = { ANNEX_STORE: sandbox.store };
    const why = await sandbox.annex(['why', 'other'], { env });
    const copies = (text: string) => text.replace(/\s+/g, ' ');
    const lost = `lost: 3.9.0 in the store: it is of another lock ${planted}`;
    expect(why.stdout).toMatch(/^found /);
    expect(copies(why.stdout)).toContain(lost);
    for (const entry of listEntries(sandbox).filter((dir) => dir !== planted)) removeTree(entry);
    const passed = await sandbox.annex(['why', 'other'], { env });
    expect(passed.stdout).toMatch(/^NOT FOUND /);
    expect(copies(passed.stdout)).toContain(lost);
    const { stdout } = await sandbox.annex(['list'], { env });
    expect(stdout).toMatch(`${planted} is of another lock. Now: npx annex install other\n`);
  });

  test.each([
    [
      'annex.json',
      'is half merged',
      (text: string) => `<<<<<<< HEAD\n${text}`,
      /other\/annex\.json does not parse as JSON/,
    ],
    [
      'annex.json',
      'is of a newer format',
      (text: string) => text.replace('"format": 2', '"format": 3'),
      /annex\.json is of format 3/,
    ],
    [
      'annex.json',
      'was made for other ranges',
      (text: string) => text.replace('^3.0.0', '^2.0.0'),
      /annex\.json locks other for \^2\.0\.0, and \^3\.0\.0 is declared/,
    ],
    [
      'annex.json',
      'has another id',
      (text: string) => text.replace(/"any": "..../, '"any": "0000'),
      /annex\.json does not belong to the package-lock\.json beside it/,
    ],
    [
      'package-lock.json',
      'was edited',
      (text: string) => text.replace('3.0.0', '3.0.1'),
      /package-lock\.json is not the file that annex wrote/,
    ],
  ])('a lock whose %s %s turns that feature off, and no other', async (file, _, change, reason) => {
    const { sandbox, registry, load } = await open();
    const path = join(sandbox.core, 'annex', 'other', file);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
    const { other, kit } = await load('other', 'kit');
    expectRefused(other, 'ANNEX_INVALID_CONFIG', reason, 'other');
    expect(other?.cause?.hint).toMatch(/npx annex lock other/);
    expect(kit?.marker).toBe('kit');
    expect(registry.requests.filter((line) => line.includes('other'))).toEqual([]);
    expect(listEntries(sandbox)).toHaveLength(1);
  });

  test('files that are not the locked ones are refused, even if their sha512 matches', async () => {
    const { sandbox, install } = await open();
    const path = join(sandbox.core, 'annex', 'kit', 'annex.json');
    const { sidecar } = readLock(sandbox, 'kit');
    const wanted = sidecar.packages['node_modules/alpha']?.listing ?? '';
    writeFileSync(path, readFileSync(path, 'utf8').replace(wanted, '0'.repeat(64)));
    const { code, stderr } = await install('kit');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /kit unavailable \(ANNEX_INTEGRITY\): the files of node_modules\/alpha are not the locked ones: [0-9a-f]{12}, not 0{12}/,
    );
    expect(listEntries(sandbox)).toEqual([]);
    expect(listStaging(sandbox)).toEqual([]);
  });

  test.each<[string, Fault, RegExp]>([
    [
      'other bytes',
      { kind: 'page', body: '<html>' },
      /alpha@1\.0\.0: \S+ sent 6 bytes with sha512-\S+, locked is sha512-/,
    ],
    [
      'other bytes of the same length',
      { kind: 'wrong-digest' },
      /alpha@1\.0\.0: \S+ sent \d+ bytes with sha512-\S+, locked is sha512-/,
    ],
    ['more bytes', { kind: 'endless' }, /alpha@1\.0\.0: \S+ sends more than \d+ bytes/],
  ])('a tarball with %s is refused, with the package', async (_, fault, reason) => {
    const { sandbox, registry, load } = await open();
    registry.fault(fault, /alpha.*\.tgz$/);
    const { kit, other } = await load('kit', 'other');
    expectRefused(kit, 'ANNEX_INTEGRITY', reason, 'kit');
    expect(other?.marker).toBe('other');
    expect(listEntries(sandbox).map((dir) => basename(dir).split('.')[0])).toEqual(['other']);
    expect(listStaging(sandbox)).toEqual([]);
  });

  test('a core that no longer fits is a conflict that lists every edge', async () => {
    const { sandbox, registry, load, install } = await open([common('2.0.0')]);
    const { kit } = await load('kit');
    const said = /kit 1\.0\.0 wants common \^1\.0\.0, and core ships 2\.0\.0/;
    expectRefused(kit, 'ANNEX_CONFLICT', said, 'kit');
    expect(kit?.cause?.hint).toMatch(/lock again: npx annex lock/);
    expect((await install('kit')).stderr).toMatch(said);
    expect(registry.requests).toEqual([]);
    expect(listEntries(sandbox)).toEqual([]);
  });

  test('another version of core that still fits is accepted', async () => {
    const { load } = await open([common('1.7.0')]);
    expect((await load('kit')).kit?.marker).toBe('kit');
  });

  test('a platform that is not locked is named, with those that are', async () => {
    const { sandbox, registry } = await openBound();
    sandbox.setCore({ features: { bound: '^1.0.0' } });
    const { install } = run(sandbox);
    const { code, stderr } = await install('bound');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /bound unavailable \(ANNEX_UNSUPPORTED_PLATFORM\): bound 1\.0\.0 is made for darwin, and this is linux-/,
    );
    expect(registry.requests).toEqual([]);
  });
});
