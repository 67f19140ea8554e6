/** Compares the content of a load with the listing of its entry. */
import type { LoadFnOutput } from 'node:module';
import { digest } from '../base/digest.ts';
import { codeOf, isNotFound } from '../base/thrown.ts';
import { readListed } from '../store/verify.ts';

/** The source that a load hook returns. */
export type Content = LoadFnOutput['source'];

/** Whether content has the digest of the listing. */
export const hasDigest = (content: Content, wanted: string | undefined): boolean =>
  wanted !== undefined && content != null && digest(toBytes(content)) === wanted.slice(0, 64);

function toBytes(content: NonNullable<Content>): string | Uint8Array {
  if (typeof content === 'string') return content;
  if (!ArrayBuffer.isView(content)) return new Uint8Array(content);
  return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
}

/** The bytes of a file, if they are the listed ones. */
export function readSound(file: string, wanted: string | undefined): Buffer | undefined {
  if (wanted === undefined) return undefined;
  try {
    return readListed(file, wanted);
  } catch (error) {
    if (isNotFound(error) || codeOf(error) === 'EIO') return undefined;
    throw error;
  }
}
