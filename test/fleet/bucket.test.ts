/** A mounted bucket: a layer, and never a store. */
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { bucketProblem, mountBucket } from '../support/bucket-mount.ts';
import { diagnose, expectFinding } from '../support/doctor.ts';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { lock } from '../support/lock-files.ts';
import { asPlainUser } from '../support/user.ts';
import { openWorld, type World } from '../support/world.ts';

const packages = [esmPackage('alpha', '1.0.0', 'alpha'), cjsPackage('beta', '1.0.0', 'beta')];
const annex = { features: { alpha: '^1.0.0', beta: '^1.0.0' } };
const why = bucketProblem === undefined ? '' : ` (skipped: ${bucketProblem})`;

describe.runIf(bucketProblem === undefined)(`a bucket, mounted by rclone${why}`, () => {
  let world: World;
  let bucket: string;
  beforeAll(async () => {
    world = await openWorld({ packages, annex, copyAnnex: true });
    await lock(world.sandbox);
    bucket = join(world.sandbox.root, 'bucket');
    await mountBucket(bucket);
  });

  test('its contents are a layer: features load from it, and the commands accept it', async () => {
    const { sandbox, registry } = world;
    const baked = join(sandbox.root, 'baked');
    const { code } = await sandbox.annex(['bake', baked]);
    expect(code).toBe(0);
    cpSync(baked, join(bucket, 'layer'), { recursive: true });
    const store = join(sandbox.root, 'store');
    const env = { ANNEX_STORE: `${store}:${join(bucket, 'layer')}`, ANNEX_ALLOW_INSTALLS: '0' };
    const asked = registry.requests.length;
    for (const user of [{}, asPlainUser]) {
      const { imported, lines } = await importIn(sandbox, ['alpha', 'beta'], { env, ...user });
      expect(imported).toMatchObject({ alpha: { marker: 'alpha' }, beta: { marker: 'beta' } });
      expect(lines).toEqual([]);
    }
    const listed = await sandbox.annex(['list', '--json'], { env });
    const features = JSON.parse(listed.stdout).features as { where: string }[];
    expect(features.map(({ where }) => where)).toEqual(['layer', 'layer']);
    const verified = await sandbox.annex(['verify'], { env });
    expect(verified).toMatchObject({ code: 0, stderr: '' });
    expect(verified.stdout.match(/files match the lock/g)).toHaveLength(2);
    expectFinding(await diagnose(sandbox, { env }), 'store.layer', /^ok layer /);
    expect(registry.requests).toHaveLength(asked);
  });

  test('as a store it is refused in one line, before anything is fetched or written', async () => {
    const { sandbox, registry } = world;
    const store = join(bucket, 'store');
    const env = { ANNEX_STORE: store };
    const asked = registry.requests.length;
    const reason = `${store} cannot be used: its file system (rclone) renames a directory by copying it`;
    const remedy = 'use it as a layer, behind a store on another volume';
    const { code, stderr } = await sandbox.annex(['install', 'alpha'], { env });
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(reason)]);
    expect(stderr).toContain(`Now: ${remedy}`);
    const { imported } = await importIn(sandbox, ['alpha'], { env });
    expect(imported.alpha).toMatchObject({
      code: 'ERR_MODULE_NOT_FOUND',
      cause: { code: 'ANNEX_STORE_UNUSABLE', hint: expect.stringContaining(remedy) },
    });
    const diagnosis = await diagnose(sandbox, { env });
    expectFinding(
      diagnosis,
      'store.write',
      /^problem .* \(rclone\) renames .* Now: use it as a layer/,
    );
    expect(diagnosis.of('store.space')).toEqual([]);
    expect(readdirSync(bucket)).not.toContain('store');
    expect(registry.requests).toHaveLength(asked);
  });

  test('doctor does not propose it as the place of a store', async () => {
    const { sandbox } = world;
    const { of } = await diagnose(sandbox, { env: { ANNEX_STORE: '/dev/shm/annex-bucket' } });
    expect(of('store.volume')).toEqual([expect.stringMatching(/^warning \S+ is in memory/)]);
    expect(of('store.volume').join()).not.toContain(bucket);
  });
});
