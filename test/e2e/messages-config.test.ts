/** G6: the whole message of each mistake in the declaration, the settings and the lock. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { lock } from '../support/lock-files.ts';
import {
  expectMessage,
  type MessageCase,
  type Prepare,
  runCommand,
  runProgram,
} from '../support/messages.ts';

const ENSURE = runProgram(
  "import { ensure } from 'annex'; await ensure('kit').catch(({ message }) => console.log(message));",
);
const features = { kit: '^1.0.0' };

/** Locks the application, and edits a file of the lock. */
const editing =
  (name: string, edit: (text: string) => string): Prepare =>
  async ({ sandbox }) => {
    await lock(sandbox);
    const path = join(sandbox.core, 'annex/kit', name);
    writeFileSync(path, edit(readFileSync(path, 'utf8')));
    return undefined;
  };

/** Names an operator's file. */
const operator =
  (content: string | object): Prepare =>
  ({ sandbox }) => ({ env: { ANNEX_CONFIG: sandbox.write('operator.json', content) } });

const CASES: MessageCase[] = [
  {
    title: 'a switch with another value',
    prepare: () => ({ env: { ANNEX_ALLOW_INSTALLS: 'maybe' } }),
    message: [
      'annex: ANNEX_ALLOW_INSTALLS is "maybe", not true or false; taken as false (ANNEX_INVALID_CONFIG). Now: set it to true or false, or unset it',
      'annex: kit unavailable (ANNEX_DENIED): installs are switched off by ANNEX_ALLOW_INSTALLS, asked by main.mjs. Other features unaffected. Now: unset ANNEX_ALLOW_INSTALLS',
    ],
  },
  {
    title: 'a key of package.json that is unknown',
    annex: { features, featurs: {} },
    prepare: () => ({ env: { ANNEX_ALLOW_INSTALLS: '0' } }),
    message: [
      'annex: annex.featurs in <core>/package.json is not known to this version and does nothing (ANNEX_INVALID_CONFIG). Now: rename it to features, or use a version of annex that knows it',
      'annex: kit unavailable (ANNEX_DENIED): installs are switched off by ANNEX_ALLOW_INSTALLS, asked by main.mjs. Other features unaffected. Now: unset ANNEX_ALLOW_INSTALLS',
    ],
  },
  {
    title: 'annex is not an object',
    annex: { features },
    prepare: ({ sandbox }) => {
      sandbox.setCore('kit' as unknown as object);
      return undefined;
    },
    ask: runCommand('list'),
    message:
      'annex: annex in <core>/package.json is not an object but a string (ANNEX_INVALID_CONFIG). Now: declare features as { "features": { NAME: RANGE } }',
  },
  {
    title: "an operator's file that does not exist",
    prepare: () => ({ env: { ANNEX_CONFIG: '/nowhere/annex.json' } }),
    message: [
      "annex: the operator's file /nowhere/annex.json does not exist or cannot be reached (ANNEX_INVALID_CONFIG). Now: correct the file, or unset ANNEX_CONFIG",
      "annex: kit unavailable (ANNEX_INVALID_CONFIG): the operator's file /nowhere/annex.json does not exist or cannot be reached, asked by main.mjs. Other features unaffected. Now: correct the file, or unset ANNEX_CONFIG",
    ],
  },
  {
    title: "an operator's file with a relative path",
    prepare: () => ({ env: { ANNEX_CONFIG: 'annex.json' } }),
    message: [
      "annex: the operator's file annex.json is not an absolute path (ANNEX_INVALID_CONFIG). Now: correct the file, or unset ANNEX_CONFIG",
      "annex: kit unavailable (ANNEX_INVALID_CONFIG): the operator's file annex.json is not an absolute path, asked by main.mjs. Other features unaffected. Now: correct the file, or unset ANNEX_CONFIG",
    ],
  },
  {
    title: "an operator's file that is not JSON",
    prepare: operator('{'),
    message: [
      "annex: the operator's file <root>/operator.json is not valid JSON (ANNEX_INVALID_CONFIG). Now: correct the file, or unset ANNEX_CONFIG",
      "annex: kit unavailable (ANNEX_INVALID_CONFIG): the operator's file <root>/operator.json is not valid JSON, asked by main.mjs. Other features unaffected. Now: correct the file, or unset ANNEX_CONFIG",
    ],
  },
  {
    title: "an operator's file with an invalid list of blocked versions",
    prepare: operator({ blocked: 'kit' }),
    message: [
      'annex: blocked in <root>/operator.json is "kit", not a list; no install may start (ANNEX_INVALID_CONFIG). Now: set it to a list',
      'annex: kit unavailable (ANNEX_INVALID_CONFIG): the list of blocked versions is invalid: blocked in <root>/operator.json is "kit", not a list; no install may start, asked by main.mjs. Other features unaffected. Now: set it to a list',
    ],
  },
  {
    title: 'an invalid range',
    annex: { features: { kit: 'one' } },
    message:
      'annex: kit unavailable (ANNEX_INVALID_CONFIG): annex.features["kit"] in <core>/package.json has "one" for kit, which is a tag, not a semver range. Other features unaffected. Now: correct that key of package.json',
  },
  {
    title: 'a feature without packages',
    annex: { features: { kit: { packages: {} } } },
    message:
      'annex: kit unavailable (ANNEX_INVALID_CONFIG): annex.features["kit"].packages in <core>/package.json is not { NAME: RANGE } with at least one package. Other features unaffected. Now: correct that key of package.json',
  },
  {
    title: 'a lock that was edited',
    prepare: editing('annex.json', (text) => text.replace('"^1.0.0"', '"^1.0.1"')),
    message:
      'annex: kit unavailable (ANNEX_INVALID_CONFIG): <core>/annex/kit/annex.json locks kit for ^1.0.1, and ^1.0.0 is declared, asked by main.mjs. Other features unaffected. Now: lock it again: npx annex lock kit',
  },
  {
    title: 'a lock that is not JSON',
    prepare: editing('annex.json', () => '<<<<<<< HEAD'),
    message:
      'annex: kit unavailable (ANNEX_INVALID_CONFIG): <core>/annex/kit/annex.json does not parse as JSON, asked by main.mjs. Other features unaffected. Now: lock it again: npx annex lock kit',
  },
  {
    title: 'a package-lock that was edited',
    prepare: editing('package-lock.json', (text) => text.replace('sha512-', 'sha512-A')),
    message:
      'annex: kit unavailable (ANNEX_INVALID_CONFIG): <core>/annex/kit/package-lock.json is not the file that annex wrote: its digest differs, asked by main.mjs. Other features unaffected. Now: lock it again: npx annex lock kit',
  },
  {
    title: 'a lock for another range',
    prepare: async ({ sandbox }) => {
      await lock(sandbox);
      sandbox.setCore({ features: { kit: '^1.2.0' } });
      return undefined;
    },
    message:
      'annex: kit unavailable (ANNEX_INVALID_CONFIG): <core>/annex/kit/annex.json locks kit for ^1.0.0, and ^1.2.0 is declared, asked by main.mjs. Other features unaffected. Now: lock it again: npx annex lock kit',
  },
  {
    title: 'a lock for other platforms',
    annex: { features, platforms: ['aix-ppc64'] },
    packages: [
      esmPackage('kit', '1.0.0', '', { optionalDependencies: { dep: '^1.0.0' } }),
      esmPackage('dep', '1.0.0', '', { os: ['aix'] }),
    ],
    prepare: async ({ sandbox }) => {
      await lock(sandbox);
      return undefined;
    },
    message:
      'annex: kit unavailable (ANNEX_UNSUPPORTED_PLATFORM): dep is locked for aix-ppc64, and this is <platform>, asked by main.mjs. Other features unaffected. Now: add <platform> to annex.platforms, and lock again: npx annex lock',
  },
  {
    title: 'a platform without a package',
    annex: { features, platforms: ['aix-ppc64'] },
    packages: [esmPackage('kit', '1.0.0', '', { os: ['linux', 'darwin', 'win32'] })],
    ask: runCommand('lock'),
    message:
      'annex: kit cannot be locked: kit 1.0.0 is not made for aix-ppc64 (ANNEX_UNSUPPORTED_PLATFORM). Now: take that platform out of annex.platforms, or use another package',
  },
  {
    title: 'a folder that only require searches',
    prepare: ({ sandbox }) => {
      sandbox.addPackage('folder', cjsPackage('kit', '1.0.0', ''));
      return { env: { NODE_PATH: join(sandbox.root, 'folder') } };
    },
    message:
      'annex: kit unavailable (ANNEX_INVALID_CONFIG): <root>/folder/kit has that name; require loads it, because of NODE_PATH or the home directory, and import does not, asked by main.mjs. Other features unaffected. Now: remove it, or remove its folder from NODE_PATH',
  },
  {
    title: 'a feature that is not declared',
    annex: { features: { kitt: '^1.0.0' } },
    ask: ENSURE,
    message:
      'annex: kit unavailable (ANNEX_INVALID_CONFIG): it is not declared in <core>/package.json. Did you mean kitt? Declared: kitt; other features unaffected. Now: declare it: npx annex add kit',
  },
  {
    title: 'no application, for a command',
    ask: ({ sandbox }, options) => sandbox.annex(['list'], { ...options, cwd: 'home' }),
    message:
      'annex: no package.json declares features, as seen from <home> (ANNEX_INVALID_CONFIG). Now: npx annex init, or set ANNEX_CORE to the directory of the application',
  },
  {
    title: 'no application, for a program',
    annex: {},
    ask: ENSURE,
    message:
      'annex: kit unavailable (ANNEX_INVALID_CONFIG): no package.json declares features, as seen from <core>/program.mjs. Other features unaffected. Now: npx annex init, or set ANNEX_CORE to the directory of the application',
  },
  {
    title: 'a package.json that is not JSON',
    prepare: ({ sandbox }) => {
      sandbox.write('app/package.json', '{ "annex": ');
      return undefined;
    },
    ask: runCommand('list'),
    message:
      'annex: <core>/package.json does not parse as JSON (ANNEX_INVALID_CONFIG). Now: correct that file',
  },
  {
    title: "Plug'n'Play",
    prepare: ({ sandbox }) => {
      sandbox.write('app/.pnp.cjs', '');
      return undefined;
    },
    ask: ENSURE,
    message: [
      "annex: <core> is a Yarn Plug'n'Play project, which annex does not support (ANNEX_INVALID_CONFIG). Now: set nodeLinker: node-modules in .yarnrc.yml",
      "annex: kit unavailable (ANNEX_INVALID_CONFIG): <core> is a Yarn Plug'n'Play project, which annex does not support. Other features unaffected. Now: set nodeLinker: node-modules in .yarnrc.yml",
    ],
  },
];

test.concurrent.for(CASES)('$title', (one) => expectMessage(one));
