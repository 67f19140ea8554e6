/** Requests of an entry stay inside it, however they are spelled and whichever function takes them. */
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { SHADOW } from '../support/shadow.ts';

/** Names that Node looks up in every node_modules above an entry, and that are planted in each of them. */
const planted = ['absent', '@scope/absent', 'bun:sqlite', 'a%b', '@x', '.hid', 'a b', 'file:x'];

/** Ways to ask for a name in a file of the entry; `N` stands for the name. */
const ways = [
  'require(N)',
  'module.require(N)',
  'require.resolve(N)',
  'createRequire(__filename)(N)',
  'createRequire(__dirname + "/").resolve(N)',
  'require.resolve(N, { paths: [__dirname] })',
  'require.resolve(N, { paths: [__filename + "/..", __dirname + "/deeper"] })',
];

const missing = 'MODULE_NOT_FOUND';
const notImported = 'ERR_MODULE_NOT_FOUND';

/** Expressions in the entry's file, and what they give: the marker of a file, or the code of an error. */
const asked: Record<string, string> = {
  ...Object.fromEntries(
    planted.flatMap((name) =>
      ways.map((way) => [way.replace('N', JSON.stringify(name)), missing] as const),
    ),
  ),
  'import("absent")': notImported,
  'import("@scope/absent")': notImported,
  'import("a b")': notImported,
  'require("#absent")': missing,
  'import("#absent")': notImported,
  'require("#linked")': missing,
  'import("#linked")': notImported,
  // A place in the entry, which a link leads out of.
  'require("./linked.js")': missing,
  'require("./linked")': missing,
  'require("./linked-dir/a.cjs")': missing,
  'require("./linked-dir")': missing,
  'require(join(__dirname, "linked.js"))': missing,
  'require(__dirname + "/../lib/./linked.js")': missing,
  'require(join(__dirname, "linked-dir", "a"))': missing,
  'require.resolve("./linked.js", { paths: [__dirname] })': missing,
  'import("./linked.js")': notImported,
  'import("./linked-dir/a.cjs?x#y")': notImported,
  'import(join(__dirname, "linked.js"))': notImported,
  'import(pathToFileURL(join(__dirname, "linked.js")))': notImported,
  'import(String(pathToFileURL(join(__dirname, "linked-dir/a.cjs"))).replace("lib", "%6Cib"))':
    notImported,
  'import("FILE://" + join(__dirname, "linked.js"))': notImported,
  'require("helper/linked.js")': missing,
  'require("../../helper/linked.js")': missing,
  // A place in the store that no entry holds.
  'require("../../../../outside.cjs")': missing,
  'require(join(__dirname, "../../../../outside.cjs"))': missing,
  'import("../../../../outside.cjs")': notImported,
  'import(pathToFileURL(join(__dirname, "../../../../outside.cjs")))': notImported,
  // What the entry has, and what Node has.
  'require("./inside")': 'inside',
  'require(join(__dirname, "inside.js"))': 'inside',
  'import(pathToFileURL(join(__dirname, "inside.js")))': 'inside',
  'import("./inside.js?x")': 'inside',
  'require("#inside")': 'inside',
  'require("helper")': 'helper',
  'require("../../helper")': 'helper',
  'require(require.resolve("helper", { paths: [__dirname] }))': 'helper',
  'require("./gone")': missing,
  'import("./gone.cjs")': notImported,
  'require("node:path").sep': '/',
  'require("path").sep': '/',
  'import("data:text/javascript,export const marker = 1")': '1',
  'import("http://127.0.0.1/x")': 'ERR_UNSUPPORTED_ESM_URL_SCHEME',
  'import("node:absent")': 'ERR_UNKNOWN_BUILTIN_MODULE',
  // A place that is outside of every store as it is written is the package's own business.
  'require(join(process.cwd(), "config.cjs"))': 'config',
  'require(relative(__dirname, join(process.cwd(), "config.cjs")))': 'config',
  'import(pathToFileURL(join(process.cwd(), "config.cjs")))': 'config',
  'require(require.resolve("./config.cjs", { paths: [process.cwd()] }))': 'config',
  'require(require.resolve("core-only", { paths: [process.cwd()] }))': 'core',
  'require(require.resolve("core-only", { paths: [__dirname, process.cwd()] }))': 'core',
  'require(join(process.cwd(), "node_modules/core-only"))': 'core',
  // What the entry shares is the copy of core, and all of it: no other folder completes it.
  'require("shared")': 'core',
  'import("shared")': 'core',
  'require("#shared")': 'core',
  'require("shared/lib/extra.js")': 'core',
  'require(require.resolve("shared", { paths: [__dirname] }))': 'core',
  'require("shared/more.cjs")': missing,
  'import("shared/more.cjs")': notImported,
  'require("../../shared/lib/extra.js")': 'core',
  'require("../../core-only/lib/extra.js")': missing,
  'require("shared/package.json").name': 'shared',
  // The manifest says so only after the entry was first used.
  'require("core-only")': missing,
  'import("core-only")': notImported,
};

