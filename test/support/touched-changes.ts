/** Changes of the entry of touched-entry.ts that give plain Node another answer to some request. */
import type { Change } from './probe-entry.ts';
import { edit, plant } from './touched-entry.ts';

/** Changes, given the name of the feature and the path of its package. */
export type Changes = (name: string, kit: string) => Change[];

/** Changes of a package.json: listed, added or removed. */
export const MANIFEST_CHANGES: Record<string, Changes> = {
  'main that names another listed file': (name) => [
    edit(name, 'part/package.json', { main: './index.js' }),
    edit(name, `${name}/node_modules/part/package.json`, { main: './deep.js' }),
  ],
  'main that leads to another package': (name) => [
    edit(name, `${name}/node_modules/part/package.json`, { main: '../../../tool/sub.js' }),
  ],
  'main that leads out of the entry': (name) => [
    edit(name, `${name}/package.json`, { main: '../../../node_modules/gone/index.js' }),
  ],
  'a type that makes CommonJS an ES module': (name) => [
    edit(name, `${name}/package.json`, { type: 'module' }),
  ],
  'exports that name another listed file': (name) => [
    edit(name, 'tool/package.json', { exports: { '.': './other.js', './sub': './in.js' } }),
  ],
  'no exports': (name) => [edit(name, 'tool/package.json', { exports: undefined })],
  'other conditions': (name) => [
    edit(name, 'tool/package.json', {
      exports: { '.': { import: './r.cjs', require: './in.js' } },
    }),
  ],
  'imports that name another file and another package': (name) => [
    edit(name, `${name}/package.json`, { imports: { '#x': './lib/other.js', '#dep': 'part' } }),
  ],
  'a nearer package.json with a type': (_, kit) => [
    plant(`${kit}/lib/package.json`, '{ "type": "module" }'),
  ],
  'a nearer package.json with imports': (_, kit) => [
    plant(`${kit}/lib/package.json`, '{ "imports": { "#x": "./other.js" } }'),
  ],
  'a package.json with a main in a requested directory': (_, kit) => [
    plant(`${kit}/lib/package.json`, '{ "main": "./other.js" }'),
  ],
  'a package.json in a directory that was not installed, whose main is a listed file': (_, kit) => [
    plant(`${kit}/gone/package.json`, '{ "main": "../lib/other.js" }'),
  ],
  'another main of a directory': (name) => [
    edit(name, `${name}/named/package.json`, { main: './index.js' }),
  ],
  'no package.json in a directory': (_, kit) => [
    { action: 'remove', path: `${kit}/named/package.json` },
  ],
  'no package.json in a package': (_, kit) => [
    { action: 'remove', path: `${kit}/node_modules/part/package.json` },
  ],
  'a package.json that is a link to a listed one': (_, kit) => [
    { action: 'link', path: `${kit}/package.json`, target: 'named/package.json' },
    { action: 'copy', path: `${kit}/other.js`, to: `${kit}/part.js` },
  ],
  'a package.json that is a link to a listed one of another package': (_, kit) => [
    {
      action: 'link',
      path: `${kit}/node_modules/part/package.json`,
      target: '../../named/package.json',
    },
  ],
  'a package.json that is a directory': (_, kit) => [
    { action: 'directory', path: `${kit}/node_modules/part/package.json` },
  ],
  'a package.json that is another listed one': (_, kit) => [
    {
      action: 'swap',
      path: `${kit}/named/package.json`,
      to: `${kit}/node_modules/part/package.json`,
    },
  ],
};

