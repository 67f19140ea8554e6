/** A volume whose mount loses its program: before a process starts, under it, and in the middle of an install. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cachedMountsProblem } from '../support/cached-mounts.ts';
import { diagnose, expectFinding } from '../support/doctor.ts';
import { esmPackage } from '../support/fixtures.ts';
import { importIn, splitLines } from '../support/importer.ts';
import { openMortalMount } from '../support/mortal-mount.ts';
import { makeGate } from '../support/registry.ts';
import { openWorld } from '../support/world.ts';

const lazy = {
  name: 'alpha',
  version: '1.0.0',
  files: {
    'index.js': `export const marker = 'alpha';\nexport const later = () => import('./part.js');\n`,
    'part.js': '',
  },
  manifest: { type: 'module', exports: './index.js' },
};
const packages = [lazy, esmPackage('beta', '1.0.0', 'beta')];
const annex = { features: { alpha: '^1.0.0', beta: '^1.0.0' } };
const why = cachedMountsProblem === undefined ? '' : ` (skipped: ${cachedMountsProblem})`;

const LOST =
  /volume\S* cannot be used: the program or the server behind its mount is gone \(ENOTCONN /;
const REMEDY = 'mount that volume again, and restart the containers that use it';

describe.runIf(cachedMountsProblem === undefined)(`a lost volume${why}`, () => {
  /** An application with alpha in its store. */
  async function open() {
    const world = await openWorld({ packages, annex });
    const { sandbox } = world;
    const mount = await openMortalMount(sandbox.root);
    const env = { ANNEX_STORE: sandbox.store };
    expect(await sandbox.annex(['install', 'alpha'], { env })).toMatchObject({ code: 0 });
    return { ...world, mount, env };
  }

  test('imports and commands give the reason and the remedy, and work again when it is back', async () => {
    const { sandbox, registry, mount, env } = await open();
    const asked = registry.requests.length;
    await mount.kill();
    const { imported, lines } = await importIn(sandbox, ['alpha', 'beta', 'node:fs'], { env });
    for (const name of ['alpha', 'beta']) {
      expect(imported[name]).toMatchObject({
        code: 'ERR_MODULE_NOT_FOUND',
        cause: { code: 'ANNEX_STORE_UNUSABLE', hint: REMEDY, message: expect.stringMatching(LOST) },
      });
    }
    expect(imported['node:fs']).not.toHaveProperty('code');
    expect(lines).toHaveLength(2);
    for (const command of [
      ['install', 'alpha'],
      ['verify'],
      ['store', 'ls'],
      ['store', 'df'],
      ['prune'],
      ['uninstall', 'alpha'],
      ['refresh'],
    ]) {
      const { code, stderr } = await sandbox.annex(command, { env });
      expect({ command, code }).toEqual({ command, code: command[0] === 'refresh' ? 0 : 1 });
      expect(splitLines(stderr)).toEqual([expect.stringMatching(LOST)]);
      expect(stderr).toContain(`Now: ${REMEDY}`);
    }
    expect(registry.requests).toHaveLength(asked);
    await mount.mountAgain();
    const again = await importIn(sandbox, ['alpha', 'beta'], { env });
    expect(again.imported).toMatchObject({ alpha: { marker: 'alpha' }, beta: { marker: 'beta' } });
  });

  test('a lost layer is named, and what the store has is used', async () => {
    const { sandbox, mount } = await open();
    const store = join(sandbox.root, 'store');
    await sandbox.annex(['install', 'beta'], { env: { ANNEX_STORE: store } });
    await mount.kill();
    const env = { ANNEX_STORE: `${store}:${sandbox.store}` };
    const { imported } = await importIn(sandbox, ['alpha', 'beta'], { env });
    expect(imported).toMatchObject({
      alpha: { cause: { hint: REMEDY, message: expect.stringMatching(LOST) } },
      beta: { marker: 'beta' },
    });
    const { code, stderr } = await sandbox.annex(['store', 'ls'], { env });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining(`annex: ${sandbox.store} cannot be used: `),
    });
    expectFinding(await diagnose(sandbox, { env }), 'store.layer', /^problem .* Now: mount that/);
  });

  test('doctor names it once for the store, and never as the place of another one', async () => {
    const { sandbox, mount } = await open();
    await mount.kill();
    const diagnosis = await diagnose(sandbox);
    expect(diagnosis.findings.map(({ id }) => id)).not.toContain('store.check');
    expect(diagnosis.of('store.volume')).toEqual([]);
    expect(diagnosis.of('store.space')).toEqual([]);
    expectFinding(
      diagnosis,
      'store.read',
      new RegExp(`^problem .*${LOST.source}.* Now: ${REMEDY}`),
    );
    expect(diagnosis.of('features.import')).toEqual([
      'warning alpha, beta: denied, for the reason above',
    ]);
    const inMemory = await diagnose(sandbox, { env: { ANNEX_STORE: '/dev/shm/annex-lost' } });
    expectFinding(inMemory, 'store.volume', /^warning \S+ is in memory, and is lost/);
    expect(inMemory.of('store.volume').join()).not.toContain(mount.path);
  });

  test('a process that runs on it gets the cause of each failed load, and goes on', async () => {
    const { sandbox, mount, env } = await open();
    const flag = join(sandbox.root, 'flag');
    const source = `
      import { existsSync, writeFileSync } from 'node:fs';
      import { setTimeout } from 'node:timers/promises';
      const { later } = await import('alpha');
      writeFileSync(process.argv[2], '');
      while (existsSync(process.argv[2])) await setTimeout(20);
      const attempt = (load) => load().then(() => 'loaded', ({ code, cause }) => [code, cause?.code]);
      console.log(JSON.stringify([await attempt(later), await attempt(() => import('beta'))]));`;
    const program = sandbox.write('app/running.mjs', source);
    const running = sandbox.run(['--import', sandbox.loader, program, flag], { env });
    await expect.poll(() => existsSync(flag)).toBe(true);
    await mount.kill();
    rmSync(flag);
    const { code, stdout, stderr } = await running;
    expect(code, stderr).toBe(0);
    const lost = ['ERR_MODULE_NOT_FOUND', 'ANNEX_STORE_UNUSABLE'];
    expect(JSON.parse(stdout)).toEqual([lost, lost]);
  });

  test('in the middle of an install: the import gives the reason, and the next one installs', async () => {
    const { sandbox, registry, mount, env } = await open();
    const { until, letGo } = makeGate();
    registry.fault({ kind: 'slow', ms: 0, until }, /beta-1\.0\.0\.tgz$/);
    const running = importIn(sandbox, ['beta', 'node:fs'], { env });
    await expect.poll(() => registry.requests.some((line) => line.endsWith('.tgz'))).toBe(true);
    await mount.kill();
    letGo();
    const { imported } = await running;
    expect(imported.beta).toMatchObject({
      code: 'ERR_MODULE_NOT_FOUND',
      cause: { code: 'ANNEX_STORE_UNUSABLE', hint: expect.stringContaining(REMEDY) },
    });
    expect(imported['node:fs']).not.toHaveProperty('code');
    await mount.mountAgain();
    const again = await importIn(sandbox, ['alpha', 'beta'], { env });
    expect(again.imported).toMatchObject({ alpha: { marker: 'alpha' }, beta: { marker: 'beta' } });
  });
});
