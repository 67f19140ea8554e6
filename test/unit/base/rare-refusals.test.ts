/** Whole messages of refusals that only a race, or a package of an extreme size, causes. */
import { mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createLookup } from '../../../src/app/lookup.ts';
import { loadSettings } from '../../../src/app/settings.ts';
import type { AnnexError } from '../../../src/base/error.ts';
import { createSoundEntries } from '../../../src/hooks/sound-entry.ts';
import { composeEntryFiles } from '../../../src/install/compose.ts';
import { composeCause } from '../../../src/resolve/cause.ts';
import type { Subject } from '../../../src/resolve/facts.ts';
import type { Thread } from '../../../src/resolve/thread.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { resolveEntry } from '../../../src/store/access.ts';
import { removeTree } from '../../support/tree.ts';

const make = (): string => {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-rare-'));
  onTestFinished(() => removeTree(root));
  return root;
};

/** The settings of an application that declares `kit`. */
const read = (root: string): Settings => {
  const manifest = { annex: { features: { kit: '^1.0.0' } } };
  const core = { dir: root, manifest, text: '' };
  const env = { ANNEX_STORE: `${root}.store` };
  const loaded = loadSettings({ core, env, script: undefined, cwd: root, self: undefined });
  if (loaded.settings === undefined) throw new Error(loaded.refusal.reason);
  return loaded.settings;
};

/** What an action throws. */
const catchError = (action: () => unknown): AnnexError => {
  try {
    action();
  } catch (error) {
    return error as AnnexError;
  }
  throw new Error('nothing was thrown');
};

test('an entry that is removed between its install and the look-up', () => {
  const settings = read(make());
  const subject = {
    locator: { thread: { settings } },
    request: { specifier: 'kit', parent: `${settings.core.root}/main.mjs`, kind: 'import' },
  } as unknown as Subject;
  expect(composeCause(subject, 'kit').message).toBe(
    'annex: kit unavailable (ANNEX_INSTALL_FAILED): no valid entry is in the store: it is empty, asked by main.mjs. Other features unaffected. Now: npx annex why kit',
  );
});

test('a new entry that is removed before it replaces a damaged one', () => {
  const settings = read(make());
  const finder = { damages: new Map(), find: () => ({ rejected: [], damaged: [] }) };
  const thread = { finder, settings, failures: new Map() } as unknown as Thread;
  const dir = join(`${settings.core.root}.store/v1/any`, `kit.${'0'.repeat(32)}.0`);
  expect(createSoundEntries(thread, () => undefined)(dir, 'a.js is changed')).toEqual({
    refusal: {
      code: 'ANNEX_INTEGRITY',
      reason: 'there is no other entry',
      hint: 'npx annex verify kit',
    },
  });
});

test('an entry whose path leads out of its store', () => {
  const root = make();
  for (const name of ['store', 'other']) mkdirSync(join(root, name));
  const error = catchError(() => resolveEntry(join(root, 'store'), join(root, 'other')));
  expect(error.message).toBe(
    `annex: ${root}/other is not inside ${root}/store (ANNEX_STORE_UNUSABLE). Now: run the process as the owner of the store, let nobody else write there, or set ANNEX_STORE to another directory`,
  );
});

test('a package with more files than an entry may list', () => {
  const settings = read(make());
  const { feature } = createLookup(
    settings,
    [...settings.declaration.features.values()][0] as never,
  );
  const line = `${'0'.repeat(64)} 1\t${'x'.repeat(200)}\n`;
  const fetched = { listings: { 'node_modules/kit': line.repeat(130_000) } };
  const error = catchError(() =>
    composeEntryFiles({ feature: feature.name } as never, { fetched } as never, {}),
  );
  expect(error.message).toMatch(
    /^annex: its annex-files\.txt takes \d{8} bytes, more than an entry may have \(ANNEX_INSTALL_FAILED\)\. Now: use another version of the package, or declare its packages in several features$/,
  );
});
