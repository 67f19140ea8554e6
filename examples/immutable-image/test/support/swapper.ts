/** Somebody who swaps a directory for a link, and back, as fast as can be. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** In turns: the directory is there, nothing is, the link is, nothing is. */
const SWAP = `const { renameSync, rmdirSync } = require('node:fs');
const [directory, link] = process.argv.slice(1);
let rounds = 0;
let going = true;
process.on('SIGTERM', () => { going = false; });
// Whoever is being disturbed may have made a directory where there was none.
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

/** Starts it; a link may lead anywhere. `stop` tells how often it has swapped them. */
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
