/** What kind of disk the installs go to, and whether it is in a state to be measured on. */
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

const FILES = 2000;
/** https://man7.org/linux/man-pages/man2/statfs.2.html */
const TYPES = { 61267: 'ext4', 1481003842: 'xfs', 2435016766: 'btrfs', 16914836: 'tmpfs' };

export const nameDisk = (directory) => TYPES[statfsSync(directory).type] ?? 'disk';

/** @returns {number} microseconds that writing one small file takes */
export function probeDisk(directory) {
  const place = join(directory, `probe-${performance.now()}`);
  mkdirSync(place);
  const content = Buffer.alloc(2000, 'x');
  const start = performance.now();
  for (let i = 0; i < FILES; i++) writeFileSync(join(place, String(i)), content);
  return Math.round(((performance.now() - start) / FILES) * 1000);
}
