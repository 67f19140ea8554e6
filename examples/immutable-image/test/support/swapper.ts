/** A process that swaps a directory with a link as fast as possible. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Cycles through directory, nothing, link, nothing. */
const SWAP = `const { renameSync, rmdirSync } = require('node:fs');
const [directory, link] = process.argv.slice(1);
let rounds = 0;
let going = true;
process.on('SIGTERM', () => { going = false; });
// The disturbed process may have created a directory meanwhile.
const move = (from, to) => {
  for (;;) {
    try {
      return renameSync(from, to);
    } catch {
      try { rmdirSync(to); } catch {}
    }
  }
};
const swap = () => {
  for (const end = Date.now() + 20; Date.now() < end; rounds += 1) {
    move(directory, directory + '.away');
    move(link, directory);
    move(directory, link);
    move(directory + '.away', directory);
  }
  if (going) setImmediate(swap);
  else console.log(rounds);
};
console.log('started');
swap();`;

/** Starts the process. `stop` returns the number of swaps. */
export function createSwapper(
  directory: string,
  link: string,
): { started: Promise<unknown>; stop(): Promise<number> } {
  const child = spawn(process.execPath, ['-e', SWAP, directory, link], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const closed = once(child, 'close');
  return {
    started: once(child.stdout, 'data'),
    stop: async () => {
      child.kill();
      await closed;
      return Number(output.split('\n')[1]);
    },
  };
}
