/** The files of an OCI image layout, whatever happens while an image is added. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { digest } from '../../../src/base/digest.ts';
import type { Descriptor } from '../../../src/oci/image.ts';
import { addImage, checkLayout } from '../../../src/oci/layout.ts';
import { withLock } from '../../../src/store/lock.ts';
import { removeTree } from '../../support/tree.ts';

let dir: string;
let work: string;
beforeEach(() => {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-layout-'));
  onTestFinished(() => removeTree(root));
  dir = join(root, 'layout');
  work = join(root, 'work');
  mkdirSync(dir);
  mkdirSync(work);
});

const wait = { limit: 20_000, onWait: () => {} };

/** Adds an image whose only blob is its content. */
function add(name: string | undefined, content: string, options = {}): Promise<void> {
  const own = mkdtempSync(join(work, 'own-'));
  const blob = digest(content);
  writeFileSync(join(own, blob), content);
  const annotations = name === undefined ? {} : { 'org.opencontainers.image.ref.name': name };
  const descriptor = { mediaType: 'm', digest: `sha256:${blob}`, size: 1, annotations };
  return addImage(dir, { work: own, blobs: [blob], descriptor, ...options }, wait);
}

const readIndex = () => JSON.parse(readFileSync(join(dir, 'index.json'), 'utf8'));
const listImages = (): string[] =>
  readIndex().manifests.map(
    ({ annotations, digest }: Descriptor) =>
      `${annotations?.['org.opencontainers.image.ref.name']} ${digest.slice(7)}`,
  );

