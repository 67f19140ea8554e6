/** Random archives, whole and damaged: files unpack as packed, and never outside the directory. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { codeOf } from '../../../src/base/thrown.ts';
import { extractTarball } from '../../../src/tarball/extract.ts';
import { signHeader, type TarEntry, writeArchive } from '../../support/tarball.ts';
import { digestTree, removeTree } from '../../support/tree.ts';

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

/** The expected listing of the packed files, computed independently. */
const listPacked = (files: { path: string; data: Buffer }[]): string =>
  [...files]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, data }) => `${sha256(data)} ${data.length}\t${path.replaceAll('\\', '\\\\')}\n`)
    .join('');

function openRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'annex-fuzz-'));
  onTestFinished(() => removeTree(root));
  return root;
}

/** Unpacks into an empty directory beside a file, and returns the resulting files. */
function attempt(root: string, tarball: Buffer) {
  const place = mkdtempSync(join(root, 'p-'));
  writeFileSync(join(place, 'mine'), 'mine', { mode: 0o644 });
  const dir = join(place, 'a', 'b', 'it');
  mkdirSync(dirname(dir), { recursive: true });
  let listing: string | undefined;
  let error: unknown;
  try {
    listing = extractTarball(tarball, dir, { files: 200_000, bytes: 2 ** 31 }).listing;
  } catch (thrown) {
    error = thrown;
  }
  const inside = digestTree(dir);
  removeTree(dir);
  const outside = digestTree(place);
  removeTree(place);
  return { listing, error, inside, outside };
}

const component = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
  )
  // A colon at the start would make a drive of Windows of `d`.
  .filter((text) => !/^:|[\p{Cc}\\/]/u.test(text) && Buffer.byteLength(text) < 240);
const file = fc.record({
  directories: fc.array(component, { maxLength: 6 }),
  name: component,
  data: fc.uint8Array({ maxLength: 1500 }).map((bytes) => Buffer.from(bytes)),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  longNames: fc.constantFrom('pax', 'gnu'),
  type: fc.constantFrom('file', 'old', 'contiguous'),
  pax: fc.constantFrom({}, { mtime: '1.5' }, { comment: 'a\nb=c', size: '' }),
});
/** No two of a directory and a file have one name, whatever the case. */
const files = fc.array(file, { minLength: 1, maxLength: 12 }).map((list) =>
  list.map(({ directories, name, pax, ...rest }, index) => ({
    ...rest,
    pax: 'size' in pax ? { ...pax, size: `${rest.data.length}` } : pax,
    path: [...directories.map((text) => `d${text}`), `${index}${name}`].join('/'),
  })),
);
const extras = fc.subarray<TarEntry>([
  { path: 'package/', type: 'directory' },
  { path: 'pax_global_header', type: 'global', data: '52 comment=7b29e1c\n' },
  { path: 'package/link', type: 'symlink', target: 'd/x' },
  { path: 'package/hard', type: 'hardlink', target: 'package/x', longNames: 'gnu' },
  {
    path: `package/${'l/'.repeat(90)}x`,
    type: 'symlink',
    target: 't/'.repeat(90),
    longNames: 'gnu',
  },
]);

test('every file unpacks as packed, whatever its name', () => {
  const root = openRoot();
  fc.assert(
    fc.property(files, extras, fc.string(), (list, more, seed) => {
      const packed = list.map((entry) => ({ ...entry, path: `package/${entry.path}` }));
      const order = (entry: TarEntry): string => sha256(Buffer.from(seed + entry.path));
      const entries = [...packed, ...more].sort((a, b) => (order(a) < order(b) ? -1 : 1));
      const { error, listing, inside } = attempt(root, gzipSync(writeArchive(entries)));
      expect(error).toBeUndefined();
      expect(listing).toBe(listPacked(list));
      for (const { path, mode, data } of list) {
        expect(inside[path]).toBe(`file ${mode & 0o111 ? '0555' : '0444'} ${sha256(data)}`);
      }
    }),
    { numRuns: 100 },
  );
});

test.each(['v7', 'ustar', 'oldgnu', 'gnu', 'pax'])(
  'an archive of GNU tar in its format %s',
  (format) => {
    const root = openRoot();
    const isShort = format === 'v7' || format === 'ustar';
    const deep = isShort ? `${'d'.repeat(40)}/e` : `${'é/日本/'.repeat(30)}${'n'.repeat(150)}`;
    const packed = ['a', 'b c', 'ü', deep].map((path) => ({ path, data: Buffer.from(path) }));
    for (const { path, data } of packed) {
      mkdirSync(join(root, 'package', dirname(path)), { recursive: true });
      writeFileSync(join(root, 'package', path), data);
    }
    const archive = execFileSync('tar', [`--format=${format}`, '-C', root, '-c', 'package']);
    expect(attempt(root, gzipSync(archive)).listing).toBe(listPacked(packed));
  },
);

