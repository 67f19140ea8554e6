/** G6: in a sealed image, remedies that change the application name its source, and commands can be run as printed. */
import { join } from 'node:path';
import { test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { lock } from '../support/lock-files.ts';
import { expectMessage, kit, type MessageCase, type Prepare } from '../support/messages.ts';

const features = { kit: '^1.0.0' };

/** Seals the application, which has the commands of its packages. */
const sealed =
  (prepare: Prepare = () => undefined): Prepare =>
  async (world) => {
    const { env, ...options } = (await prepare(world)) ?? {};
    world.sandbox.write('app/node_modules/.bin/annex', '');
    return { ...options, env: { ANNEX_SEALED: '1', ...env } };
  };

const CASES: MessageCase[] = [
  {
    title: "a switch of the operator's environment",
    prepare: sealed(() => ({ env: { ANNEX_ALLOW_INSTALLS: '0' } })),
    message:
      'annex: kit unavailable (ANNEX_DENIED): installs are switched off by ANNEX_ALLOW_INSTALLS, asked by main.mjs. Other features unaffected. Now: unset ANNEX_ALLOW_INSTALLS',
  },
  {
    title: 'a switch of the application',
    annex: { features, allowInstalls: false },
    prepare: sealed(),
    message:
      'annex: kit unavailable (ANNEX_DENIED): installs are switched off by annex.allowInstalls in <core>/package.json, asked by main.mjs. Other features unaffected. Now: in the source of the image: set annex.allowInstalls in <core>/package.json to true',
  },
  {
    title: 'a package that probes',
    specifier: 'prober',
    prepare: sealed(({ sandbox }) => {
      sandbox.addPackage('app/node_modules', {
        ...esmPackage('prober', '1.0.0', ''),
        files: { 'index.js': "export const marker = await import('kit').catch(() => 'without');" },
      });
      return undefined;
    }),
    message:
      'annex: kit unavailable (ANNEX_DENIED): only the application\'s own files may start an install, asked by node_modules/prober/index.js. Other features unaffected. Now: in the source of the image: call ensure("kit"), or list prober under annex.importers',
  },
  {
    title: 'a locked version that the operator blocks',
    prepare: sealed(async ({ sandbox }) => {
      await lock(sandbox);
      return { env: { ANNEX_CONFIG: sandbox.write('operator.json', { blocked: ['kit@<2'] }) } };
    }),
    message:
      'annex: kit unavailable (ANNEX_DENIED): kit 1.0.0 is blocked by <root>/operator.json (kit@<2), asked by main.mjs. Other features unaffected. Now: in the source of the image: lock another version: npx annex lock kit, or remove that item from <root>/operator.json',
  },
  {
    title: 'a dependency that the application ships at another version',
    packages: [kit({ dependencies: { dep: '^1.0.0' } }), esmPackage('dep', '1.0.0', '')],
    prepare: sealed(({ sandbox }) => {
      sandbox.setCore({ features }, { dependencies: { dep: '^2.0.0' } });
      sandbox.addPackage(join(sandbox.core, 'node_modules'), esmPackage('dep', '2.0.0', ''));
      return undefined;
    }),
    message:
      'annex: kit unavailable (ANNEX_CONFLICT): kit 1.0.0 wants dep ^1.0.0, and core ships 2.0.0, asked by main.mjs. Other features unaffected. Now: in the source of the image: change dep of the core to a version that fits, or declare "conflicts": "nest" for private copies, then <core>/node_modules/.bin/annex install kit',
  },
  {
    title: 'a version that does not exist',
    annex: { features: { kit: '^9.0.0' } },
    prepare: sealed(),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): npm: ETARGET No matching version found for kit@^9.0.0 with a date before <date>, asked by main.mjs. Next try at <time>; other features unaffected. Now: in the source of the image: correct the range in annex.features; where only later versions fit it, wait, or accept them: npx annex lock --min-age 0, or min-release-age=0 in the .npmrc of the application, then <core>/node_modules/.bin/annex install kit',
  },
  {
    title: 'a registry that is down',
    prepare: sealed(async ({ sandbox, registry }) => {
      await lock(sandbox);
      await registry.stop();
      return undefined;
    }),
    message:
      'annex: kit unavailable (ANNEX_OFFLINE): registry <host> cannot be reached (ECONNREFUSED), asked by main.mjs. Next try at <time>; other features unaffected. Now: check the network and the proxy, or set another registry in npm_config_registry or an .npmrc, then <core>/node_modules/.bin/annex install kit',
  },
  {
    title: 'an invalid declaration',
    annex: { features: { kit: 'one' } },
    prepare: sealed(),
    message:
      'annex: kit unavailable (ANNEX_INVALID_CONFIG): annex.features["kit"] in <core>/package.json has "one" for kit, which is a tag, not a semver range. Other features unaffected. Now: in the source of the image: correct that key of package.json',
  },
];

test.concurrent.for(CASES)('$title', (one) => expectMessage(one));
