/** G6: the whole message of each refusal of an install that may not start, and of each conflict. */
import { join } from 'node:path';
import { test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import {
  callEnsure,
  expectMessage,
  kit,
  type MessageCase,
  runCommand,
} from '../support/messages.ts';

const features = { kit: '^1.0.0' };
const PERMISSION = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

const CASES: MessageCase[] = [
  {
    title: 'a switch of the environment',
    prepare: () => ({ env: { ANNEX_ALLOW_INSTALLS: '0' } }),
    message:
      'annex: kit unavailable (ANNEX_DENIED): installs are switched off by ANNEX_ALLOW_INSTALLS, asked by main.mjs. Other features unaffected. Now: unset ANNEX_ALLOW_INSTALLS',
  },
  {
    title: 'a switch of the application',
    annex: { features, allowInstalls: false },
    message:
      'annex: kit unavailable (ANNEX_DENIED): installs are switched off by annex.allowInstalls in <core>/package.json, asked by main.mjs. Other features unaffected. Now: set annex.allowInstalls in <core>/package.json to true',
  },
  {
    title: "a switch of the operator's file",
    prepare: ({ sandbox }) => ({
      env: { ANNEX_CONFIG: sandbox.write('operator.json', { allowInstalls: false }) },
    }),
    message:
      'annex: kit unavailable (ANNEX_DENIED): installs are switched off by allowInstalls in <root>/operator.json, asked by main.mjs. Other features unaffected. Now: set allowInstalls in <root>/operator.json to true',
  },
  {
    title: 'a misspelled switch',
    prepare: () => ({ env: { ANNEX_ALLOW_INSTALS: '1' } }),
    message: [
      'annex: ANNEX_ALLOW_INSTALS is not known to this version and counts as ANNEX_ALLOW_INSTALLS: false (ANNEX_INVALID_CONFIG). Now: rename it to ANNEX_ALLOW_INSTALLS, or unset it',
      'annex: kit unavailable (ANNEX_DENIED): installs are switched off by ANNEX_ALLOW_INSTALS, which this version does not know, asked by main.mjs. Other features unaffected. Now: unset ANNEX_ALLOW_INSTALS',
    ],
  },
  {
    title: 'an invalid list of blocked versions in package.json',
    annex: { features, blocked: ['kit@'] },
    message: [
      'annex: annex.blocked[0] in <core>/package.json has an invalid range: every version of kit is blocked (ANNEX_INVALID_CONFIG). Now: correct that key',
      'annex: kit unavailable (ANNEX_DENIED): kit ^1.0.0 is blocked by package.json (kit@), asked by main.mjs. Other features unaffected. Now: declare another range',
    ],
  },
  {
    title: 'a sealed application without a store',
    prepare: () => ({ env: { ANNEX_STORE: '', ANNEX_SEALED: '1' } }),
    message:
      'annex: kit unavailable (ANNEX_DENIED): the core is sealed and there is no store, asked by main.mjs. Other features unaffected. Now: set ANNEX_STORE to a directory on a data volume',
  },
  {
    title: "Node's permission model",
    prepare: () => ({
      flags: [PERMISSION, '--allow-worker', '--allow-fs-read=*', '--allow-fs-write=*'],
    }),
    message:
      "annex: kit unavailable (ANNEX_DENIED): Node's permission model forbids this process to start an installer, asked by main.mjs. Other features unaffected. Now: start it with --allow-child-process, or run annex install first",
  },
  {
    title: 'a version that the application blocks',
    annex: { features, blocked: [{ package: 'kit@1.0.0', reason: 'CVE-2024-1' }] },
    message: [
      'annex: annex.blocked[0] in <core>/package.json is not NAME, NAME@RANGE or { "spec", "reason" } (ANNEX_INVALID_CONFIG). Now: correct that key',
      'annex: kit unavailable (ANNEX_DENIED): the list of blocked versions is invalid: annex.blocked[0] in <core>/package.json is not NAME, NAME@RANGE or { "spec", "reason" }, asked by main.mjs. Other features unaffected. Now: correct that key',
    ],
  },
  {
    title: 'a version that the operator blocks',
    prepare: ({ sandbox }) => ({
      env: { ANNEX_CONFIG: sandbox.write('operator.json', { blocked: ['kit@<2'] }) },
    }),
    message:
      'annex: kit unavailable (ANNEX_DENIED): kit ^1.0.0 is blocked by <root>/operator.json (kit@<2), asked by main.mjs. Other features unaffected. Now: declare another range, or remove that item from <root>/operator.json',
  },
  {
    title: 'a package that probes',
    specifier: 'prober',
    prepare: ({ sandbox }) => {
      sandbox.addPackage('app/node_modules', {
        ...esmPackage('prober', '1.0.0', ''),
        files: { 'index.js': "export const marker = await import('kit').catch(() => 'without');" },
      });
      return undefined;
    },
    message:
      'annex: kit unavailable (ANNEX_DENIED): only the application\'s own files may start an install, asked by node_modules/prober/index.js. Other features unaffected. Now: call ensure("kit"), or list prober under annex.importers',
  },
  {
    title: 'a program outside of the application',
    prepare: ({ sandbox }) => {
      sandbox.write('elsewhere/main.mjs', "await import('kit').catch(() => {});");
      return { env: { ANNEX_CORE: sandbox.core } };
    },
    ask: ({ sandbox }, options) =>
      sandbox.run(['--import', sandbox.loader, join(sandbox.root, 'elsewhere/main.mjs')], options),
    message:
      'annex: kit unavailable (ANNEX_DENIED): the program lies outside of the application <core>, and only the application and its importers get features, asked by <root>/elsewhere/main.mjs. Other features unaffected. Now: put the program below <core>, set ANNEX_CORE to a directory above it, or list <root>/elsewhere under annex.importers',
  },
  {
    title: 'a shipped version outside of the range',
    prepare: ({ sandbox }) => {
      sandbox.setCore({ features }, { dependencies: { kit: '^2.0.0' } });
      sandbox.addPackage('app/node_modules', esmPackage('kit', '2.0.0', 'from-core'));
      return undefined;
    },
    ask: runCommand('install', 'kit'),
    message:
      'annex: kit unavailable (ANNEX_CONFLICT): core ships kit 2.0.0 (<core>), and ^1.0.0 is declared; core wins. Other features unaffected. Now: change the declared range or the shipped version, or remove one of the two',
  },
  {
    title: 'a devDependency outside of the range',
    prepare: ({ sandbox }) => {
      sandbox.setCore({ features }, { devDependencies: { kit: '^2.0.0' } });
      sandbox.addPackage('app/node_modules', esmPackage('kit', '2.0.0', 'from-core'));
      return undefined;
    },
    ask: callEnsure,
    message:
      'annex: kit unavailable (ANNEX_CONFLICT): core has kit 2.0.0, which it does not ship (<core>), and ^1.0.0 is declared; core wins. Other features unaffected. Now: npm install --save-dev kit@"^1.0.0"',
  },
  {
    title: 'a dependency that the application ships at another version',
    packages: [kit({ dependencies: { dep: '^1.0.0' } }), esmPackage('dep', '1.0.0', '')],
    prepare: ({ sandbox }) => {
      sandbox.setCore({ features }, { dependencies: { dep: '^2.0.0' } });
      sandbox.addPackage('app/node_modules', esmPackage('dep', '2.0.0', 'from-core'));
      return undefined;
    },
    message:
      'annex: kit unavailable (ANNEX_CONFLICT): kit 1.0.0 wants dep ^1.0.0, and core ships 2.0.0, asked by main.mjs. Other features unaffected. Now: change dep of the core to a version that fits, or declare "conflicts": "nest" for private copies, then npx annex install kit',
  },
  {
    title: 'packages whose peer dependencies differ',
    annex: { features: { kit: { packages: { kit: '^1.0.0', other: '^1.0.0' } } } },
    packages: [
      kit({ peerDependencies: { dep: '^1.0.0' } }),
      esmPackage('other', '1.0.0', '', { peerDependencies: { dep: '^2.0.0' } }),
      esmPackage('dep', '1.0.0', ''),
      esmPackage('dep', '2.0.0', ''),
    ],
    message:
      'annex: kit unavailable (ANNEX_CONFLICT): other 1.0.0 wants dep ^2.0.0 (peer), and the feature contains 1.0.0, asked by main.mjs. Other features unaffected. Now: declare another range, then npx annex install kit',
  },
];

test.concurrent.for(CASES)('$title', (one) => expectMessage(one));
