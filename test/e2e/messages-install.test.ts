/** G6: the whole message of each way in which an install can fail that neither registry nor npm causes. */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { test } from 'vitest';
import { shareBinary } from '../support/binary.ts';
import { lock } from '../support/lock-files.ts';
import {
  type Ask,
  expectMessage,
  kit,
  type MessageCase,
  type Prepare,
  plantKit,
  runProgram,
} from '../support/messages.ts';
import { writeNpm } from '../support/npm.ts';
import { repositoryRoot } from '../support/package.ts';

const features = { kit: { packages: { kit: '^1.0.0' }, scripts: ['kit'] } };
const scripted = (source: string) => {
  const pkg = kit({ scripts: { install: 'node build.mjs' }, dependencies: { dep: '^1.0.0' } });
  return [
    { ...pkg, files: { ...pkg.files, 'build.mjs': source } },
    { name: 'dep', version: '1.0.0', files: { 'index.js': '' } },
  ];
};

/** Replaces npm with a script: its parent is the installer. */
const npm =
  (script: string): Prepare =>
  ({ sandbox }) => ({
    env: { PATH: `${writeNpm(sandbox, script)}:${dirname(process.execPath)}:/usr/bin:/bin` },
  });

/** A time limit in seconds. */
const limit = (world: Parameters<Prepare>[0], timeout: number) => ({
  ANNEX_CONFIG: world.sandbox.write('operator.json', { timeout }),
});

/** Runs `annex install kit` with a preload. */
const preloaded =
  (source: string): Ask =>
  ({ sandbox }, options) => {
    const preload = sandbox.write('preload.cjs', source);
    const cli = join(repositoryRoot, 'dist/cli/main.js');
    return sandbox.run(['--require', preload, cli, 'install', 'kit'], options);
  };

/** Calls a function with the path of an entry as soon as it is published. */
const onPublish = (act: string): Ask =>
  preloaded(`
const fs = require('node:fs');
const { renameSync } = fs;
fs.renameSync = (from, to) => {
  renameSync(from, to);
  if (/\\/kit\\.[0-9a-f]{32}\\.\\d+$/.test(to)) ${act};
};
require('node:module').syncBuiltinESMExports();`);

