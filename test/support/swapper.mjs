/**
 * Swaps a directory for a link to another and back until it is killed: node swapper.mjs DIRECTORY TARGET.
 * Prints "ready" first.
 */
import { renameSync, symlinkSync, unlinkSync, writeSync } from 'node:fs';

const [, , directory, target] = process.argv;
const attempt = (action) => {
  try {
    action();
  } catch {
    // The other process has removed it, or not created it yet.
  }
};
writeSync(1, 'ready');
for (;;) {
  attempt(() => renameSync(directory, `${directory}.aside`));
  attempt(() => symlinkSync(target, directory));
  attempt(() => unlinkSync(directory));
  attempt(() => renameSync(`${directory}.aside`, directory));
}