/** Packages and files that Node finds before the listed ones, or where none is listed. */
export const NEARER_CHANGES: Record<string, Changes> = {
  'a package in the package that requests it': (_, kit) => [
    plant(`${kit}/node_modules/tool/index.js`),
  ],
  'a package in the package, whose main is a listed file': (_, kit) => [
    plant(`${kit}/node_modules/tool/package.json`, '{ "main": "../../../tool/sub.js" }'),
  ],
  'a package in the package, whose main is a listed file of the right package': (_, kit) => [
    plant(`${kit}/node_modules/tool/package.json`, '{ "main": "../../../tool/in.js" }'),
  ],
  'a copy of the listed package in the package': (_, kit) => [
    { action: 'copy', path: 'node_modules/tool', to: `${kit}/node_modules/tool` },
  ],
  'a link to another listed package in the package': (_, kit) => [
    { action: 'link', path: `${kit}/node_modules/tool`, target: '../../part' },
  ],
  'a link to the listed package in the package': (_, kit) => [
    { action: 'link', path: `${kit}/lib/node_modules`, target: '../../../node_modules' },
  ],
  'a copy of another version in a directory of the package': (_, kit) => [
    { action: 'copy', path: 'node_modules/part', to: `${kit}/lib/node_modules/part` },
  ],
  'a missing package in the package': (_, kit) => [plant(`${kit}/node_modules/gone/index.js`)],
  'a missing package beside it': () => [plant('node_modules/gone/index.js')],
  'a missing package beside it that is a link to a listed one': () => [
    { action: 'link', path: 'node_modules/gone', target: 'part' },
  ],
  'a file in node_modules for a missing package': (_, kit) => [
    plant(`${kit}/node_modules/gone.js`),
  ],
  'a JSON file in node_modules for a missing package': () => [plant('node_modules/gone.json')],
  'no nearer package': (_, kit) => [{ action: 'remove', path: `${kit}/node_modules/part` }],
  'no node_modules in the package': (_, kit) => [{ action: 'remove', path: `${kit}/node_modules` }],
  'a nearer package of another case': (_, kit) => [
    { action: 'rename', path: `${kit}/node_modules/part`, to: `${kit}/node_modules/Part` },
  ],
  'an empty nearer package': (_, kit) => [
    { action: 'directory', path: `${kit}/node_modules/part` },
  ],
  'a nearer node_modules that is a link to the one above': (_, kit) => [
    { action: 'link', path: `${kit}/node_modules`, target: '..' },
  ],
  'a nearer package that is a link to the one above': (_, kit) => [
    { action: 'link', path: `${kit}/node_modules/part`, target: '../../part' },
  ],
  'two packages in exchanged places': () => [
    { action: 'swap', path: 'node_modules/tool', to: 'node_modules/part' },
  ],
  'a package that is a link to a copy elsewhere': (_, kit) => [
    { action: 'copy', path: kit, to: '../../copy' },
    plant('../../copy/lib/x.js'),
    { action: 'link', path: kit, target: '../../../copy' },
  ],
  'a node_modules that is a link to a copy elsewhere': (_, kit) => [
    { action: 'copy', path: 'node_modules', to: '../../whole/node_modules' },
    plant(`../../whole/${kit}/lib/x.js`),
    { action: 'link', path: 'node_modules', target: '../../whole/node_modules' },
  ],
};

