/** Receives the body of a response: of limited size, and on the disk once it is large. */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Limits of a body. */
export interface BodyLimits {
  maxBytes: number;
  /** A directory for bodies larger than `MAX_IN_MEMORY`. */
  dir: string;
  /** Called with the number of bytes of each chunk. */
  onBytes?: (count: number) => void;
}

/** A body that is being received. */
export interface Body {
  /** @throws E2BIG for too many bytes; errors of the file system that `isLocal` recognizes */
  add(chunk: Buffer): void;
  /** Returns all bytes. */
  take(): Buffer;
  /** Frees the memory and the file; the caller must call it in every case. */
  drop(): void;
}

/** Several bodies are received at a time. */
const MAX_IN_MEMORY = 8 * 2 ** 20;

/** Receives a body. A large one goes into an unlinked file, which the system removes with this process. */
export function receiveBody({ maxBytes, dir, onBytes }: BodyLimits): Body {
  let chunks: Buffer[] = [];
  let size = 0;
  let file: number | undefined;
  return {
    add(chunk) {
      size += chunk.length;
      if (size > maxBytes) throw makeTooLarge();
      onBytes?.(chunk.length);
      chunks.push(chunk);
      if (size <= MAX_IN_MEMORY) return;
      markLocal(() => {
        file ??= openUnlinked(dir);
        for (const each of chunks.splice(0)) writeWhole(file, each);
      });
    },
    take: () => {
      if (file === undefined) return Buffer.concat(chunks, size);
      const from = file;
      return markLocal(() => readWhole(from, size));
    },
    drop() {
      chunks = [];
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

export const makeTooLarge = (): Error => Object.assign(new Error('E2BIG'), { code: 'E2BIG' });

/** Whether an error comes from the file system, not from the connection: both may have the same code. */
export const isLocal = (error: unknown): boolean =>
  (error as { isLocal?: true } | null)?.isLocal === true;

function markLocal<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw Object.assign(error as Error, { isLocal: true });
  }
}

/** The directory may be the system's temporary one, where another user could take a name that can be guessed. */
function openUnlinked(dir: string): number {
  const path = join(dir, `.body-${process.getBuiltinModule('node:crypto').randomUUID()}`);
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}

function writeWhole(file: number, chunk: Buffer): void {
  for (let done = 0; done < chunk.length; ) done += writeSync(file, chunk, done);
}

function readWhole(file: number, size: number): Buffer {
  const body = Buffer.allocUnsafeSlow(size);
  for (let done = 0; done < size; ) {
    const read = readSync(file, body, done, size - done, done);
    if (read === 0)
      throw Object.assign(new Error('the file of a body was truncated'), { code: 'EIO' });
    done += read;
  }
  return body;
}
