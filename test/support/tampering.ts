/** Ways in which an entry can differ from its lock, and a closure with the files that they need. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { listedValue } from './entry.ts';
import { cjsPackage, esmPackage } from './fixtures.ts';
import type { PackageFixture } from './package.ts';
import { removeTree } from './tree.ts';

const kit: PackageFixture = {
  name: 'kit',
  version: '1.0.0',
  files: {
    'index.js': `import { inner } from './lib/inner.js';
import tool, { marker as named } from 'tool';
import data from './data.json' with { type: 'json' };
export const marker = ['kit', inner, tool.marker === named && named, data.marker].join();
`,
    'lib/inner.js': `export const inner = 'inner';\n`,
    'lib/other.js': `export const inner = 'other';\n`,
    'data.json': '{ "marker": "data" }\n',
    'native/addon.node': 'not loaded',
    'native/program': 'not run',
  },
  manifest: { type: 'module', exports: './index.js', dependencies: { tool: '^1.0.0' } },
};

const tool: PackageFixture = {
  name: 'tool',
  version: '1.0.0',
  files: {
    'main.js': `exports.early = true;\nconst { part } = require('./part');\nexports.marker = part + require('./part.json').marker;\n`,
    'other.js': `exports.marker = 'EVIL';\n`,
    // Requires in a cycle, and sees the variables of every CommonJS module.
    'part.js': `const { early } = require('./main.js');
const isOrdinary = early && Object.keys(require.cache).length > 1;
exports.part = isOrdinary && module.paths.length > 1 ? 'part' : 'odd';
`,
    'part.json': '{ "marker": "json" }\n',
  },
  manifest: { main: './main.js' },
};

/** ES modules, CommonJS, JSON, files that are never loaded, and another feature. */
export const closure: PackageFixture[] = [
  kit,
  tool,
  cjsPackage('other', '1.0.0', 'other'),
  esmPackage('spare', '1.0.0', 'spare'),
];

/** The program's result from an undamaged `kit`. */
export const MARKER = 'kit,inner,partjson,data';

/** Marker of foreign code, which must never run. */
export const EVIL = 'EVIL';

/** Writes a file whose directory may be read-only. */
function put(entry: string, path: string, content: string): void {
  const file = join(entry, path);
  const isNew = !existsSync(dirname(file));
  open(isNew ? dirname(dirname(file)) : dirname(file));
  mkdirSync(dirname(file), { recursive: true });
  rmSync(file, { force: true });
  writeFileSync(file, content);
}

const open = (dir: string): void => chmodSync(dir, 0o755);

/** Replaces a file, with a listing that agrees. */
function forge(entry: string, path: string, content: string): void {
  const before = listedValue(readFileSync(join(entry, path)));
  put(entry, path, content);
  editListing(entry, (listing) => listing.replaceAll(before, listedValue(content)));
}

const editListing = (entry: string, edit: (listing: string) => string): void => {
  const listing = readFileSync(join(entry, 'annex-files.txt'), 'utf8');
  put(entry, 'annex-files.txt', edit(listing));
};

const editManifest = (entry: string, edit: (manifest: Record<string, unknown>) => void): void => {
  const manifest = JSON.parse(readFileSync(join(entry, 'annex-entry.json'), 'utf8'));
  edit(manifest);
  put(entry, 'annex-entry.json', JSON.stringify(manifest));
};

/** Replaces an entry, under its name. */
function replace(entry: string, by: string): void {
  const moved = join(dirname(entry), 'moved');
  cpSync(by, moved, { recursive: true });
  removeTree(entry);
  renameSync(moved, entry);
}

/** A change of the entry of `kit`; `other` is that of another feature. */
export type Tamper = (entry: string, other: string) => void;

/** Additions that no request of `kit` meets, by name. */
export const ADDITIONS: Record<string, Tamper> = {
  'an added file': (entry) => put(entry, 'node_modules/kit/more.js', `'${EVIL}'`),
  'an added directory that has an index': (entry) =>
    put(entry, 'node_modules/tool/opt/index.js', `exports.marker = '${EVIL}'`),
  'an added addon where there was no directory': (entry) =>
    put(entry, 'node_modules/kit/native/Debug/addon.node', EVIL),
};