describe('an image', () => {
  test('is added to a layout that it makes', async () => {
    await add('a', 'one');
    expect(readFileSync(join(dir, 'oci-layout'), 'utf8')).toBe('{"imageLayoutVersion":"1.0.0"}');
    expect(readIndex()).toMatchObject({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
    });
    expect(listImages()).toEqual([`a ${digest('one')}`]);
    expect(readFileSync(join(dir, 'blobs', 'sha256', digest('one')), 'utf8')).toBe('one');
  });

  test('replaces the one of its name; others stay, sorted by name', async () => {
    await add('b', 'one');
    await add('a', 'two');
    await add('b', 'three');
    expect(listImages()).toEqual([`a ${digest('two')}`, `b ${digest('three')}`]);
    checkLayout(dir);
  });

  test('leaves what other tools wrote into the index', async () => {
    const theirs = { mediaType: 'm', digest: 'sha256:0', size: 1, data: 'eA==' };
    const index = { schemaVersion: 2, manifests: [theirs], annotations: { by: 'them' } };
    writeFileSync(join(dir, 'index.json'), JSON.stringify(index));
    writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    await add('a', 'one');
    const { manifests, annotations } = readIndex();
    expect(manifests[0]).toEqual(theirs);
    expect({ count: manifests.length, annotations }).toEqual({
      count: 2,
      annotations: { by: 'them' },
    });
  });

  test('is not lost when several are added at once', async () => {
    const names = ['a', 'b', 'c', 'd'];
    await Promise.all(names.map((name) => add(name, name)));
    expect(listImages()).toEqual(names.map((name) => `${name} ${digest(name)}`));
  });

  test('that fails half-way leaves the index as it was', async () => {
    const missing = { blobs: [digest('one'), digest('missing')] };
    await expect(add('a', 'one', missing)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(listImages()).toEqual([]);
    checkLayout(dir);
    await add('a', 'one');
    await expect(add('a', 'two', missing)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(listImages()).toEqual([`a ${digest('one')}`]);
  });

  test('waits for another process until the limit', async () => {
    await add('a', 'one');
    const place = { store: dir, dirs: ['annex-locks'], name: 'index.lock' };
    const { signal } = new AbortController();
    const free = { isDone: () => false, signal, limit: 1, isPatient: false, onWait: () => {} };
    const onLimit = () => new Error('unexpected');
    await withLock(
      place,
      async () => {
        const image = { work, blobs: [], descriptor: { mediaType: 'm', digest: 'd', size: 1 } };
        await expect(addImage(dir, image, { ...wait, limit: 2_000 })).rejects.toMatchObject({
          code: 'ANNEX_INVALID_CONFIG',
          message: expect.stringMatching(/process \d+ .*has been changing \S+ for longer than 2 s/),
        });
      },
      { ...free, onLimit },
    );
  });
});

describe('a directory', () => {
  test.each<[string, Record<string, string>, string]>([
    [
      'with other files',
      { 'package.json': '{}' },
      'has package.json and is not an OCI image layout',
    ],
    [
      'with an invalid index',
      { 'index.json': '{' },
      'index.json is not one of an OCI image layout',
    ],
    [
      'with an index of another version',
      { 'index.json': '{"schemaVersion":1,"manifests":[]}' },
      'index.json is not one',
    ],
    [
      'with an index that is nested too deeply to be written again',
      {
        'index.json': `{"schemaVersion":2,"manifests":[],"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
        'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
      },
      'index.json is not one of an OCI image layout',
    ],
    [
      'with another layout',
      { 'oci-layout': '{"imageLayoutVersion":"2.0.0"}' },
      'oci-layout is not one',
    ],
  ])('%s is refused', (_, files, reason) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    expect(() => checkLayout(dir)).toThrow(
      expect.objectContaining({
        code: 'ANNEX_INVALID_CONFIG',
        message: expect.stringContaining(reason),
      }),
    );
    expect(readdirSync(dir)).toEqual(Object.keys(files));
  });

  const descriptor = { mediaType: 'm', digest: 'sha256:0', size: 1 };
  test.each<[string, unknown]>([
    ['nothing', null],
    ['no digest', { mediaType: 'm', size: 1 }],
    ['a path as its digest', { ...descriptor, digest: '../../file' }],
    ['a negative size', { ...descriptor, size: -1 }],
    ['annotations that are no texts', { ...descriptor, annotations: { name: {} } }],
  ])('whose index lists %s is refused', (_, one) => {
    const path = join(dir, 'index.json');
    writeFileSync(path, JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
    checkLayout(dir);
    writeFileSync(path, JSON.stringify({ schemaVersion: 2, manifests: [descriptor, one] }));
    expect(() => checkLayout(dir)).toThrow(/index.json is not one of an OCI image layout/);
  });

  test('with an index of a terabyte, or a link to one, is refused', () => {
    const path = join(dir, 'index.json');
    writeFileSync(path, '');
    truncateSync(path, 2 ** 40);
    expect(() => checkLayout(dir)).toThrow(/index.json is not one/);
    renameSync(path, `${dir}-index`);
    symlinkSync(`${dir}-index`, path);
    expect(() => checkLayout(dir)).toThrow(/index.json is not one/);
  });

  test.each(['blobs', 'blobs/sha256', 'annex-locks'])(
    'with a link or a file as %s is refused, and nothing is written through the link',
    async (name) => {
      await add('a', 'one');
      const path = join(dir, name);
      const elsewhere = `${dir}-elsewhere`;
      renameSync(path, elsewhere);
      const before = readdirSync(elsewhere, { recursive: true });
      symlinkSync(elsewhere, path);
      expect(() => checkLayout(dir)).toThrow(`${path} is not a directory`);
      // It can become one after the check.
      await expect(add('a', 'two')).rejects.toThrow(/is a symbolic link/);
      expect(readdirSync(elsewhere, { recursive: true })).toEqual(before);
      removeTree(path);
      writeFileSync(path, '');
      expect(() => checkLayout(dir)).toThrow(`${path} is not a directory`);
    },
  );

  test('that is a file or a dangling link is refused; a link to a layout is followed', async () => {
    writeFileSync(`${dir}-file`, '');
    expect(() => checkLayout(`${dir}-file`)).toThrow(`${dir}-file is not a directory`);
    await add('a', 'one');
    renameSync(dir, `${dir}-real`);
    symlinkSync(`${dir}-real`, dir);
    checkLayout(dir);
    await add('b', 'two');
    expect(listImages()).toHaveLength(2);
    removeTree(`${dir}-real`);
    expect(() => checkLayout(dir)).toThrow(`${dir} is not a directory`);
  });

  test('that is missing, empty or begun is accepted', () => {
    checkLayout(join(dir, 'missing'));
    checkLayout(dir);
    mkdirSync(join(dir, 'annex-work.of-a-killed-process'));
    mkdirSync(join(dir, 'blobs'));
    checkLayout(dir);
  });
});