/** The same for a file of the core; `LIB` is a directory of the entry. */
const askedInCore: Record<string, string> = {
  'require(join(LIB, "linked.js"))': missing,
  'import(join(LIB, "linked.js"))': notImported,
  'import(pathToFileURL(join(LIB, "linked.js")))': notImported,
  'require(join(LIB, "inside.js"))': 'inside',
  'import(pathToFileURL(join(LIB, "inside.js")))': 'inside',
  'createRequire(LIB + "/")("absent")': missing,
  'createRequire(LIB + "/")("./linked.js")': missing,
  'createRequire(LIB + "/")("helper")': 'helper',
  'createRequire(pathToFileURL(LIB + "/x.js"))("a%b")': missing,
  'require.resolve("absent", { paths: [LIB] })': missing,
  'require.resolve("bun:sqlite", { paths: [LIB] })': missing,
  'require(require.resolve("helper", { paths: [LIB] }))': 'helper',
  'require(require.resolve("shared", { paths: [LIB] }))': 'core',
  'require(require.resolve("core-only", { paths: [LIB, process.cwd()] }))': 'core',
  'require(require.resolve("./config.cjs", { paths: ["."] }))': 'config',
  'require.resolve("alpha", { paths: [process.cwd()] })': missing,
};

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

let sandbox: Sandbox;
/** The directory of the file that asks in the entry. */
let lib: string;

function plantOutside(): void {
  const { store, root, home } = sandbox;
  const evil = `exports.marker = '${SHADOW}';\n`;
  for (const place of [join(store, 'v1/any'), join(store, 'v1'), store, join(root, 'volume')]) {
    for (const name of planted) sandbox.write(join(place, 'node_modules', name, 'index.js'), evil);
    sandbox.write(join(place, 'outside.cjs'), evil);
  }
  for (const place of ['.node_modules', '.node_libraries']) {
    for (const name of [...planted, 'shared']) {
      sandbox.write(join(home, place, name, 'index.js'), evil);
      sandbox.write(join(home, place, name, 'more.cjs'), evil);
    }
  }
  sandbox.write('volume/elsewhere/a.cjs', evil);
  sandbox.write('volume/elsewhere/index.js', evil);
}

function replaceByLink(path: string, target: string): void {
  rmSync(join(lib, path), { recursive: true });
  symlinkSync(join(sandbox.root, target), join(lib, path));
}

beforeAll(async () => {
  sandbox = await createSandbox();
  sandbox.setCore({ features: { alpha: '^1.0.0' } });
  sandbox.addPackage('app/node_modules', cjsPackage('shared', '1.0.0', 'core'));
  sandbox.addPackage('app/node_modules', cjsPackage('core-only', '1.0.0', 'core'));
  sandbox.write('app/config.cjs', `exports.marker = 'config';\n`);
  plantOutside();
  const packages = [alpha, { ...helper, files: { ...helper.files, 'linked.js': '' } }] as const;
  const shared = { shared: { ranges: ['^1.0.0'], version: '1.0.0' } };
  const entry = sandbox.plantEntry({
    feature: 'alpha',
    packages,
    specs: { alpha: '^1.0.0' },
    shared,
  });
  lib = join(entry, 'node_modules/alpha/lib');
  replaceByLink('linked.js', 'volume/elsewhere/a.cjs');
  replaceByLink('linked-dir', 'volume/elsewhere');
  replaceByLink('../../helper/linked.js', 'volume/elsewhere/a.cjs');
  // The link that an entry may have for who comes without hooks, and one that it must not have.
  for (const name of ['shared', 'core-only']) {
    symlinkSync(join(sandbox.core, 'node_modules', name), join(lib, '../..', name));
  }
  sandbox.write('app/ask.cjs', writeAsker(askedInCore));
  sandbox.write(
    'app/main.cjs',
    `const { readFileSync, writeFileSync } = require('node:fs');
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
`,
  );
  symlinkSync('volume', join(sandbox.root, 'linked-volume'));
});
afterAll(() => sandbox.cleanup());

for (const node of nodes) {
  describe(node.label, () => {
    const run = async (flags: string[], store = sandbox.store, args: string[] = []) => {
      // What is compared with a listing would be found before it could lead anywhere.
      const ANNEX_CONFIG = sandbox.write('operator.json', { verify: 'off' });
      const env = { ANNEX_STORE: store, ANNEX_ALLOW_INSTALLS: '0', ANNEX_CONFIG };
      const program = [...flags, '--import', sandbox.loader, 'main.cjs', ...args];
      const { stdout, stderr } = await sandbox.run(program, { node: node.path, env });
      expect(stderr).toBe('');
      return JSON.parse(stdout) as Record<'inEntry' | 'inCore', Record<string, string>>;
    };

    test('every request of an entry is answered from where it may be', async () => {
      expect(await run([])).toEqual({ inEntry: asked, inCore: askedInCore });
    });

    test('the same holds in a program whose errors have call sites in place of a stack', async () => {
      const sites = sandbox.write('sites.cjs', 'Error.prepareStackTrace = (_, sites) => sites;');
      expect(await run(['--require', sites])).toEqual({ inEntry: asked, inCore: askedInCore });
    });

    test('the same holds for a store that is configured by a link', async () => {
      const linked = lib.replace('/volume/', '/linked-volume/');
      const store = sandbox.store.replace('/volume/', '/linked-volume/');
      expect(await run([], store, [linked])).toEqual({ inEntry: asked, inCore: askedInCore });
    });
  });
}
