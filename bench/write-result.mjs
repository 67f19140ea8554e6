/** Writes the results of a benchmark into bench/results. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './setting.mjs';

/**
 * Writes NAME.json and NAME.svg.
 *
 * @param {string} name of the benchmark
 * @param {object} result
 * @param {string} picture
 */
export function writeResult(name, result, picture) {
  const directory = join(ROOT, 'bench/results');
  mkdirSync(directory, { recursive: true });
  // Innermost objects, and lists of numbers, in one line each.
  const json = JSON.stringify(result, undefined, 2)
    .replace(/\{[^{}[\]]*\}/g, (text) => text.replace(/\n\s*/g, ' '))
    .replace(/\[[\d\s.,]*\]/g, (text) => text.replace(/\s+/g, '').replace(/,/g, ', '));
  writeFileSync(join(directory, `${name}.json`), `${json}\n`);
  writeFileSync(join(directory, `${name}.svg`), picture);
}