/** By name. */
export const TAMPERINGS: Record<string, Tamper> = {
  'an edited ES module': (entry) =>
    put(entry, 'node_modules/kit/lib/inner.js', `export const inner = '${EVIL}';\n`),
  'an edited entry point': (entry) =>
    put(entry, 'node_modules/kit/index.js', `export const marker = '${EVIL}';\n`),
  'an edited CommonJS module': (entry) =>
    put(entry, 'node_modules/tool/part.js', `exports.part = '${EVIL}';\n`),
  'an edited JSON module': (entry) =>
    put(entry, 'node_modules/kit/data.json', `{ "marker": "${EVIL}" }`),
  'required JSON that was edited': (entry) =>
    put(entry, 'node_modules/tool/part.json', `{ "marker": "${EVIL}" }`),
  'a truncated file': (entry) => {
    const file = join(entry, 'node_modules/tool/part.js');
    chmodSync(file, 0o644);
    truncateSync(file, 3);
  },
  'an emptied CommonJS module that is imported': (entry) =>
    put(entry, 'node_modules/tool/main.js', ''),
  'a file of zeros, as after a loss of power': (entry) => {
    const { size } = lstatSync(join(entry, 'node_modules/kit/lib/inner.js'));
    put(entry, 'node_modules/kit/lib/inner.js', '\0'.repeat(size));
  },
  'a deleted file': (entry) => removeTree(join(entry, 'node_modules/kit/lib/inner.js')),
  'a deleted package': (entry) => {
    open(join(entry, 'node_modules'));
    removeTree(join(entry, 'node_modules/tool'));
  },
  'a listing that became a pipe': (entry) => {
    rmSync(join(entry, 'annex-files.txt'));
    execFileSync('mkfifo', [join(entry, 'annex-files.txt')]);
  },
  'a deleted listing': (entry) => rmSync(join(entry, 'annex-files.txt')),
  'an added package.json': (entry) =>
    put(entry, 'node_modules/kit/lib/package.json', '{ "type": "commonjs" }'),
  'an added package nearer than the locked one': (entry) => {
    open(join(entry, 'node_modules/kit'));
    cpSync(join(entry, 'node_modules/tool'), join(entry, 'node_modules/kit/node_modules/tool'), {
      recursive: true,
    });
  },
  'an empty directory with the name of a package': (entry) => {
    open(join(entry, 'node_modules/kit'));
    mkdirSync(join(entry, 'node_modules/kit/node_modules/tool'), { recursive: true });
  },
  'an edited package.json': (entry) =>
    put(entry, 'node_modules/tool/package.json', '{ "name": "tool", "main": "./other.js" }'),
  'an edited addon': (entry) => put(entry, 'node_modules/kit/native/addon.node', EVIL),
  'an edited program': (entry) => put(entry, 'node_modules/kit/native/program', EVIL),
  'a file that became a link to another': (entry) => {
    const file = join(entry, 'node_modules/kit/lib/inner.js');
    open(dirname(file));
    rmSync(file);
    symlinkSync('other.js', file);
  },
  'a directory that became a link to elsewhere': (entry) => {
    const dir = join(entry, 'node_modules/kit/lib');
    const elsewhere = join(dirname(dirname(entry)), 'elsewhere');
    cpSync(dir, elsewhere, { recursive: true });
    put(elsewhere, 'inner.js', `export const inner = '${EVIL}';\n`);
    open(dirname(dir));
    removeTree(dir);
    symlinkSync(elsewhere, dir);
  },
  'an edited manifest': (entry) =>
    editManifest(entry, (manifest) => {
      manifest.shared = { tool: { ranges: ['*'], version: '1.0.0' } };
    }),
  'a manifest that calls a file generated': (entry) => {
    put(entry, 'node_modules/kit/more.js', `'${EVIL}'`);
    const line = `${listedValue(`'${EVIL}'`)}\tnode_modules/kit/more.js\n`;
    editListing(entry, (listing) => `${listing}generated\n${line}`);
    editManifest(entry, (manifest) => {
      manifest.scripts = ['kit'];
    });
  },
  'an edited file and a listing that agrees': (entry) =>
    forge(entry, 'node_modules/kit/lib/inner.js', `export const inner = '${EVIL}';\n`),
  'another entry under its name': (entry, other) => replace(entry, other),
  'an entry planted whole': (entry) => {
    forge(entry, 'node_modules/kit/index.js', `export const marker = '${EVIL}';\n`);
    renameSync(entry, join(dirname(entry), basename(entry).replace(/\.0$/, '.9')));
  },
};
