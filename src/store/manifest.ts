/** Reads the manifest of an entry, and checks all of it. */
import { join } from 'node:path';
import { readJson } from '../base/files.ts';
import { isListOf, isOneOf, isRecordOf, isShape, isShared, isText } from '../base/shape.ts';
import { FORMAT, MANIFEST } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import type { ClosurePackage } from '../plan/content.ts';
import type { SharedPackage } from '../plan/plan.ts';

/** `annex-entry.json`: what an entry holds and for whom. */
export interface Manifest {
  format: 2;
  feature: string;
  /** The declared ranges that this entry was installed for. */
  specs: Record<string, string>;
  closure: ClosurePackage[];
  /** What the closure has on this platform, and was left out because it does not run on this Node. */
  skipped?: ClosurePackage[];
  shared: Record<string, SharedPackage>;
  private: string[];
  /** Packages whose install scripts ran. */
  scripts: string[];
  /** ABI directory it was made for: `any`, or `node137-linux-x64-glibc`. */
  abi: string;
  /** The annex that wrote it: `annex@1.0.0`. */
  tool: string;
}

/** Bytes of a manifest: 5,000 packages take a little less. An install writes none that is longer. */
export const MOST_MANIFEST = 2 * 2 ** 20;

/** What was found, or why there is none: as one clause. */
export type ReadManifest =
  | { manifest: Manifest }
  /** It is not as annex wrote it. */
  | { damage: string }
  /** It is of another format, or not for this user to read. */
  | { foreign: string };

/** Errors of the file system that say that the manifest is not the file that was written. */
const DAMAGES = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'EINVAL', 'EFBIG']);
/** Errors that say that it is another user's. */
const DENIALS = new Set(['EACCES', 'EPERM']);

const isPackage = isShape({ path: isText, name: isText, version: isText }, { integrity: isText });

const isManifest = isShape(
  {
    format: isOneOf([FORMAT]),
    feature: isText,
    specs: isRecordOf(isText),
    closure: isListOf(isPackage),
    shared: isShared,
    private: isListOf(isText),
    scripts: isListOf(isText),
    abi: isText,
    tool: isText,
  },
  { skipped: isListOf(isPackage) },
);

/**
 * Reads the manifest of an entry.
 *
 * @throws errors of the file system that say nothing about the manifest
 */
export function readManifest(dir: string): ReadManifest {
  try {
    const value: unknown = readJson(join(dir, MANIFEST), MOST_MANIFEST);
    if (isManifest(value)) return { manifest: value as Manifest };
    const { format } = (value ?? {}) as { format?: unknown };
    // Another format is told by its number.
    return isOther(format)
      ? { foreign: `its format is ${format}, and this annex reads ${FORMAT}` }
      : { damage: `${MANIFEST} is not as annex wrote it` };
  } catch (error) {
    if (error instanceof SyntaxError) return { damage: `${MANIFEST} does not parse as JSON` };
    const code = codeOf(error) ?? '';
    if (DAMAGES.has(code)) return { damage: `${MANIFEST} cannot be read (${code})` };
    if (DENIALS.has(code)) return { foreign: `its manifest cannot be read (${code})` };
    throw error;
  }
}

const isOther = (format: unknown): format is number =>
  Number.isSafeInteger(format) && Number(format) > 0 && format !== FORMAT;

/** The manifest of an entry; undefined when there is none that is whole. Throws as `readManifest` does. */
export function readEntryManifest(dir: string): Manifest | undefined {
  const read = readManifest(dir);
  return 'manifest' in read ? read.manifest : undefined;
}
