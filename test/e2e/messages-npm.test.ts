import { dirname, join } from 'node:path';
import { test } from 'vitest';
import { shareBinary } from '../support/binary.ts';
import { esmPackage } from '../support/fixtures.ts';
import { expectMessage, kit, type MessageCase, type Prepare } from '../support/messages.ts';
import { writeNpm } from '../support/npm.ts';
import { packFixture } from '../support/package.ts';
import type { Sandbox } from '../support/sandbox.ts';

/** Replaces npm with a script. */
const npm =
  (script: string): Prepare =>
  ({ sandbox }) => ({
    env: { PATH: `${writeNpm(sandbox, script)}:${dirname(process.execPath)}:/usr/bin:/bin` },
  });

/** An npm that reports a failure. */
const failing = (code: string, summary: string): Prepare =>
  npm(`echo '${JSON.stringify({ error: { code, summary, detail: '' } })}'; exit 1`);

/** The same, for a resolution that npm says has succeeded. */
const resolving = (packages: object): Prepare =>
  npm(`echo '${JSON.stringify({ lockfileVersion: 3, packages })}' > package-lock.json`);

/** A Node without an npm beside it. */
const findNode = ({ root }: Sandbox): string => shareBinary(process.execPath, join(root, 'nodes'));

const CASES: MessageCase[] = [
  {
    title: 'a dependency from a git repository',
    prepare: resolving({
      '': { dependencies: { kit: '^1.0.0' } },
      'node_modules/kit': {
        version: '1.0.0',
        resolved: 'https://r.invalid/kit.tgz',
        integrity: packFixture(kit()).integrity,
        dependencies: { forked: 'github:me/forked' },
      },
      'node_modules/forked': {
        version: '2.0.0',
        resolved: 'git+ssh://git@github.com/me/forked.git#0123',
      },
    }),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): kit depends on forked 2.0.0 from a git repository, and annex only installs tarballs of registries, asked by main.mjs. Next try at <time>; other features unaffected. Now: use a version of kit whose dependencies are all published, then npx annex install kit',
  },
  {
    title: 'npm that cannot read a repository',
    prepare: failing('', 'An unknown git error occurred'),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): a dependency comes from a git repository, which npm could not read (npm: An unknown git error occurred), asked by main.mjs. Next try at <time>; other features unaffected. Now: use versions whose dependencies are all published in a registry, then npx annex install kit',
  },
  {
    title: 'a resolution without packages',
    prepare: npm("echo '{}' > package-lock.json"),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): the resolution of npm is a package-lock of version undefined, not of 3, asked by main.mjs. Next try at <time>; other features unaffected. Now: update npm, then npx annex install kit',
  },
  {
    title: 'npm that writes nothing',
    prepare: npm('exit 0'),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): npm left no package-lock.json that can be read, asked by main.mjs. Next try at <time>; other features unaffected. Now: update npm, then npx annex install kit',
  },
  {
    title: 'peer dependencies that exclude each other',
    packages: [
      kit({ peerDependencies: { a: '^1.0.0', b: '^1.0.0' } }),
      esmPackage('a', '1.0.0', '', { peerDependencies: { c: '^1.0.0' } }),
      esmPackage('b', '1.0.0', '', { peerDependencies: { c: '^2.0.0' } }),
      esmPackage('c', '1.0.0', ''),
      esmPackage('c', '2.0.0', ''),
    ],
    message:
      'annex: kit unavailable (ANNEX_CONFLICT): b 1.0.0 wants c ^2.0.0 (peer), and the feature contains 1.0.0, asked by main.mjs. Other features unaffected. Now: declare another range, then npx annex install kit',
  },
  {
    title: 'a package for other platforms, without a lock',
    packages: [kit({ os: ['aix'] })],
    message:
      'annex: kit unavailable (ANNEX_UNSUPPORTED_PLATFORM): kit 1.0.0 is made for aix, and this is <platform>, asked by main.mjs. Next try at <time>; other features unaffected. Now: use a version, or another package, that is made for this platform, then npx annex install kit',
  },
  {
    title: 'npm for which the platform is wrong',
    prepare: failing('EBADPLATFORM', 'Unsupported platform'),
    message:
      'annex: kit unavailable (ANNEX_UNSUPPORTED_PLATFORM): npm: EBADPLATFORM Unsupported platform, asked by main.mjs. Next try at <time>; other features unaffected. Now: use a version of the package that runs here, then npx annex install kit',
  },
  {
    title: 'a package for another Node',
    prepare: failing('EBADENGINE', 'Unsupported engine'),
    message:
      'annex: kit unavailable (ANNEX_UNSUPPORTED_PLATFORM): npm: EBADENGINE Unsupported engine, asked by main.mjs. Next try at <time>; other features unaffected. Now: use a version of the package that runs here, then npx annex install kit',
  },
  {
    title: 'a package that does not exist',
    packages: [],
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): npm: E404 Not Found - GET http://<host>/kit - Not found, asked by main.mjs. Next try at <time>; other features unaffected. Now: correct the name or the range, then npx annex install kit',
  },
  {
    title: 'no version in the range',
    annex: { features: { kit: '^9.0.0' } },
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): npm: ETARGET No matching version found for kit@^9.0.0 with a date before <date>, asked by main.mjs. Next try at <time>; other features unaffected. Now: correct the range in annex.features; where only later versions fit it, wait, or accept them: npx annex lock --min-age 0, or min-release-age=0 in the .npmrc of the application, then npx annex install kit',
  },
  {
    title: 'versions that are younger than a day',
    packages: [{ ...kit(), published: new Date().toISOString() }],
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): npm: ENOVERSIONS No versions available for kit, asked by main.mjs. Next try at <time>; other features unaffected. Now: correct the range in annex.features; where only later versions fit it, wait, or accept them: npx annex lock --min-age 0, or min-release-age=0 in the .npmrc of the application, then npx annex install kit',
  },
  {
    title: 'npm fails in another way',
    prepare: failing('EWHATEVER', 'this npm is broken'),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): npm: EWHATEVER this npm is broken, asked by main.mjs. Next try at <time>; other features unaffected. Now: read the message of npm, then npx annex install kit',
  },
  {
    title: 'no npm',
    prepare: ({ sandbox }) => ({ node: findNode(sandbox), env: { PATH: sandbox.home } }),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): npm is not on the PATH, asked by main.mjs. Next try at <time>; other features unaffected. Now: put npm on the PATH, or fill a layer of ANNEX_STORE where npm is, then npx annex install kit',
  },
  {
    title: 'npm that this user cannot run',
    prepare: ({ sandbox }) => ({
      node: findNode(sandbox),
      env: { PATH: writeNpm(sandbox, 'true', 0o644) },
    }),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): npm cannot be run: EACCES, asked by main.mjs. Next try at <time>; other features unaffected. Now: put an npm on the PATH that the user of this process can run, then npx annex install kit',
  },
  {
    title: 'npm that finds no versions for all peer dependencies',
    prepare: failing('ERESOLVE', 'unable to resolve dependency tree'),
    message:
      'annex: kit unavailable (ANNEX_CONFLICT): npm: ERESOLVE unable to resolve dependency tree, asked by main.mjs. Other features unaffected. Now: declare ranges whose peer dependencies agree, then npx annex install kit',
  },
];

test.concurrent.for(CASES)('$title', (one) => expectMessage(one));
