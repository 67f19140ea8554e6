/** `annex bake --oci`: an OCI image layout with a layer for each feature. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { features, useBaking } from '../support/baking.ts';
import { copyLocks, readLock } from '../support/lock-files.ts';
import { type NodeUnderTest, nodes, outerNodes } from '../support/nodes.ts';
import { listBlobs, readImages } from '../support/oci.ts';
import { asPlainUser, giveTo } from '../support/user.ts';

const [node] = nodes;
describe(`annex bake --oci, ${node?.label}`, () => {
  const at = useBaking();
  const bakeOn = async (one: NodeUnderTest | undefined, ...args: string[]) => {
    const ANNEX_CONFIG = at.sandbox.write('quick.json', { durability: 'none' });
    const command = ['bake', '--oci', at.layer, ...args, '--json'];
    const options = { env: { ANNEX_CONFIG }, ...(one && { node: one.path }) };
    const { code, stdout, stderr } = await at.sandbox.annex(command, options);
    return { code, stderr, ...JSON.parse(stdout) };
  };
  const bakeImage = (...args: string[]) => bakeOn(node, ...args);

  test('the image has a layer for each locked feature, with facts about it', async () => {
    copyLocks(at.locked, at.sandbox);
    at.declare(features);
    const { code, stderr, results, image } = await bakeImage();
    expect(code, stderr).toBe(0);
    const locks = ['kit', 'other'].map((slug) => readLock(at.sandbox, slug));
    const ids = locks.map(({ sidecar }) => sidecar.ids.any);
    expect(results).toMatchObject([
      { feature: 'kit', outcome: 'installed', dir: `v1/any/kit.${ids[0]}.0` },
      { feature: 'other', outcome: 'installed', dir: `v1/any/other.${ids[1]}.0` },
    ]);
    const [read, ...more] = readImages(at.layer);
    expect(more).toEqual([]);
    expect(image).toEqual({
      layout: at.layer,
      name: read?.descriptor.annotations['org.opencontainers.image.ref.name'],
      digest: read?.descriptor.digest,
      platform: read?.descriptor.platform,
    });
    expect(image.name).toMatch(/^node\d+-\w+-/);
    expect(read?.descriptor.annotations['annex.abi']).toBe(image.name);
    expect(read?.manifest).toMatchObject({
      artifactType: 'application/vnd.annex.layer.v1',
      annotations: { 'annex.abi': image.name },
    });
    expect(read?.config).toMatchObject({
      created: '1970-01-01T00:00:00Z',
      ...image.platform,
      rootfs: { type: 'layers', diff_ids: read?.layers.map(({ diffId }) => diffId) },
    });
    expect(read?.layers.map(({ annotations }) => annotations)).toEqual([
      {
        'annex.feature': 'kit',
        'annex.entry': ids[0],
        'annex.abi': 'any',
        'annex.versions': 'kit@1.0.0',
        'annex.lock': `sha256:${locks[0]?.sidecar.digests['package-lock.json']}`,
      },
      {
        'annex.feature': 'other',
        'annex.entry': ids[1],
        'annex.abi': 'any',
        'annex.versions': 'other@3.0.0',
        'annex.lock': `sha256:${locks[1]?.sidecar.digests['package-lock.json']}`,
      },
    ]);
    // Neither the stores in which entries were built nor locks are left.
    expect(readdirSync(at.layer).sort()).toEqual([
      ...['annex-locks', 'blobs', 'index.json', 'oci-layout'],
    ]);
    expect(readdirSync(join(at.layer, 'annex-locks'))).toEqual([]);
  });

  test('its root is a layer for ANNEX_STORE, without links to the application', async () => {
    copyLocks(at.locked, at.sandbox);
    expect((await bakeImage()).code).toBe(0);
    const root = join(at.sandbox.root, 'mounted');
    mkdirSync(root);
    for (const { path } of readImages(at.layer)[0]?.layers ?? []) {
      execFileSync('tar', ['-xzf', path, '-C', root, '--same-permissions']);
    }
    const [kit = ''] = readdirSync(join(root, 'v1/any'));
    expect(readdirSync(join(root, 'v1/any', kit, 'node_modules'))).toEqual(['alpha', 'kit']);
    await at.registry.stop();
    const env = { ANNEX_STORE: root, ANNEX_SEALED: '1', ANNEX_ALLOW_INSTALLS: '0' };
    at.expectBaked(await at.load(['kit', 'other'], env));
    const layer = { ANNEX_STORE: `${at.sandbox.store}:${root}` };
    expect(await at.sandbox.annex(['verify'], { env: layer })).toMatchObject({ code: 0 });
  });

  test('baking again changes nothing, whatever the order of features', async () => {
    copyLocks(at.locked, at.sandbox);
    const { image } = await bakeImage();
    const before = at.sandbox.digest(at.layer);
    expect((await bakeImage('other', 'kit')).image).toEqual(image);
    expect(at.sandbox.digest(at.layer)).toEqual(before);
  });

  test.each([
    ['a plain user', '077', asPlainUser],
    ['a user whose files everybody may change', '000', {}],
  ])('%s gets the same layout, in another place, time zone and locale', async (_, mask, user) => {
    copyLocks(at.locked, at.sandbox);
    const { image } = await bakeImage();
    const before = at.sandbox.digest(at.layer);
    giveTo(user, at.sandbox.root);
    const layout = join(at.sandbox.root, 'another', 'place');
    const cli = join(at.sandbox.core, 'node_modules/annex/dist/cli/main.js');
    const script = ['-c', `umask ${mask}; exec "$@"`, 'sh'];
    const args = [...script, node?.path ?? '', cli, 'bake', '--oci', layout];
    const ran = await at.sandbox.exec('sh', args, {
      ...user,
      ...(node && { node: node.path }),
      env: { HOME: at.sandbox.root, TZ: 'Asia/Kolkata', LC_ALL: 'tr_TR.UTF-8' },
    });
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout.split('\n').at(-2)).toBe(`image ${image.name}: ${image.digest}`);
    expect(at.sandbox.digest(layout)).toEqual(before);
  });

  test('the unpacked image is what annex bake writes, times included, apart from links', async () => {
    copyLocks(at.locked, at.sandbox);
    await bakeImage();
    const plain = join(at.sandbox.root, 'plain');
    expect(await at.sandbox.annex(['bake', plain])).toMatchObject({ code: 0 });
    const unpacked = join(at.sandbox.root, 'unpacked');
    mkdirSync(unpacked);
    for (const { path } of readImages(at.layer)[0]?.layers ?? []) {
      execFileSync('tar', ['-xpzf', path, '-C', unpacked]);
    }
    const archive = (dir: string) => {
      const options = ['--sort=name', '--owner=0', '--group=0', '--exclude=common'];
      return execFileSync('tar', ['-C', dir, ...options, '-cf', '-', 'v1']).toString('hex');
    };
    expect(archive(unpacked)).toBe(archive(plain));
  });

  test('the time, the name, the version and the revision of the application are in it', async () => {
    copyLocks(at.locked, at.sandbox);
    const facts = { name: 'app', version: '1.2.3', gitHead: 'f00d' };
    at.sandbox.setCore({ features }, { dependencies: { common: '*' }, ...facts });
    const env = { SOURCE_DATE_EPOCH: '1700000000' };
    const ran = await at.sandbox.annex(['bake', '--oci', at.layer], { env });
    expect(ran.code, ran.stderr).toBe(0);
    const [image] = readImages(at.layer);
    expect(image?.config).toMatchObject({ created: '2023-11-14T22:13:20Z' });
    expect(image?.manifest.annotations).toMatchObject({
      'org.opencontainers.image.title': 'app',
      'org.opencontainers.image.version': '1.2.3',
      'org.opencontainers.image.revision': 'f00d',
    });
  });

  test('without a lock, layers name none', async () => {
    expect((await bakeImage('other')).code).toBe(0);
    const [layer] = readImages(at.layer)[0]?.layers ?? [];
    expect(layer?.annotations).toMatchObject({ 'annex.versions': 'other@3.1.0' });
    expect(layer?.annotations).not.toHaveProperty('annex.lock');
  });

  test('another set of features replaces the image, and keeps the blobs', async () => {
    copyLocks(at.locked, at.sandbox);
    await bakeImage();
    const before = listBlobs(at.layer);
    const { image } = await bakeImage('kit');
    const images = readImages(at.layer);
    expect(images.map(({ descriptor }) => descriptor.digest)).toEqual([image.digest]);
    expect(images[0]?.layers).toHaveLength(1);
    expect(listBlobs(at.layer)).toEqual(expect.arrayContaining(before));
  });

  test('when a feature fails, no image is written, and an earlier one stays', async () => {
    copyLocks(at.locked, at.sandbox);
    await bakeImage();
    const before = at.sandbox.digest(at.layer);
    at.declare({ ...features, 'not-there': '^1.0.0' });
    const { code, stderr, results, image } = await bakeImage();
    expect({ code, image }).toEqual({ code: 1, image: null });
    expect(results).toMatchObject([
      { outcome: 'installed' },
      { outcome: 'installed' },
      { feature: 'not-there', outcome: 'failed' },
    ]);
    expect(stderr).toContain(`annex: no image was written to ${at.layer}: a feature failed\n`);
    expect(at.sandbox.digest(at.layer)).toEqual(before);
  });

  test('a feature of the core has no layer, and an image without any is refused', async () => {
    at.declare({ common: '^1.0.0', ...features });
    const { results, image } = await bakeImage();
    expect(results[0]).toMatchObject({ feature: 'common', outcome: 'core' });
    expect(image.digest).toMatch(/^sha256:/);
    expect(readImages(at.layer)[0]?.layers).toHaveLength(2);
    expect(await bakeImage('common')).toMatchObject({
      code: 1,
      error: { reason: expect.stringMatching(/ships every feature, and an image needs a layer$/) },
    });
  });

  test.each([
    ['inside the core', 'app/layer', /lies inside the core/],
    ['above the core', '.', /lies above the core/],
    ['of something else', 'else', /has file and is not an OCI image layout/],
  ])('a directory %s is refused, and unchanged', async (_, path, reason) => {
    at.sandbox.write('else/file', '');
    const digest = () => ['app', 'else'].map((each) => at.sandbox.digest(each));
    const before = digest();
    const dir = join(at.sandbox.root, path);
    const ran = await at.sandbox.annex(['bake', '--oci', dir]);
    expect(ran).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(reason) });
    expect(digest()).toEqual(before);
  });

  test('two bakes at once are both in the layout', async () => {
    copyLocks(at.locked, at.sandbox);
    const [first, second] = await Promise.all([bakeImage(), bakeImage()]);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(second.image).toEqual(first.image);
    expect(readImages(at.layer).map(({ descriptor }) => basename(descriptor.digest))).toEqual([
      first.image.digest,
    ]);
  });

  test.runIf(outerNodes.length > 1)(
    'another Node adds an image to the index, with the same layers',
    async () => {
      copyLocks(at.locked, at.sandbox);
      const [oldest, newest] = outerNodes;
      const first = await bakeOn(oldest);
      const second = await bakeOn(newest);
      const images = readImages(at.layer);
      expect(images.map(({ descriptor }) => descriptor.digest)).toEqual([
        first.image.digest,
        second.image.digest,
      ]);
      expect(images[0]?.manifest.layers).toEqual(images[1]?.manifest.layers);
      const before = at.sandbox.digest(at.layer);
      expect((await bakeOn(oldest)).image).toEqual(first.image);
      expect((await bakeOn(newest)).image).toEqual(second.image);
      expect(at.sandbox.digest(at.layer)).toEqual(before);
    },
  );
});