const CASES: MessageCase[] = [
  {
    title: 'a script that fails',
    annex: { features },
    packages: scripted("console.error('no compiler'); process.exit(3)"),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): an install script of kit failed: no compiler, asked by main.mjs. Next try at <time>; other features unaffected. Now: read what it printed, in <store>/v1/failures/kit.log, then npx annex install kit',
  },
  {
    title: 'a script that changes another package',
    annex: { features },
    packages: scripted(
      "import { writeFileSync } from 'node:fs'; writeFileSync('../dep/index.js', '//')",
    ),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): an install script of kit changed node_modules/dep/index.js, and a script may only change its own package, asked by main.mjs. Next try at <time>; other features unaffected. Now: remove kit from "scripts" of the feature, or use another version, then npx annex install kit',
  },
  {
    title: 'an entry that another process removes at once',
    ask: onPublish("renameSync(to, process.env.HOME + '/removed')"),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): it was installed, and another process removed it at once. The next request installs it again; other features unaffected. Now: find out which process runs annex uninstall, then npx annex install kit',
  },
  {
    title: 'an entry that another process changes at once',
    ask: onPublish(
      "{ fs.chmodSync(to, 0o755); fs.rmSync(to + '/annex-entry.json', { force: true }); fs.writeFileSync(to + '/annex-entry.json', '{}'); }",
    ),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): the installed entry is not valid: <store>/v1/any/kit.<id> is damaged: annex-entry.json is not as annex wrote it. Other features unaffected. Now: npx annex why kit, then npx annex install kit',
  },
  {
    title: 'an installer that cannot start',
    prepare: ({ sandbox }) => ({
      node: shareBinary(process.execPath, join(sandbox.root, 'nodes')),
    }),
    ask: runProgram(
      "import { rmSync } from 'node:fs'; rmSync(process.execPath); await import('kit').catch(() => {});",
    ),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): the installer did not start: spawn <node> ENOENT, asked by program.mjs. Next try at <time>; other features unaffected. Now: run npx annex install kit to see its output',
  },
  {
    title: 'an installer that is killed',
    prepare: npm('kill -9 $PPID'),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): the installer ended with SIGKILL before it finished, asked by main.mjs. Next try at <time>; other features unaffected. Now: check the memory limit of the process, then npx annex install kit',
  },
  {
    title: 'an install that takes too long',
    prepare: (world) => {
      world.registry.fault({ kind: 'hang' });
      return { env: limit(world, 1) };
    },
    message:
      'annex: kit unavailable (ANNEX_TIMEOUT): it took longer than 1 s, asked by main.mjs. Next try at <time>; other features unaffected. Now: find out what is slow, or raise "timeout" (seconds) in the file of ANNEX_CONFIG, then npx annex install kit',
  },
  {
    title: 'an installer that stopped',
    prepare: (world) => ({
      env: {
        ...limit(world, 1),
        PATH: `${writeNpm(world.sandbox, 'kill -STOP $PPID')}:${dirname(process.execPath)}:/usr/bin:/bin`,
      },
    }),
    message:
      'annex: kit unavailable (ANNEX_TIMEOUT): the installer did not finish in time, asked by main.mjs. Next try at <time>; other features unaffected. Now: run npx annex install kit to see its output',
  },
  {
    title: 'an incomplete copy of annex',
    world: { copyAnnex: true },
    prepare: ({ sandbox }) => {
      rmSync(join(sandbox.core, 'node_modules/annex/dist/cli'), { recursive: true });
      return undefined;
    },
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): <core>/node_modules/annex/dist/cli/main.js is missing: this copy of annex 0.1.0 is incomplete, asked by main.mjs. Nothing can be installed by this process; other features unaffected. Now: ship all files of the package annex: configure a tool that traces imports to copy them',
  },
  {
    title: 'a bundle without annex beside it',
    world: { linkAnnex: false },
    ask: async ({ sandbox }, options) => {
      const input = join(repositoryRoot, 'dist/index.js');
      const bundle = await rolldown({
        input: sandbox.write(
          'app/src/main.mjs',
          `import { ensure } from ${JSON.stringify(input)}; ensure('kit').catch(() => {});`,
        ),
        platform: 'node',
        onLog: () => {},
      });
      await bundle.write({
        file: join(sandbox.core, 'main.mjs'),
        format: 'esm',
        codeSplitting: false,
      });
      await bundle.close();
      return sandbox.run(['main.mjs'], options);
    },
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): annex 0.1.0 is bundled without its own files, and <core> has no annex 0.1.0 installed. Nothing can be installed by this process; other features unaffected. Now: keep annex external when the application is bundled, and ship it in node_modules',
  },
  {
    title: 'a remembered failure',
    prepare: async ({ sandbox, registry }) => {
      await lock(sandbox);
      await registry.stop();
      await sandbox.annex(['install', 'kit'], { env: { ANNEX_STORE: sandbox.store } });
      return undefined;
    },
    message:
      'annex: kit unavailable (ANNEX_OFFLINE): it failed before: "registry <host> cannot be reached (ECONNREFUSED)", asked by main.mjs. Next try at <time>; other features unaffected. Now: check the network and the proxy, or set another registry in npm_config_registry or an .npmrc, then npx annex install kit',
  },
  {
    title: 'the same, in a sealed application',
    prepare: async ({ sandbox, registry }) => {
      await lock(sandbox);
      await registry.stop();
      await sandbox.annex(['install', 'kit'], { env: { ANNEX_STORE: sandbox.store } });
      sandbox.write('app/node_modules/.bin/annex', '');
      return { env: { ANNEX_SEALED: '1' } };
    },
    message:
      'annex: kit unavailable (ANNEX_OFFLINE): it failed before: "registry <host> cannot be reached (ECONNREFUSED)", asked by main.mjs. Next try at <time>; other features unaffected. Now: check the network and the proxy, or set another registry in npm_config_registry or an .npmrc, then <core>/node_modules/.bin/annex install kit',
  },
  {
    title: 'a sealed application with annex in its node_modules, and a lock for another range',
    prepare: async ({ sandbox }) => {
      await lock(sandbox);
      sandbox.setCore({ features: { kit: '^1.2.0' } });
      return { env: { ANNEX_SEALED: '1' } };
    },
    message:
      'annex: kit unavailable (ANNEX_INVALID_CONFIG): <core>/annex/kit/annex.json locks kit for ^1.0.0, and ^1.2.0 is declared, asked by main.mjs. Other features unaffected. Now: in the source of the image: lock it again: npx annex lock kit',
  },
  {
    title: 'no valid entry',
    annex: { features: { kit: '^2.0.0' } },
    prepare: (world) => {
      plantKit(world);
      return { env: { ANNEX_ALLOW_INSTALLS: '0' } };
    },
    message:
      'annex: kit unavailable (ANNEX_DENIED): installs are switched off by ANNEX_ALLOW_INSTALLS, and <store>/v1/any/kit.<id>: it holds kit 1.0.0, not ^2.0.0, asked by main.mjs. Other features unaffected. Now: unset ANNEX_ALLOW_INSTALLS',
  },
];

test.concurrent.for(CASES)('$title', (one) => expectMessage(one));
