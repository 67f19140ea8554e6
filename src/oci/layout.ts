/** An OCI image layout: a directory of images, whose index names them. */
import { lstatSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AnnexError } from '../base/error.ts';
import { pathExists, readJson } from '../base/files.ts';
import {
  isCount,
  isListOf,
  isOneOf,
  isRecordOf,
  isShallow,
  isShape,
  isText,
} from '../base/shape.ts';
import { isNotFound, isTransient } from '../base/thrown.ts';
import { makeIn, withDir } from '../store/directory.ts';
import { withLock } from '../store/lock.ts';
import { type Descriptor, MEDIA, REF_NAME } from './image.ts';

/** How to wait for another process that changes the same layout. */
export interface LayoutWait {
  /** ms */
  limit: number;
  onWait: (holder: string) => void;
}

const MARK = 'oci-layout';
const INDEX = 'index.json';
/** Directory of the lock of the index. */
const LOCKS = 'annex-locks';
const BLOBS = ['blobs', 'sha256'] as const;
/** Names in a layout that a killed process has begun. */
const IS_OWN = /^(?:oci-layout|index\.json|blobs|annex-.*)$/;
/** Bytes of an index; registries refuse a longer manifest. */
const MAX_INDEX = 4 * 2 ** 20;

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests */
const DIGEST = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[\w=-]+$/;

const isDescriptor = isShape(
  {
    mediaType: isText,
    digest: (value) => typeof value === 'string' && DIGEST.test(value),
    size: isCount,
  },
  { annotations: isRecordOf((value) => typeof value === 'string') },
);
const isIndex = isShape({ schemaVersion: isOneOf([2]), manifests: isListOf(isDescriptor) });
const isMark = isShape({ imageLayoutVersion: isOneOf(['1.0.0']) });

/** `index.json`, with what other tools wrote. */
interface Index {
  manifests: Pick<Descriptor, 'annotations'>[];
}

/**
 * Refuses a directory that is neither an image layout nor empty. A missing one is accepted.
 *
 * @throws AnnexError, and errors of the file system
 */
export function checkLayout(dir: string): void {
  if (!pathExists(dir)) return;
  const isLayout = pathExists(join(dir, MARK));
  const foreign = list(dir).find((name) => !IS_OWN.test(name));
  if (!isLayout && foreign !== undefined) {
    throw refuse(`${dir} has ${foreign} and is not an OCI image layout`);
  }
  if (isLayout) read(dir, MARK, isMark);
  if (pathExists(join(dir, INDEX))) read(dir, INDEX, isIndex);
  for (const path of [LOCKS, BLOBS[0], join(...BLOBS)].map((name) => join(dir, name))) {
    // A link would lead what is written out of the layout.
    const isOther = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
    if (isOther) throw refuse(`${path} is not a directory`);
  }
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    throw isNotFound(error) ? refuse(`${dir} is not a directory`) : error;
  }
}

/** An image to add. */
export interface NewImage {
  descriptor: Descriptor;
  /** A directory on the volume of the layout, for files that are written. */
  work: string;
  /** Files in that directory, which move into the layout: sha256 in hex digits, as they are named. */
  blobs: string[];
}

/**
 * Adds an image to a layout, in place of one with the same name. The layout is valid at each moment: the index is
 * replaced last, and by a rename.
 *
 * @throws AnnexError when the index is not valid, or another process does not free it in time
 */
export async function addImage(
  dir: string,
  { descriptor, work, blobs }: NewImage,
  { limit, onWait }: LayoutWait,
): Promise<void> {
  withDir(dir, [], (layout) => makeIn(layout, LOCKS));
  const onLimit = (holder: string): AnnexError =>
    refuse(`${holder} has been changing ${dir} for longer than ${Math.round(limit / 1000)} s`);
  const { signal } = new AbortController();
  await withLock(
    { store: dir, dirs: [LOCKS], name: 'index.lock' },
    async () => {
      const replace = (name: string, content: object): void => {
        const path = join(work, name);
        writeFileSync(path, JSON.stringify(content));
        renameSync(path, join(dir, name));
      };
      withDir(dir, [], (layout) => makeIn(layout, BLOBS[0]));
      withDir(dir, [BLOBS[0]], (above) => makeIn(above, BLOBS[1]));
      if (!pathExists(join(dir, INDEX))) replace(INDEX, composeIndex([]));
      if (!pathExists(join(dir, MARK))) replace(MARK, { imageLayoutVersion: '1.0.0' });
      withDir(dir, [...BLOBS], (target) => {
        for (const blob of blobs) renameSync(join(work, blob), target.at(blob));
      });
      const { manifests, ...rest } = read(dir, INDEX, isIndex) as unknown as Index;
      const name = nameOf(descriptor);
      const others = manifests.filter((one) => nameOf(one) !== name);
      const all = [...others, descriptor].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
      replace(INDEX, { ...rest, ...composeIndex(all) });
    },
    { isDone: () => false, signal, limit, isPatient: false, onWait, onLimit },
  );
}

const composeIndex = (manifests: object[]) => ({
  schemaVersion: 2,
  mediaType: MEDIA.index,
  manifests,
});

const nameOf = ({ annotations }: Pick<Descriptor, 'annotations'>): string =>
  annotations?.[REF_NAME] ?? '';

function read(dir: string, name: string, isValid: (value: unknown) => boolean): object {
  const path = join(dir, name);
  try {
    const value = readJson(path, MAX_INDEX);
    if (isValid(value) && isShallow(value)) return value as object;
  } catch (error) {
    if (isTransient(error)) throw error;
  }
  throw refuse(`${path} is not one of an OCI image layout`);
}

const refuse = (reason: string): AnnexError =>
  new AnnexError({
    code: 'ANNEX_INVALID_CONFIG',
    reason,
    hint: 'name an empty directory, or one that annex bake --oci has written',
  });
