/** Random changes of an entry, by somebody who can write the volume. */
import fc from 'fast-check';
import type { Change, ProbeEntry } from './probe-entry.ts';

/** Foreign code says by its id how it ran. */
const EVIL_MODULE = `export const probe = { id: '<<EVIL>>', file: '/EVIL', later: {} };
globalThis.probe.ran('/EVIL', probe.id);\n`;
export const EVIL_SCRIPT = `exports.probe = { id: '<EVIL>', file: '/EVIL', later: {} };
globalThis.probe.ran('/EVIL', exports.probe.id);\n`;
export const EVIL_DATA = `{ "probe": { "id": "<EVIL>", "file": "/EVIL", "later": {} } }`;

/** Files outside of the entry, by path below the entry: nothing ever runs from them. */
export const OUTSIDE: Record<string, string> = Object.fromEntries(
  ['../../..', '../..', '..'].flatMap((above) =>
    ['a', 'b', '@s/c', 'gone'].flatMap((name) => [
      [`${above}/node_modules/${name}/package.json`, `{ "name": "${name}" }`],
      ...['index.js', 'x.js', 'lib/x.js', 'lib/index.js', 'main.js'].map((file) => [
        `${above}/node_modules/${name}/${file}`,
        EVIL_SCRIPT,
      ]),
    ]),
  ),
);

/** Names that Node prefers to others, or searches for. */
const TEMPTING = [
  'index.js',
  'index.json',
  'index.node',
  'main',
  'main.js',
  'main/index.js',
  'plain.js',
  'x',
  'x.js',
  'x.json',
  'x.node',
  'x/index.js',
  'x/package.json',
  'lib.js',
  'lib.json',
  'lib',
  'lib/package.json',
  'lib/index.js',
  'lib/X.js',
  'gone.js',
  'gone.json',
  'gone/index.js',
  'gone',
  'gone/package.json',
  'sub.js',
  'z.js',
  'Index.js',
  'package.json',
  'node_modules',
  ...['a', 'b', '@s/c', 'gone'].flatMap((name) =>
    ['', '/package.json', '/index.js', '/x.js', '/lib/x.js', '.js'].map(
      (file) => `node_modules/${name}${file}`,
    ),
  ),
];

/** Parts of a package.json that lead elsewhere: to another file of the package, out of it, or out of the entry. */
const PARTS: Record<string, unknown>[] = [
  ...['module', 'commonjs'].map((type) => ({ type })),
  ...['x.js', './lib', '../a/x.js', '../../../../../node_modules/a', './main.js', 'gone'].map(
    (main) => ({
      main,
    }),
  ),
  ...['./x.js', './lib/y.cjs', './../a/x.js', './lib/x', './main.js', './data.json'].flatMap(
    (to) => [
      { exports: to },
      { exports: { '.': to, './*': to } },
      { exports: { require: to, import: './x.js' } },
      { imports: { '#x': to, '#dep': to, '#gone': to } },
    ],
  ),
  { imports: { '#x': 'a', '#dep': 'b', '#gone': '@s/c/x.js' } },
  { name: 'self' },
  { name: 'a' },
];
const REMOVED = ['exports', 'main', 'type', 'imports', 'name'];

const draw = fc.record({
  kind: fc.constantFrom(
    'edit',
    'edit',
    'truncate',
    'remove',
    'remove',
    'rename',
    'swap',
    'add',
    'add',
    'add',
    'manifest',
    'manifest',
    'manifest',
    'link',
    'link',
    'hardLink',
    'directory',
    'file',
    'copy',
    'copy',
  ),
  one: fc.nat(),
  other: fc.nat(),
  name: fc.constantFrom(...TEMPTING),
  part: fc.constantFrom(...PARTS),
  removed: fc.constantFrom(undefined, ...REMOVED),
  text: fc.nat({ max: 3 }),
  isDirectory: fc.boolean(),
  isNew: fc.boolean(),
});
type Draw = typeof draw extends fc.Arbitrary<infer T> ? T : never;

/** One to three changes of an entry. */
export const randomChanges = (entry: ProbeEntry): fc.Arbitrary<Change[]> =>
  fc
    .array(draw, { minLength: 1, maxLength: 3 })
    .map((draws) => draws.flatMap((each) => toChanges(entry, each)));

const pick = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;

function toChanges({ name, files }: ProbeEntry, each: Draw): Change[] {
  const paths = Object.keys(files);
  const dirs = listDirectories(paths);
  const both = [...paths, ...dirs];
  const { one, other, removed } = each;
  const file = pick(paths, one);
  const second = pick(paths, other);
  const any = each.isDirectory ? pick(dirs, one) : file;
  const added = `${pick(dirs, one)}/${each.name}`;
  switch (each.kind) {
    case 'edit':
      return [{ action: 'write', path: file, text: edit(each, file, files[file] ?? '') }];
    case 'truncate':
      return [{ action: 'truncate', path: file, size: other % 40 }];
    case 'remove':
      return [{ action: 'remove', path: any }];
    case 'rename':
      return [{ action: 'rename', path: any, to: each.isNew ? added : pick(both, other) }];
    case 'swap':
      return [{ action: 'swap', path: any, to: each.isDirectory ? pick(dirs, other) : second }];
    case 'add':
      return [{ action: 'write', path: added, text: edit(each, added, files[second] ?? '') }];
    case 'manifest': {
      const manifests = paths.filter((path) => path.endsWith('/package.json'));
      const path = each.isNew ? `${pick(dirs, one)}/package.json` : pick(manifests, one);
      const before = JSON.parse(files[path] ?? '{}') as Record<string, unknown>;
      const part = each.part.name === 'self' ? { name } : each.part;
      const after = { ...before, ...part };
      if (removed !== undefined && !(removed in part)) delete after[removed];
      return [{ action: 'write', path, text: JSON.stringify(after) }];
    }
    case 'link': {
      const to = each.text === 0 ? pick(Object.keys(OUTSIDE), other) : pick(both, other);
      return [
        { action: 'link', path: each.isNew ? added : any, target: relate(added, any, each, to) },
      ];
    }
    case 'hardLink':
      return [{ action: 'hardLink', path: each.isNew ? added : file, to: second }];
    case 'directory':
      return [
        { action: 'directory', path: file },
        { action: 'write', path: `${file}/index.js`, text: edit(each, 'index.js', '') },
      ];
    case 'file':
      return [{ action: 'write', path: pick(dirs, one), text: edit(each, 'x.js', '') }];
    default:
      return [{ action: 'copy', path: each.isDirectory ? pick(dirs, other) : second, to: added }];
  }
}

/** The target of a link: relative to the directory of the link. */
function relate(added: string, any: string, { isNew }: Draw, to: string): string {
  const depth = (isNew ? added : any).split('/').length - 1;
  return `${'../'.repeat(depth)}${to}`;
}

function edit({ text }: Draw, path: string, before: string): string {
  if (path.endsWith('/package.json')) return '{}';
  if (path.endsWith('.json')) return EVIL_DATA;
  if (text === 0) return EVIL_MODULE;
  // Text of another file, which says that it is that file.
  if (text === 1 && before !== '') return before.replaceAll("'<", "'<!");
  return EVIL_SCRIPT;
}

function listDirectories(paths: string[]): string[] {
  const found = new Set<string>(['node_modules']);
  for (const path of paths) {
    const parts = path.split('/');
    for (let end = 2; end < parts.length; end++) found.add(parts.slice(0, end).join('/'));
  }
  return [...found];
}
