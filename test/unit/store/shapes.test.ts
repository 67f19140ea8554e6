/** JSON with one wrong value is damage or harmless for every reader, and no reader throws. */
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createLookup } from '../../../src/app/lookup.ts';
import { readAbi } from '../../../src/base/abi.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { findRemembered } from '../../../src/status/failure-memory.ts';
import { judgeEntries } from '../../../src/status/prune.ts';
import { refuseAgain } from '../../../src/status/refusals.ts';
import { findStatus } from '../../../src/status/status.ts';
import { findEntry } from '../../../src/store/entry.ts';
import { type Failure, isInForce, nextFailure, readFailures } from '../../../src/store/failures.ts';
import { createFinder } from '../../../src/store/finder.ts';
import { readManifest } from '../../../src/store/manifest.ts';
import { listStored } from '../../../src/store/stored.ts';
import { plantEntry } from '../../support/entry.ts';
import { makeFeature } from '../../support/feature.ts';
import { esmPackage } from '../../support/fixtures.ts';
import { removeTree } from '../../support/tree.ts';
import { listWrong } from '../../support/wrong-values.ts';

const feature = makeFeature('alpha');

function open(): { settings: Settings; store: string } {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-shapes-'));
  onTestFinished(() => removeTree(root));
  const store = join(root, 'store');
  const settings = {
    core: { root, realRoot: root },
    store,
    layers: [],
    blocked: [],
    declaration: { features: new Map([['alpha', feature]]), blocked: [] },
    gate: undefined,
    verify: 'load',
    startEnv: {},
    timeout: 1000,
  };
  return { settings: settings as unknown as Settings, store };
}

const packages = [esmPackage('alpha', '1.0.0', 'alpha')] as const;

test('manifest: a valid one is used, any other is damage, and no reader throws', () => {
  const { settings, store } = open();
  const dir = plantEntry(store, { feature: 'alpha', packages, specs: { alpha: '^1.0.0' } });
  const manifest = {
    format: 2,
    feature: 'alpha',
    specs: { alpha: '^1.0.0' },
    closure: [
      { path: 'node_modules/alpha', name: 'alpha', version: '1.0.0', integrity: 'sha512-' },
    ],
    skipped: [{ path: 'node_modules/beta', name: 'beta', version: '1.0.0' }],
    shared: { zod: { ranges: ['*'], version: '3.0.0' } },
    private: ['alpha'],
    scripts: ['alpha'],
    abi: 'any',
    tool: 'annex@1.0.0',
  };
  const whole: string[] = [];
  for (const { name, document } of [
    ...listWrong(manifest),
    { name: 'right', document: manifest },
  ]) {
    writeFileSync(join(dir, 'annex-entry.json'), JSON.stringify(document) ?? '');
    const read = readManifest(dir);
    const finder = createFinder(settings, 'all');
    const { entry, damaged, rejected } = finder.find(createLookup(settings, feature));
    expect(entry === undefined ? rejected : [], name).toHaveLength(entry === undefined ? 1 : 0);
    if ('manifest' in read) whole.push(name);
    else
      expect({ name, entry, damaged: damaged.length }).toEqual({
        name,
        entry: undefined,
        damaged: 'damage' in read ? 1 : 0,
      });
    expect(findStatus(createLookup(settings, feature)), name).toMatchObject({ feature: 'alpha' });
    expect(listStored(store), name).toMatchObject([{ dir, slug: 'alpha' }]);
    const age = { age: 0, now: Date.now() };
    expect(judgeEntries(settings, store, age), name).toMatchObject([{ feature: 'alpha' }]);
    expect(typeof finder.getContents(dir), name).toBe('manifest' in read ? 'object' : 'string');
  }
  expect(whole).toContain('right');
  // Another string, an empty list or record, a record with fewer keys, an optional key.
  const harmless =
    / is (?:"|\[\]|\{\})|^right$|(?:integrity|skipped|specs\.alpha|shared\.zod) is undefined$/;
  expect(whole.filter((name) => !harmless.test(name))).toEqual([]);
});

test('failure: only a valid one counts', () => {
  const { settings, store } = open();
  const refusal = {
    code: 'ANNEX_OFFLINE',
    reason: 'no answer',
    hint: 'try later',
    state: 'none',
    host: 'registry.corp',
    conflicts: [
      { dependent: 'a', dependency: 'b', range: '1', kind: 'peer', of: 'core', isFit: true },
    ],
    blocked: { name: 'a', spec: 'a', by: 'package.json', version: '1.0.0', reason: 'CVE' },
  } as const;
  const now = Date.now();
  const failed = {
    key: 'one',
    feature: 'alpha',
    refusal: refusal as unknown as Failure['refusal'],
  };
  const right = [nextFailure(undefined, failed, now)];
  const path = join(store, 'v1', 'failures', 'alpha.json');
  mkdirSync(dirname(path), { recursive: true });
  for (const { name, document } of [...listWrong(right), { name: 'right', document: right }]) {
    writeFileSync(path, JSON.stringify(document) ?? '');
    for (const failure of readFailures(store, 'alpha')) {
      expect(typeof isInForce(failure, now), name).toBe('boolean');
      const again = refuseAgain({ failure, isStored: true }, 'annex install alpha');
      expect(again.reason, name).toBeTypeOf('string');
      expect(nextFailure(failure, failed, now).until, name).toBeGreaterThan(now);
    }
    expect(() => findRemembered(createLookup(settings, feature), {}), name).not.toThrow();
    expect(findEntry(createLookup(settings, feature), readAbi()), name).toMatchObject({
      rejected: [],
    });
  }
  expect(readFailures(store, 'alpha')).toEqual(right);
});

test('lock: a wrong value is reported with its file, or has no effect', () => {
  const { settings } = open();
  const dir = join(settings.core.root, 'annex', 'alpha');
  mkdirSync(dir, { recursive: true });
  const sidecar = {
    format: 2,
    feature: 'alpha',
    specs: { alpha: '^1.0.0' },
    scripts: [],
    platforms: ['linux-x64-glibc'],
    shared: { zod: { ranges: ['*'], version: '3.0.0' } },
    private: ['alpha'],
    unshared: [],
    ids: { any: '0'.repeat(32) },
    packages: { 'node_modules/alpha': { size: 1, listing: 'x', listed: 1 } },
    digests: { 'package.json': '', 'package-lock.json': '' },
    made: { date: '2026-01-01T00:00:00Z', annex: '0.1.0', npm: '11.0.0' },
  };
  const read = (document: unknown) => {
    writeFileSync(join(dir, 'annex.json'), JSON.stringify(document) ?? '');
    return createLookup(settings, feature).readLock();
  };
  expect(read(sidecar).pin?.sidecar).toEqual(sidecar);
  const passed: string[] = [];
  for (const { name, document } of listWrong(sidecar)) {
    const { refusal } = read(document);
    if (refusal === undefined) passed.push(name);
    else expect(refusal.reason, name).toContain(join(dir, 'annex.json'));
    expect(findEntry(createLookup(settings, feature), readAbi()), name).toMatchObject({
      rejected: [],
      damaged: [],
    });
  }
  expect(passed.filter((name) => /^(?:format|feature|specs)\b/.test(name))).toEqual([]);
});
