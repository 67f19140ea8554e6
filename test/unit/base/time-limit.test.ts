/** Time limits hold although nothing else refers to their signal. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { startTimeLimit } from '../../../src/base/time-limit.ts';
import { repositoryRoot } from '../../support/package.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** A signal as that of a request: made of signals that are made of the limit. */
const combine = (): AbortSignal => {
  const limited = AbortSignal.any([startTimeLimit(50), new AbortController().signal]);
  return AbortSignal.any([limited, new AbortController().signal]);
};

test('a time limit holds after the garbage is collected', async () => {
  const signal = combine();
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
  await new Promise(setImmediate);
  collectGarbage();
  const later = new Promise((_, reject) => setTimeout(reject, 5_000, new Error('not aborted')));
  await Promise.race([aborted, later]);
  expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
});

test('no other file uses AbortSignal.timeout', () => {
  const src = join(repositoryRoot, 'src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' });
  const found = files.filter(
    (file) =>
      file.endsWith('.ts') &&
      readFileSync(join(src, file), 'utf8').includes('AbortSignal.timeout('),
  );
  expect(found).toEqual([]);
});
