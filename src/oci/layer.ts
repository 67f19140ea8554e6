/** Writes an entry as a layer of an image. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  createWriteStream,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import {
  composePadding,
  composeTarHeader,
  TAR_END,
  type TarMember,
} from '../tarball/compose-tar.ts';

/** The tree of a layer. */
export interface Tree {
  /** The directory that becomes the root. */
  root: string;
  /** Path of the entry below it: `v1/any/kit.0f9a.0`. */
  entry: string;
  /** Names that the entry shares with the application. */
  shared: string[];
}

/** A written layer. */
export interface WrittenLayer {
  /** sha256 of the compressed file, in hex digits. */
  digest: string;
  /** Bytes of that file. */
  size: number;
  /** sha256 of the archive, in hex digits. */
  diffId: string;
}

const CHUNK = 65_536;
/** zlib's default, named because the bytes depend on it. */
const LEVEL = 6;
/** Where a gzip header names the system, and the value for Unix. */
const [SYSTEM_AT, UNIX] = [9, 3];

/**
 * Writes an entry and the directories above it as a gzipped archive, which is named by its digest. The bytes depend only on names, modes and
 * contents. Links to packages of the application are left out: they name a path on this machine.
 *
 * @param dir where the file is written
 * @throws errors of the file system
 */
export async function writeLayer(tree: Tree, dir: string): Promise<WrittenLayer> {
  const whole = createHash('sha256');
  const packed = createHash('sha256');
  let size = 0;
  const path = join(dir, 'layer.tar.gz');
  await pipeline(
    function* () {
      for (const chunk of readArchive(tree)) {
        whole.update(chunk);
        yield chunk;
      }
    },
    createGzip({ level: LEVEL }),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        if (size === 0) chunk[SYSTEM_AT] = UNIX;
        size += chunk.length;
        packed.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path),
  );
  const digest = packed.digest('hex');
  renameSync(path, join(dir, digest));
  return { digest, size, diffId: whole.digest('hex') };
}

function* readArchive(tree: Tree): Generator<Buffer> {
  for (const path of listPaths(tree)) yield* readMember(join(tree.root, path), path);
  yield TAR_END;
}

/**
 * The paths of a layer, the names in a directory sorted by code units. What is in a directory follows it at once: only then
 * can tar unpack it as a user for whom it becomes read-only, and leave its time as it is.
 */
function listPaths({ root, entry, shared }: Tree): string[] {
  const links = new Set(shared.map((name) => `${entry}/node_modules/${name}`));
  const isShared = (path: string, one: Dirent): boolean => one.isSymbolicLink() && links.has(path);
  const list = (dir: string): string[] =>
    readSorted(join(root, dir)).flatMap((one) => {
      const path = `${dir}/${one.name}`;
      if (isShared(path, one)) return [];
      if (!one.isDirectory()) return [path];
      const below = list(path);
      // A scope with links alone.
      const isLeftOut = below.length === 0 && [...links].some((link) => dirname(link) === path);
      return isLeftOut ? [] : [path, ...below];
    });
  const above = entry.split('/').map((_, index, names) => names.slice(0, index + 1).join('/'));
  return [...above, ...list(entry)];
}

const readSorted = (dir: string): Dirent[] =>
  readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));

function* readMember(file: string, path: string): Generator<Buffer> {
  const stat = lstatSync(file);
  const mode = stat.mode & 0o777;
  if (stat.isDirectory()) yield composeTarHeader({ path, type: 'directory', mode, size: 0 });
  else if (stat.isSymbolicLink()) {
    const link: TarMember = { path, type: 'link', mode: 0o777, size: 0 };
    yield composeTarHeader({ ...link, target: readlinkSync(file) });
  } else if (stat.isFile()) yield* readFile(file, { path, mode });
}

function* readFile(file: string, { path, mode }: { path: string; mode: number }) {
  const opened = openSync(file, 'r');
  try {
    const { size } = fstatSync(opened);
    yield composeTarHeader({ path, type: 'file', mode, size });
    for (let left = size; left > 0; ) {
      const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK));
      const read = readSync(opened, chunk);
      if (read === 0) throw new Error(`${file} became shorter while it was read`);
      left -= read;
      yield chunk.subarray(0, read);
    }
    yield composePadding(size);
  } finally {
    closeSync(opened);
  }
}
