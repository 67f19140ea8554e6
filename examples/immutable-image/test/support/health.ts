/** Measures the response time of /health continuously, inside the container's network. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Container } from './container.ts';

/** Times in ms. */
export interface Spread {
  median: number;
  p99: number;
  worst: number;
}

/** Responses of /health. */
export interface Health {
  count: number;
  /** Missing responses, or ones other than 200. */
  failed: number;
  /** Wall-clock time. */
  all: Spread;
  /** Without the time in which gateway and prober waited for a CPU, since tests run concurrently. */
  own: Spread;
}

interface Answered {
  isHealthy: boolean;
  ms: number;
  own: number;
}

const program = join(import.meta.dirname, 'prober.mjs');

function spread(times: number[]): Spread {
  const sorted = times.sort((one, other) => one - other);
  const rank = (part: number): number =>
    Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN);
  return { median: rank(0.5), p99: rank(0.99), worst: rank(1) };
}

/**
 * Starts the prober in a separate process.
 * @returns a function that ends it and returns the result
 */
export async function watchHealth({ pid }: Pick<Container, 'pid'>): Promise<() => Promise<Health>> {
  const args = ['-t', pid(), '-n', process.execPath, program];
  const child = spawn('nsenter', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'readable');
  return async () => {
    child.stdin.end();
    const said = (await text(child.stdout)).trimEnd().split('\n');
    const answers = JSON.parse(said.at(-1) ?? '') as Answered[];
    return {
      count: answers.length,
      failed: answers.filter(({ isHealthy }) => !isHealthy).length,
      all: spread(answers.map(({ ms }) => ms)),
      own: spread(answers.map(({ own }) => own)),
    };
  };
}
