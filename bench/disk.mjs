/** File system of the installs, and whether it is fast enough to measure on. */
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

const FILES = 2000;
/** https://man7.org/linux/man-pages/man2/statfs.2.html */
const TYPES = { 61267: 'ext4', 1481003842: 'xfs', 2435016766: 'btrfs', 16914836: 'tmpfs' };

export const nameDisk = (directory) => TYPES[statfsSync(directory).type] ?? 'disk';

/** @returns {number} microseconds to write one small file */
export function probeDisk(directory) {
  const place = join(directory, `probe-${performance.now()}`);
  mkdirSync(place);
  const content = Buffer.alloc(2000, 'x');
  const start = performance.now();
  for (let i = 0; i < FILES; i++) writeFileSync(join(place, String(i)), content);
  return Math.round(((performance.now() - start) / FILES) * 1000);
}
