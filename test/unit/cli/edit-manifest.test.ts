/** Commands edit a package.json only if it is a regular file, and never block on it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readNearestManifest } from '../../../src/cli/shared/edit-manifest.ts';
import { findProgram } from '../../support/programs.ts';
import { removeTree } from '../../support/tree.ts';

test.runIf(findProgram('mkfifo') !== undefined)('a pipe is refused at once', () => {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-manifest-'));
  onTestFinished(() => removeTree(root));
  const path = join(root, 'package.json');
  execFileSync('mkfifo', [path]);
  expect(() => readNearestManifest(root)).toThrow(`${path} cannot be read: EINVAL`);
});
