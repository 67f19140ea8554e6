/** Requests from an entry stay inside it, however they are spelled and whichever function makes them. */
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { asked, askedInCore, planted } from '../data/contained.ts';
import { cjsPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { SHADOW } from '../support/shadow.ts';
import { giveTo, users } from '../support/user.ts';

const PRELUDE = `const { createRequire } = require('node:module');
const { dirname, join, relative } = require('node:path');
const { pathToFileURL } = require('node:url');
const attempt = async (ask) => {
  try {
    const value = await ask();
    return value.marker === undefined ? String(value.default?.marker ?? value) : String(value.marker);
  } catch (error) { return error.code ?? String(error); }
};
exports.answer = async (LIB) => {
  const answers = {};
  for (const [text, ask] of asked(LIB)) answers[text] = await attempt(ask);
  return answers;
};
`;

const writeAsker = (table: Record<string, string>): string =>
  `${PRELUDE}const asked = (LIB) => [${Object.keys(table).map(
    (text) => `[${JSON.stringify(text)}, () => ${text}]`,
  )}];\n`;

const alpha: PackageFixture = {
  name: 'alpha',
  version: '1.0.0',
  files: {
    'lib/ask.cjs': writeAsker(asked),
    'lib/inside.js': `exports.marker = 'inside';\n`,
    'lib/linked.js': '',
    'lib/linked-dir/a.cjs': '',
    'outer.cjs': '',
  },
  manifest: {
    main: './lib/ask.cjs',
    imports: {
      '#absent': 'absent',
      '#linked': './lib/linked.js',
      '#inside': './lib/inside.js',
      '#shared': 'shared',
    },
  },
};
const helper = cjsPackage('helper', '1.0.0', 'helper');

const MAIN = `const { readFileSync, writeFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const found = require.resolve('alpha');
const lib = process.argv[2] ?? dirname(found);
const manifest = join(dirname(found), '../../../annex-entry.json');
const before = readFileSync(manifest, 'utf8');
const after = JSON.parse(before);
after.shared['core-only'] = after.shared.shared;
writeFileSync(manifest, JSON.stringify(after));
(async () => {
  const inEntry = await require('alpha').answer();
  const inCore = await require('./ask.cjs').answer(lib);
  console.log(JSON.stringify({ inEntry, inCore }));
})().finally(() => writeFileSync(manifest, before));
`;

function plantOutside({ store, root, home, write }: Sandbox): void {
  const evil = `exports.marker = '${SHADOW}';\n`;
  for (const place of [join(store, 'v1/any'), join(store, 'v1'), store, join(root, 'volume')]) {
    for (const name of planted) write(join(place, 'node_modules', name, 'index.js'), evil);
    write(join(place, 'outside.cjs'), evil);
  }
  for (const place of ['.node_modules', '.node_libraries']) {
    for (const name of [...planted, 'shared']) {
      write(join(home, place, name, 'index.js'), evil);
      write(join(home, place, name, 'more.cjs'), evil);
    }
  }
  write('volume/elsewhere/a.cjs', evil);
  write('volume/elsewhere/index.js', evil);
}

/** Writes the core, the entry and the planted files around it. Returns the directory of the importing file in the entry. */
function fill(sandbox: Sandbox): string {
  sandbox.setCore({ features: { alpha: '^1.0.0' } });
  sandbox.addPackage('app/node_modules', cjsPackage('shared', '1.0.0', 'core'));
  sandbox.addPackage('app/node_modules', cjsPackage('core-only', '1.0.0', 'core'));
  sandbox.write('app/config.cjs', `exports.marker = 'config';\n`);
  plantOutside(sandbox);
  const packages = [alpha, { ...helper, files: { ...helper.files, 'linked.js': '' } }] as const;
  const shared = { shared: { ranges: ['^1.0.0'], version: '1.0.0' } };
  const entry = sandbox.plantEntry({
    feature: 'alpha',
    packages,
    specs: { alpha: '^1.0.0' },
    shared,
  });
  const lib = join(entry, 'node_modules/alpha/lib');
  for (const [path, target] of [
    ['linked.js', 'a.cjs'],
    ['linked-dir', ''],
    ['../../helper/linked.js', 'a.cjs'],
  ] as const) {
    rmSync(join(lib, path), { recursive: true });
    symlinkSync(join(sandbox.root, 'volume/elsewhere', target), join(lib, path));
  }
  // A link that an entry may have for threads without hooks, and one that it must not have.
  for (const name of ['shared', 'core-only']) {
    symlinkSync(join(sandbox.core, 'node_modules', name), join(lib, '../..', name));
  }
  sandbox.write('app/ask.cjs', writeAsker(askedInCore));
  sandbox.write('app/main.cjs', MAIN);
  symlinkSync('volume', join(sandbox.root, 'linked-volume'));
  return lib;
}

describe.each(users)('$who', ({ user }) => {
  let sandbox: Sandbox;
  let lib: string;

  beforeAll(async () => {
    sandbox = await createSandbox({ copyAnnex: true });
    lib = fill(sandbox);
    // Otherwise verification would find the links first.
    sandbox.write('operator.json', { verify: 'off' });
    giveTo(user, sandbox.root);
  });

  for (const node of nodes) {
    describe(node.label, () => {
      const run = async (flags: string[], store = sandbox.store, args: string[] = []) => {
        const ANNEX_CONFIG = join(sandbox.root, 'operator.json');
        const env = { ANNEX_STORE: store, ANNEX_ALLOW_INSTALLS: '0', ANNEX_CONFIG };
        const program = [...flags, '--import', sandbox.loader, 'main.cjs', ...args];
        const { stdout, stderr } = await sandbox.run(program, { node: node.path, env, ...user });
        expect(stderr).toBe('');
        return JSON.parse(stdout) as Record<'inEntry' | 'inCore', Record<string, string>>;
      };

      test('every request of an entry resolves to an allowed place', async () => {
        expect(await run([])).toEqual({ inEntry: asked, inCore: askedInCore });
      });

      test('the same holds in a program whose errors have call sites in place of a stack', async () => {
        const sites = sandbox.write('sites.cjs', 'Error.prepareStackTrace = (_, sites) => sites;');
        expect(await run(['--require', sites])).toEqual({ inEntry: asked, inCore: askedInCore });
      });

      test('the same holds where Node does not follow links', async () => {
        const answers = await run(['--preserve-symlinks', '--preserve-symlinks-main']);
        expect(answers).toEqual({ inEntry: asked, inCore: askedInCore });
      });

      test('the same holds for a store that is configured by a link', async () => {
        const linked = lib.replace('/volume/', '/linked-volume/');
        const store = sandbox.store.replace('/volume/', '/linked-volume/');
        expect(await run([], store, [linked])).toEqual({ inEntry: asked, inCore: askedInCore });
      });
    });
  }
});
