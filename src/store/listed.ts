/** Reads a file of an entry, provided that it is the listed one. */
import { digest } from '../base/digest.ts';
import { readRegular } from '../base/files.ts';
import { codeOf } from '../base/thrown.ts';
import { sizeOf } from './listing.ts';

/**
 * The bytes of a file that is the listed one. The size is compared before anything is read.
 *
 * @param value as in the listing: `SHA256 SIZE`
 * @returns undefined when it is another one, or no regular file
 * @throws errors of the file system
 */
export function readListed(path: string, value: string): Buffer | undefined {
  const size = sizeOf(value);
  if (Number.isNaN(size)) return undefined;
  try {
    const bytes = readRegular(path, size);
    return bytes.length === size && digest(bytes) === value.slice(0, 64) ? bytes : undefined;
  } catch (error) {
    if (['EFBIG', 'EINVAL', 'EISDIR', 'ELOOP'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}
