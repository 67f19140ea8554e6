/** G6: the whole message of each reason why a store or an entry cannot be used. */
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'vitest';
import {
  type Ask,
  expectMessage,
  type MessageCase,
  type Prepare,
  plantKit,
  runProgram,
} from '../support/messages.ts';
import { asPlainUser } from '../support/user.ts';
import type { World } from '../support/world.ts';

/** Names a store in another way. */
const at =
  (name: (world: World) => string): Prepare =>
  (world) => ({ env: { ANNEX_STORE: name(world) } });

const root = ({ sandbox }: World, name: string): string => join(sandbox.root, name);

/** Replaces an entry of `kit`. */
const replaced =
  (replace: (entry: string, world: World) => void): Prepare =>
  (world) => {
    const entry = plantKit(world);
    renameSync(entry, root(world, 'aside'));
    replace(entry, world);
    return { env: { ANNEX_ALLOW_INSTALLS: '0' } };
  };

/** A program that changes the store after its start, and then requests something. */
const change = (source: string): Ask =>
  runProgram(
    ({ sandbox }) => `
import { renameSync, rmSync, symlinkSync } from 'node:fs';
const [store, volume] = ${JSON.stringify([sandbox.store, dirname(sandbox.store)])};
${source}`,
  );

/** Has the store be a link to a directory. */
const linked: Prepare = (world) => {
  plantKit(world);
  const { store } = world.sandbox;
  renameSync(store, `${store}.first`);
  mkdirSync(`${store}.second`);
  symlinkSync(`${store}.first`, store);
  return { env: { ANNEX_ALLOW_INSTALLS: '0' } };
};