/** Files and directories that a path leads to. */
export const PATH_CHANGES: Record<string, Changes> = {
  'a directory that is a link to another listed one': (_, kit) => [
    { action: 'link', path: `${kit}/lib`, target: 'lib2' },
  ],
  'a directory that is a link to a copy elsewhere': (_, kit) => [
    { action: 'copy', path: `${kit}/lib`, to: '../../lib' },
    plant('../../lib/x.js'),
    { action: 'link', path: `${kit}/lib`, target: '../../../../lib' },
  ],
  'a file that is a link to another listed one': (_, kit) => [
    { action: 'link', path: `${kit}/lib/x.js`, target: 'other.js' },
  ],
  'an ES module that is a link to another listed one': (_, kit) => [
    { action: 'link', path: `${kit}/esm/x.js`, target: 'other.js' },
  ],
  'JSON that is a link to other listed JSON': (_, kit) => [
    { action: 'link', path: `${kit}/data.json`, target: 'esm/data.json' },
    { action: 'link', path: `${kit}/esm/data.json`, target: '../odd.json' },
  ],
  'a file that is a hard link to another listed one': (_, kit) => [
    { action: 'hardLink', path: `${kit}/lib/x.js`, to: `${kit}/lib/other.js` },
  ],
  'two files in exchanged places': (_, kit) => [
    { action: 'swap', path: `${kit}/lib/x.js`, to: `${kit}/lib/other.js` },
    { action: 'swap', path: `${kit}/esm/x.js`, to: `${kit}/esm/other.js` },
  ],
  'two directories in exchanged places': (_, kit) => [
    { action: 'swap', path: `${kit}/lib`, to: `${kit}/lib2` },
  ],
  'a file in place of a directory': (_, kit) => [plant(`${kit}/lib`)],
  'a listed file in place of a directory': (_, kit) => [
    { action: 'rename', path: `${kit}/other.js`, to: `${kit}/lib` },
  ],
  'a directory in place of a file': (_, kit) => [
    { action: 'directory', path: `${kit}/plain` },
    plant(`${kit}/plain/index.js`),
  ],
  'a directory in place of a file, with a main that is a listed file': (_, kit) => [
    { action: 'directory', path: `${kit}/lib/x.js` },
    plant(`${kit}/lib/x.js/package.json`, '{ "main": "../other.js" }'),
  ],
  'a .js beside a directory': (_, kit) => [plant(`${kit}/lib.js`)],
  'a .json beside a directory': (_, kit) => [plant(`${kit}/lib.json`)],
  'a link beside a directory': (_, kit) => [
    { action: 'link', path: `${kit}/lib.js`, target: 'other.js' },
  ],
  'a file without an extension beside x.js': (_, kit) => [plant(`${kit}/lib/x`)],
  'a link without an extension beside x.js': (_, kit) => [
    { action: 'link', path: `${kit}/lib/x`, target: 'other.js' },
  ],
  'a file without an extension of a requested name': (_, kit) => [plant(`${kit}/data`)],
  'no .js before a listed directory': (_, kit) => [{ action: 'remove', path: `${kit}/opt.js` }],
  'no .json before a listed directory': (_, kit) => [{ action: 'remove', path: `${kit}/odd.json` }],
  'a .js before a listed .json': (_, kit) => [plant(`${kit}/odd.js`)],
  'a .js before a listed .json that is a link to a listed file': (_, kit) => [
    { action: 'link', path: `${kit}/odd.js`, target: 'odd/index.js' },
  ],
  'an index.js before a listed index.json': (_, kit) => [plant(`${kit}/only/index.js`)],
  'an index.json in place of an index.js': (_, kit) => [
    { action: 'remove', path: `${kit}/lib/index.js` },
    plant(`${kit}/lib/index.json`),
  ],
  'an index.js for a missing file': (_, kit) => [plant(`${kit}/gone/index.js`)],
  'a .js for a missing file': (_, kit) => [plant(`${kit}/gone.js`)],
  'a .json for a missing file': (_, kit) => [plant(`${kit}/gone.json`)],
  'a link for a missing file': (_, kit) => [
    { action: 'link', path: `${kit}/gone.js`, target: 'other.js' },
  ],
  'a missing ES module': (_, kit) => [
    plant(
      `${kit}/esm/gone.js`,
      `export const probe = { id: '<<EVIL>>', file: '/EVIL', later: {} };`,
    ),
  ],
  'a directory of another case': (_, kit) => [
    { action: 'copy', path: `${kit}/lib`, to: `${kit}/LIB` },
  ],
  'a link of another case': (_, kit) => [{ action: 'link', path: `${kit}/LIB`, target: 'lib' }],
  'a file of another case': (_, kit) => [
    { action: 'copy', path: `${kit}/esm/x.js`, to: `${kit}/esm/X.js` },
  ],
  'a directory that a percent-encoded request means': (_, kit) => [
    { action: 'link', path: `${kit}/esm/linked`, target: '../lib2' },
  ],
  'a changed ES module': (_, kit) => [
    plant(`${kit}/esm/x.js`, `export const probe = { id: '<<EVIL>>', file: '/EVIL', later: {} };`),
  ],
  'a changed CommonJS module': (_, kit) => [plant(`${kit}/lib/x.js`)],
  'a changed file without an extension': (_, kit) => [plant(`${kit}/plain`)],
  'changed JSON': (_, kit) => [plant(`${kit}/data.json`), plant('node_modules/tool/data.json')],
  'an empty file': (_, kit) => [
    { action: 'truncate', path: `${kit}/lib/x.js`, size: 0 },
    { action: 'truncate', path: `${kit}/esm/index.js`, size: 0 },
  ],
};
