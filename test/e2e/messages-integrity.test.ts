/** G6: the whole message of each reason why files of an entry do not run. */
import { appendFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { canWatchLoads } from '../../src/base/load-hooks.ts';
import { listEntries } from '../support/lock-files.ts';
import { expectMessage, type MessageCase, plantKit, runProgram } from '../support/messages.ts';

const denied = { env: { ANNEX_ALLOW_INSTALLS: '0' } };

/** Prints the messages of errors. */
/** The installer replaces an entry with an added file only where not every load is watched. */
const why = canWatchLoads(process.versions.node)
  ? 'there is no other entry. Other features unaffected. Now: npx annex verify kit'
  : '<store>/v1/any/kit.<id>, which is sound, lacks that file. Other features unaffected. Now: start the process again';

const SHOW = 'const show = ({ message }) => console.log(message);';

/** Plants an entry, changes it, and runs a program that knows its directory and the directory of `kit` in it. */
const asking = (
  source: string,
  spoil: (dir: string, entry: string) => void = () => {},
): Pick<MessageCase, 'ask'> => ({
  ask: (world, options) => {
    const entry = plantKit(world, { 'part.cjs': '' });
    const dir = join(entry, 'node_modules/kit');
    spoil(dir, entry);
    return runProgram(
      `import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      const [store, dir] = ${JSON.stringify([world.sandbox.store, dir])};
      ${SHOW}
      ${source}`,
    )(world, options);
  },
});

const spoil = (dir: string): void => appendFileSync(join(dir, 'index.js'), '// changed');

const CASES: MessageCase[] = [
  {
    title: 'a changed file, and no install',
    prepare: () => denied,
    ...asking("await import('kit').catch(show);", spoil),
    message:
      'annex: kit unavailable (ANNEX_INTEGRITY): <store>/v1/any/kit.<id> is damaged: node_modules/kit/index.js is not what was installed; it is not replaced: installs are switched off by ANNEX_ALLOW_INSTALLS, asked by program.mjs. Other features unaffected. Now: unset ANNEX_ALLOW_INSTALLS',
  },
  {
    title: 'a file that was never installed',
    ...asking(
      `require(dir + '/part.cjs');
      (await import('node:fs')).writeFileSync(dir + '/late.cjs', '');
      const { Module } = await import('node:module');
      try { new Module(dir + '/late.cjs').load(dir + '/late.cjs'); } catch (error) { show(error); }`,
    ),
    message: `annex: kit unavailable (ANNEX_INTEGRITY): <store>/v1/any/kit.<id> is damaged: node_modules/kit/late.cjs was not installed; it is not replaced: ${why}`,
  },
  {
    title: 'a changed entry of a feature that is not declared',
    annex: { features: { other: '^1.0.0' } },
    ...asking("await import(dir + '/index.js').catch(show);", spoil),
    message:
      'annex: kit.<id> unavailable (ANNEX_INTEGRITY): <store>/v1/any/kit.<id> is damaged: its manifest cannot be read, or is not what was locked; it is not replaced: no feature of that name is declared. Other features unaffected. Now: remove that directory',
  },
  {
    title: 'a file that is in no entry',
    ...asking("await import(store + '/v1/any/loose.mjs').catch(show);", (_, entry) =>
      writeFileSync(join(entry, '../loose.mjs'), ''),
    ),
    message:
      'annex: loose.mjs unavailable (ANNEX_INTEGRITY): <store>/v1/any/loose.mjs is in a store but not in an entry. Other features unaffected. Now: remove it',
  },
  {
    title: 'a pipe in place of a file',
    prepare: () => denied,
    ...asking(
      `await import(dir + '/package.json').catch(show);
      const { execFileSync } = await import('node:child_process');
      const { rmSync } = await import('node:fs');
      await import('kit');
      rmSync(dir + '/index.js');
      execFileSync('mkfifo', [dir + '/index.js']);
      await import(dir + '/index.js?again').catch(show);`,
    ),
    message:
      'annex: kit unavailable (ANNEX_INTEGRITY): <store>/v1/any/kit.<id>/node_modules/kit/index.js is not a regular file, asked by program.mjs. Other features unaffected. Now: npx annex verify --repair, then start the process again',
  },
  {
    title: 'a program that froze Module.prototype',
    ...asking(
      `const { Module } = await import('node:module');
      Object.freeze(Module.prototype);
      try { require(dir + '/part.cjs'); } catch (error) { show(error); }`,
    ),
    message:
      'annex: kit unavailable (ANNEX_INTEGRITY): the program froze Module.prototype, so files of a store cannot be verified. Other features unaffected. Now: load the feature before that, or set "verify" to "first-use" in the file of ANNEX_CONFIG',
  },
  {
    title: 'a script that is a link to another file',
    world: { copyAnnex: true },
    prepare: (world) => {
      const { sandbox } = world;
      const script = join(plantKit(world), 'node_modules/kit/index.js');
      rmSync(script);
      symlinkSync(sandbox.write('victim.mjs', ''), script);
      // Otherwise verification finds the link first.
      const ANNEX_CONFIG = sandbox.write('operator.json', { verify: 'off' });
      return { env: { ANNEX_CORE: sandbox.core, ANNEX_CONFIG } };
    },
    ask: ({ sandbox }, options) => {
      const [entry = ''] = listEntries(sandbox);
      const script = join(entry, 'node_modules/kit/index.js');
      return sandbox.run(['--import', sandbox.loader, script], options);
    },
    message:
      'annex: kit unavailable (ANNEX_INTEGRITY): the script is a link to another file. Other features unaffected. Now: start the script from the entry that import.meta.resolve finds now',
  },
];

test.concurrent.for(CASES)('$title', (one) => expectMessage(one));