const CASES: MessageCase[] = [
  {
    title: 'a relative path',
    prepare: at(() => 'annex'),
    message: [
      'annex: the store annex is not an absolute path (ANNEX_STORE_UNUSABLE). Now: set ANNEX_STORE to the absolute path of a directory outside the core',
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): the store annex is not an absolute path, asked by main.mjs. Other features unaffected. Now: set ANNEX_STORE to the absolute path of a directory outside the core',
    ],
  },
  {
    title: 'a file',
    prepare: at(({ sandbox }) => sandbox.write('file', '')),
    message: [
      'annex: the store <root>/file is a file (ANNEX_STORE_UNUSABLE). Now: set ANNEX_STORE to the absolute path of a directory outside the core',
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): the store <root>/file is a file, asked by main.mjs. Other features unaffected. Now: set ANNEX_STORE to the absolute path of a directory outside the core',
    ],
  },
  {
    title: 'a path below a file',
    prepare: at(({ sandbox }) => join(sandbox.write('file', ''), 'store')),
    message: [
      'annex: the store <root>/file/store lies below a file (ANNEX_STORE_UNUSABLE). Now: set ANNEX_STORE to the absolute path of a directory outside the core',
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): the store <root>/file/store lies below a file, asked by main.mjs. Other features unaffected. Now: set ANNEX_STORE to the absolute path of a directory outside the core',
    ],
  },
  {
    title: 'a dangling link',
    prepare: at((world) => {
      symlinkSync(root(world, 'absent'), root(world, 'link'));
      return root(world, 'link');
    }),
    message: [
      'annex: the store <root>/link is a dangling link (ANNEX_STORE_UNUSABLE). Now: set ANNEX_STORE to the absolute path of a directory outside the core',
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): the store <root>/link is a dangling link, asked by main.mjs. Other features unaffected. Now: set ANNEX_STORE to the absolute path of a directory outside the core',
    ],
  },
  {
    title: 'a path inside the core',
    prepare: at(({ sandbox }) => join(sandbox.core, 'store')),
    message: [
      'annex: the store <core>/store lies inside the core <core> (ANNEX_STORE_UNUSABLE). Now: set ANNEX_STORE to the absolute path of a directory outside the core',
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): the store <core>/store lies inside the core <core>, asked by main.mjs. Other features unaffected. Now: set ANNEX_STORE to the absolute path of a directory outside the core',
    ],
  },
  {
    title: 'a path above the core',
    prepare: at(({ sandbox }) => sandbox.root),
    message: [
      'annex: the store <root> lies above the core <core> (ANNEX_STORE_UNUSABLE). Now: set ANNEX_STORE to the absolute path of a directory outside the core',
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): the store <root> lies above the core <core>, asked by main.mjs. Other features unaffected. Now: set ANNEX_STORE to the absolute path of a directory outside the core',
    ],
  },
  {
    title: 'layers without a store',
    prepare: at((world) => `:${root(world, 'layer')}`),
    message: [
      'annex: the first path in ANNEX_STORE, which is the store, is empty (ANNEX_STORE_UNUSABLE). Now: set ANNEX_STORE to the absolute path of a directory outside the core',
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): the first path in ANNEX_STORE, which is the store, is empty, asked by main.mjs. Other features unaffected. Now: bake it into a layer, or set ANNEX_STORE to the absolute path of a directory outside the core',
    ],
  },
  {
    title: 'a layer that is a file',
    prepare: ({ sandbox }) => ({
      env: {
        ANNEX_ALLOW_INSTALLS: '0',
        ANNEX_STORE: `${sandbox.store}:${sandbox.write('file', '')}`,
      },
    }),
    message: [
      'annex: the store <root>/file is a file; it is left out (ANNEX_STORE_UNUSABLE). Now: correct that path in ANNEX_STORE',
      'annex: kit unavailable (ANNEX_DENIED): installs are switched off by ANNEX_ALLOW_INSTALLS, asked by main.mjs. Other features unaffected. Now: unset ANNEX_ALLOW_INSTALLS',
    ],
  },
  {
    title: 'no HOME',
    world: { copyAnnex: true },
    prepare: () => ({ env: { ANNEX_STORE: undefined, HOME: undefined }, ...asPlainUser }),
    message:
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): no cache directory is known, and ANNEX_STORE is not set, asked by main.mjs. Other features unaffected. Now: set ANNEX_STORE to the absolute path of a directory outside the core',
  },
  {
    title: 'a staging directory that is a link',
    prepare: (world) => {
      mkdirSync(join(world.sandbox.store, 'v1'), { recursive: true });
      symlinkSync(world.sandbox.home, join(world.sandbox.store, 'v1/staging'));
      return undefined;
    },
    message:
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): <store>/v1/staging is a symbolic link, which annex does not follow, asked by main.mjs. Other features unaffected. Now: move it elsewhere; an install creates the directory',
  },
  {
    title: 'a store that every user may write',
    prepare: ({ sandbox }) => {
      mkdirSync(sandbox.store);
      chmodSync(sandbox.store, 0o777);
      return undefined;
    },
    message:
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): <store> is writable by others, and this process is root, asked by main.mjs. Other features unaffected. Now: run the process as the owner of the store, let nobody else write there, or set ANNEX_STORE to another directory',
  },
  {
    title: 'an entry that is a link',
    prepare: replaced((entry, world) => symlinkSync(root(world, 'aside'), entry)),
    message:
      'annex: kit unavailable (ANNEX_DENIED): installs are switched off by ANNEX_ALLOW_INSTALLS, and <store>/v1/any/kit.<id> is reached by a link, asked by main.mjs. Other features unaffected. Now: unset ANNEX_ALLOW_INSTALLS',
  },
  {
    title: 'an entry that is a file',
    prepare: replaced((entry) => writeFileSync(entry, '')),
    message:
      'annex: kit unavailable (ANNEX_DENIED): installs are switched off by ANNEX_ALLOW_INSTALLS, and <store>/v1/any/kit.<id> is not a directory, asked by main.mjs. Other features unaffected. Now: unset ANNEX_ALLOW_INSTALLS',
  },
  {
    title: 'an entry that is a link to itself',
    prepare: replaced((entry) => symlinkSync(entry, entry)),
    message:
      'annex: kit unavailable (ANNEX_DENIED): installs are switched off by ANNEX_ALLOW_INSTALLS, and <store>/v1/any/kit.<id> is unreachable (ELOOP), asked by main.mjs. Other features unaffected. Now: unset ANNEX_ALLOW_INSTALLS',
  },
  {
    title: 'a link to the store that leads elsewhere after the start: a request by name',
    prepare: linked,
    ask: change(`
await import('other').catch(() => {});
rmSync(store);
symlinkSync(store + '.second', store);
renameSync(store + '.first/v1', store + '.second/v1');
await import('kit').catch(() => {});`),
    annex: { features: { kit: '^1.0.0', other: '^1.0.0' } },
    message: [
      'annex: other unavailable (ANNEX_DENIED): installs are switched off by ANNEX_ALLOW_INSTALLS, asked by program.mjs. Other features unaffected. Now: unset ANNEX_ALLOW_INSTALLS',
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): the path of the store leads to <store>.second/v1/any/kit.<id> now, and led elsewhere when this process started, asked by program.mjs. Other features unaffected. Now: start the process again',
    ],
  },
  {
    title: 'a link to the store that leads elsewhere after the start: a request by path',
    prepare: linked,
    ask: change(`
import { readdirSync } from 'node:fs';
// The hooks look up where the store is when the first path is requested.
await import(store + '.first/v1/none.mjs').catch(() => {});
const file = store + '.first/v1/any/' + readdirSync(store + '/v1/any')[0] + '/node_modules/kit/index.js';
await import('other').catch(() => {});
rmSync(store);
symlinkSync(store + '.second', store);
await import(file).catch(() => {});`),
    annex: { features: { kit: '^1.0.0', other: '^1.0.0' } },
    message: [
      'annex: other unavailable (ANNEX_DENIED): installs are switched off by ANNEX_ALLOW_INSTALLS, asked by program.mjs. Other features unaffected. Now: unset ANNEX_ALLOW_INSTALLS',
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): <store>.first/v1/any/kit.<id> is in no store. Other features unaffected. Now: correct ANNEX_STORE, then start the process again',
    ],
  },
  {
    title: 'a store that disappears',
    prepare: (world) => {
      plantKit(world, { 'late.js': 'export const marker = 1;' });
      return { env: { ANNEX_ALLOW_INSTALLS: '0' } };
    },
    ask: change(`
await import('kit');
renameSync(store, store + '.aside');
await import('kit/late.js').catch(({ message }) => console.log(message));`),
    message:
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): <store>/v1/any/kit.<id> cannot be reached: its store was unmounted, renamed or replaced, or the entry removed, asked by program.mjs. Other features unaffected. Now: restore the store as it was when this process started, then start the process again',
  },
];

test.concurrent.for(CASES)('$title', (one) => expectMessage(one));
