/** The body of an answer as it arrives: counted, and on the disk once it is large. */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Where a body goes, and how large it may become. */
export interface Room {
  /** Bytes of a body. */
  most: number;
  /** A directory for bodies that are too large to wait in memory. */
  dir: string;
}

/** A body that is being received. */
export interface Body {
  /**
   * Takes the next bytes.
   *
   * @throws E2BIG when there is no room for them; errors of the file system, with `isLocal`
   */
  add(chunk: Buffer): void;
  /** All of it. */
  take(): Buffer;
  /** Gives it up, at the end in any case. */
  drop(): void;
}

/** Bytes of a body that wait in memory. Several are received at a time. */
const IN_MEMORY = 8 * 2 ** 20;

/**
 * Receives a body. What is too large to wait in memory goes into a file without a name, which ends
 * with this process at the latest.
 */
export function receiveBody({ most, dir }: Room): Body {
  let chunks: Buffer[] = [];
  let size = 0;
  let file: number | undefined;
  return {
    add(chunk) {
      size += chunk.length;
      if (size > most) throw makeTooLarge();
      chunks.push(chunk);
      if (size <= IN_MEMORY) return;
      markLocal(() => {
        file ??= openNameless(dir);
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

/** Whether an error is one of this machine, not of the connection. */
export const isLocal = (error: unknown): boolean =>
  (error as { isLocal?: true } | null)?.isLocal === true;

function markLocal<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw Object.assign(error as Error, { isLocal: true });
  }
}

let opened = 0;

function openNameless(dir: string): number {
  opened += 1;
  const path = join(dir, `.body-${process.pid}-${opened}`);
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
    if (read === 0) throw Object.assign(new Error('a file was cut short'), { code: 'EIO' });
    done += read;
  }
  return body;
}
