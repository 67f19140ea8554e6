/** Compares the content of a file of an entry with the digest in the listing. */
import type { LoadFnOutput } from 'node:module';
import { digest } from '../base/digest.ts';
import { codeOf } from '../base/thrown.ts';
import { readListed } from '../store/listed.ts';

/** What a load hook gives. */
export type Content = LoadFnOutput['source'];

/** Whether a content is the one that a listing has. */
export const hasDigest = (content: Content, wanted: string | undefined): boolean =>
  wanted !== undefined && content != null && digest(toBytes(content)) === wanted.slice(0, 64);

function toBytes(content: NonNullable<Content>): string | Uint8Array {
  if (typeof content === 'string') return content;
  if (!ArrayBuffer.isView(content)) return new Uint8Array(content);
  return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
}

/** The bytes of a file, if they are the expected ones. */
export function readSound(file: string, wanted: string | undefined): Buffer | undefined {
  if (wanted === undefined) return undefined;
  try {
    return readListed(file, wanted);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EIO'].includes(`${codeOf(error)}`)) return undefined;
    throw error;
  }
}
