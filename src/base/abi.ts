/** The ABI of this process. */
import { closeSync, openSync, readSync } from 'node:fs';
import { nameAbi } from './platform.ts';

let abi: string | undefined;

/** Name of the ABI directory of this process; read once. */
export function readAbi(): string {
  abi ??= nameAbi({
    modules: process.versions.modules,
    platform: process.platform,
    arch: process.arch,
    head: process.platform === 'linux' ? readHead(process.execPath) : '',
  });
  return abi;
}

/** First bytes of a binary, which name its interpreter. */
function readHead(path: string): string {
  const buffer = Buffer.alloc(4096);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, buffer, 0, buffer.length, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
  return buffer.toString('latin1');
}
