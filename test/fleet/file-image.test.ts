/** A layer as one file: a squashfs image. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { closeLater } from '../support/close.ts';
import { listBlocks, readDocument } from '../support/documents.ts';
import { esmPackage } from '../support/fixtures.ts';
import { lock } from '../support/lock-files.ts';
import { findProgram } from '../support/programs.ts';
import { openWorld } from '../support/world.ts';

const missing = ['mksquashfs', 'squashfuse'].filter((name) => findProgram(name) === undefined);
const why = missing.length === 0 ? '' : ` (skipped: not installed: ${missing})`;

test.runIf(missing.length === 0)(
  `the commands of the page make equal images of two bakes, and one is a layer${why}`,
  async () => {
    const packages = [esmPackage('alpha', '1.0.0', 'alpha')];
    const { sandbox } = await openWorld({ packages, annex: { features: { alpha: '^1.0.0' } } });
    await lock(sandbox);
    const block = listBlocks(readDocument('docs/fleets.md')).find(
      ({ section, language }) => section === 'Features as one file' && language === 'sh',
    );
    const [, options = ''] = /mksquashfs \S+ \S+ (.*)/.exec(block?.code ?? '') ?? [];
    const digests = [];
    const image = join(sandbox.root, 'annex.squashfs');
    for (const name of ['one', 'two']) {
      const dir = join(sandbox.root, name);
      expect((await sandbox.annex(['bake', dir])).code).toBe(0);
      execFileSync('mksquashfs', [dir, image, ...options.split(' ')], { stdio: 'ignore' });
      digests.push(createHash('sha256').update(readFileSync(image)).digest('hex'));
    }
    expect(digests[1]).toBe(digests[0]);

    const mount = join(sandbox.root, 'layer');
    mkdirSync(mount);
    execFileSync('squashfuse', [image, mount]);
    closeLater(() => execFileSync('umount', [mount]));
    const program = sandbox.write('app/main.mjs', `console.log((await import('alpha')).marker)`);
    const env = {
      ANNEX_STORE: `${join(sandbox.root, 'empty')}:${mount}`,
      ANNEX_ALLOW_INSTALLS: '0',
    };
    const run = await sandbox.run(['--import', sandbox.loader, program], { env });
    expect(run.stdout, run.stderr).toBe('alpha\n');
    expect((await sandbox.annex(['verify'], { env })).code).toBe(0);
  },
);
