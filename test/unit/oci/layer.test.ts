/** The archive of a layer. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { digest } from '../../../src/base/digest.ts';
import { writeLayer } from '../../../src/oci/layer.ts';
import { removeTree } from '../../support/tree.ts';
import { asPlainUser, giveTo } from '../../support/user.ts';

const entry = 'v1/any/kit.0.0';

function makeRoot(): string {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-layer-'));
  onTestFinished(() => removeTree(root));
  return root;
}

/** Writes files, in this order, into a new tree; a text after `-> ` is the target of a link. */
function makeTree(files: Record<string, string>): string {
  const root = makeRoot();
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, entry, path);
    mkdirSync(dirname(file), { recursive: true });
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), file);
    else writeFileSync(file, text, { mode: 0o444 });
  }
  return root;
}

const write = async (root: string, shared: string[] = []) => {
  const dir = makeRoot();
  const written = await writeLayer({ root, entry, shared }, dir);
  expect(readdirSync(dir)).toEqual([written.digest]);
  return { ...written, bytes: readFileSync(join(dir, written.digest)) };
};

const list = (bytes: Buffer): string[] =>
  `${execFileSync('tar', ['-tzf', '-'], { input: bytes })}`.split('\n').filter(Boolean);

const files = {
  'node_modules/kit/index.js': 'x'.repeat(200_000),
  'node_modules/kit/empty.js': '',
  'node_modules/kit/link.js': '-> index.js',
  'package.json': '{}',
};

test('has every file, sorted, with the digests of both forms', async () => {
  const { bytes, size, digest: packed, diffId } = await write(makeTree(files));
  const archive = gunzipSync(bytes);
  expect({ size, packed, diffId }).toEqual({
    size: bytes.length,
    packed: digest(bytes),
    diffId: digest(archive),
  });
  expect(bytes.subarray(0, 10).toString('hex')).toBe('1f8b0800000000000003');
  expect(list(bytes)).toEqual([
    'v1/',
    'v1/any/',
    `${entry}/`,
    `${entry}/node_modules/`,
    `${entry}/node_modules/kit/`,
    `${entry}/node_modules/kit/empty.js`,
    `${entry}/node_modules/kit/index.js`,
    `${entry}/node_modules/kit/link.js`,
    `${entry}/package.json`,
  ]);
  const out = makeRoot();
  execFileSync('tar', ['-xzf', '-', '-C', out], { input: bytes });
  const text = readFileSync(join(out, entry, 'node_modules/kit/link.js'), 'utf8');
  expect(text).toBe(files['node_modules/kit/index.js']);
});

test('a plain user can unpack it, though its directories are read-only', async () => {
  const names = ['lib.js', 'lib-two/index.js', 'lib/index.js', 'lib/deep/index.js'];
  const root = makeTree(Object.fromEntries(names.map((name) => [name, name])));
  for (const name of ['lib/deep', 'lib', 'lib-two', '.']) chmodSync(join(root, entry, name), 0o555);
  const { bytes } = await write(root);
  expect(list(bytes).slice(3)).toEqual(
    [
      'lib/',
      'lib/deep/',
      'lib/deep/index.js',
      'lib/index.js',
      'lib-two/',
      ...names.slice(1, 2),
      'lib.js',
    ].map((name) => `${entry}/${name}`),
  );
  const out = makeRoot();
  giveTo(asPlainUser, out);
  execFileSync('tar', ['-xzf', '-', '-C', out], { input: bytes, ...asPlainUser });
  for (const name of names) expect(readFileSync(join(out, entry, name), 'utf8')).toBe(name);
  const changed = execFileSync('find', [out, '-mindepth', '1', '-newermt', '@0']);
  expect(`${changed}`).toBe('');
});

test('does not depend on times, owners, paths, or the order in which files were written', async () => {
  const other = makeTree(Object.fromEntries(Object.entries(files).reverse()));
  utimesSync(join(other, entry, 'package.json'), 1_000, 1_000);
  expect((await write(other)).digest).toBe((await write(makeTree(files))).digest);
});

test('depends on modes', async () => {
  const other = makeTree(files);
  chmodSync(join(other, entry, 'package.json'), 0o555);
  expect((await write(other)).diffId).not.toBe((await write(makeTree(files))).diffId);
});

test('lacks the links to packages of the application, and a scope of links alone', async () => {
  const shared = ['common', '@core/one', '@core/two', '@both/core', 'kit'];
  const links = {
    'node_modules/common': '-> /somewhere/common',
    'node_modules/@core/one': '-> /somewhere/one',
    'node_modules/@core/two': '-> /somewhere/two',
    'node_modules/@both/core': '-> /somewhere/core',
  };
  const own = { ...files, 'node_modules/@both/own/index.js': '' };
  const linked = await write(makeTree({ ...own, ...links }), shared);
  expect(linked.digest).toBe((await write(makeTree(own), shared)).digest);
});