/** Paths written over a name; unpacking drops the first component, so each has one in front. */
const hostile = [
  'x/../../../x',
  'x/../x',
  '/../../x',
  '../../x',
  '/x',
  'x/..',
  'x\\..\\..\\x',
  'x/\0',
  'x//x',
  'x/c:..',
  'x/\\..',
  'x/\xff',
];
const text = fc.oneof(
  fc.constantFrom(...hostile),
  fc.constantFrom('9', '-1', '7777', '\x80', '\xff', '0 path=x', ...'01234567xgLKSD'),
  fc.string({ unit: 'binary-ascii', maxLength: 2 }),
);
/** Offsets of the fields of a header: name, mode, size, type, target, magic, prefix. */
const fields = [0, 0, 0, 100, 124, 156, 157, 257, 345];
const damage = fc.record({
  kind: fc.constantFrom('write', 'field', 'field', 'field', 'cut', 'drop', 'double'),
  at: fc.nat(),
  field: fc.constantFrom(...fields),
  text,
});

interface Damage {
  kind: string;
  at: number;
  field: number;
  text: string;
}

const listHeaders = (archive: Buffer): number[] =>
  Array.from({ length: Math.floor(archive.length / 512) }, (_, index) => index * 512).filter(
    (at) => archive.toString('latin1', at + 257, at + 262) === 'ustar',
  );

/** Damages an archive; with `isSigned` its headers keep checksums that fit, so that what is behind them is reached. */
function damageArchive(whole: Buffer, damages: Damage[], isSigned: boolean): Buffer {
  let archive = Buffer.from(whole);
  for (const { kind, at, field, text: written } of damages) {
    const position = at % archive.length;
    const block = position - (position % 512);
    const bytes = Buffer.from(written, 'latin1');
    const headers = listHeaders(archive);
    if (kind === 'write') bytes.copy(archive, position);
    else if (kind === 'field') bytes.copy(archive, (headers[at % headers.length] ?? 0) + field);
    else if (kind === 'cut') archive = archive.subarray(0, Math.max(position, 1));
    else if (kind === 'drop' && archive.length > 512) {
      archive = Buffer.concat([archive.subarray(0, block), archive.subarray(block + 512)]);
    } else if (kind === 'double') {
      archive = Buffer.concat([archive.subarray(0, block + 512), archive.subarray(block)]);
    }
  }
  if (isSigned) for (const at of listHeaders(archive)) signHeader(archive.subarray(at, at + 512));
  return archive;
}

test('a damaged archive writes nothing outside its directory, and fails in one way', () => {
  const root = openRoot();
  const outcomes = { unpacked: 0, refused: 0 };
  fc.assert(
    fc.property(
      files,
      extras,
      fc.array(damage, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (list, more, damages, isSigned) => {
        const packed = list.map((entry) => ({ ...entry, path: `package/${entry.path}` }));
        const archive = damageArchive(writeArchive([...packed, ...more]), damages, isSigned);
        const { error, inside, outside } = attempt(root, gzipSync(archive));
        if (error === undefined) outcomes.unpacked += 1;
        else outcomes.refused += 1;
        expect([undefined, 'ANNEX_INTEGRITY'], String(error)).toContain(error && codeOf(error));
        for (const found of Object.values(inside)) {
          expect(found).toMatch(/^(directory 0755|file 0[45]{3} [0-9a-f]{64})$/);
        }
        expect(Object.keys(outside)).toEqual(['.', 'a', 'a/b', 'mine']);
        expect(outside.mine).toBe(`file 0644 ${sha256(Buffer.from('mine'))}`);
      },
    ),
    { numRuns: 250 },
  );
  // Otherwise the damage is too small or too large to prove anything.
  expect(Math.min(outcomes.unpacked, outcomes.refused)).toBeGreaterThan(10);
});

test('a damaged tarball is refused, or was whole', () => {
  const root = openRoot();
  const entries = [{ path: 'package/a', data: 'a'.repeat(3000) }, { path: 'package/b' }];
  const whole = gzipSync(writeArchive(entries));
  const expected = attempt(root, whole).listing;
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, byte, isCut) => {
      const tarball = Buffer.from(isCut ? whole.subarray(0, at) : whole);
      if (!isCut) tarball.writeUInt8(byte, at);
      const { listing, error } = attempt(root, tarball);
      if (error === undefined) expect(listing).toBe(expected);
      else expect(codeOf(error), String(error)).toBe('ANNEX_INTEGRITY');
    }),
    { numRuns: 100 },
  );
});
