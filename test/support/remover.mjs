/** Removes every entry as soon as it is there, as `annex uninstall` does: node remover.mjs STORE. Says "ready" first. */
import { mkdirSync, readdirSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const [, , store] = process.argv;
const entries = join(store, 'v1/any');
const removed = join(store, '../removed');
mkdirSync(removed);
let count = 0;
writeSync(1, 'ready');
for (;;) {
  for (const name of readdirSync(entries)) {
    renameSync(join(entries, name), join(removed, `${count}`));
    count += 1;
  }
}
