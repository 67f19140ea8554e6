/** Programs around files and where they are: symbolic links, odd characters, NODE_PATH, the home directory. */
import { askingModule, askingScript, type Case, dependency } from './program.ts';

const here = {
  'here.mjs': `export default import.meta.url.split('/').slice(-2).join('/');`,
  'here.cjs': `module.exports = __filename.split('/').slice(-2).join('/');`,
};
const LINKED = {
  files: {
    'main.mjs': askingModule(
      `import('linked')`,
      `require('linked')`,
      `import('./link.mjs')`,
      `import('./link.cjs')`,
      `require('./link.cjs')`,
      `import('./dir/here.mjs')`,
      `require('./dir/here.cjs')`,
      `import('./dir/beside.mjs')`,
      `require.resolve('linked/peer.cjs')`,
      `require('linked/peer.cjs')`,
      `import('./dangling.mjs')`,
      `require('./dangling.mjs')`,
      `import('./loop.mjs')`,
      `require('./loop.mjs')`,
      `import.meta.resolve('./link.mjs')`,
      `import.meta.url`,
    ),
    ...Object.fromEntries(Object.entries(here).map(([name, text]) => [`real/${name}`, text])),
    'real/beside.mjs': `export { default } from './here.mjs';`,
    'real/package.json': { main: './here.cjs' },
    'real/peer.cjs': `module.exports = require('peer');`,
    ...dependency(
      'peer',
      {},
      { 'index.js': `module.exports = 'the peer of the place of the link';` },
    ),
    'real/node_modules/own/index.js': '',
  },
  links: {
    'node_modules/linked': '../real',
    'link.mjs': 'real/here.mjs',
    'link.cjs': 'real/here.cjs',
    dir: 'real',
    'dangling.mjs': 'absent.mjs',
    'loop.mjs': 'loop.mjs',
    'start.mjs': 'real/start.mjs',
    'start.cjs': 'real/start.cjs',
  },
} as const;

const STARTS = {
  'real/start.mjs': `import { tell } from 'tell'; console.log(process.argv[1] === import.meta.filename); await tell('beside', () => import('./here.mjs')); await tell('above', () => import('./main.mjs').then(() => 'found'));`,
  'real/start.cjs': `const { tell } = require('tell'); console.log(require.main === module, module.id, __filename.split('/').slice(-2)); tell('beside', () => require('./here.cjs')); tell('above', () => require.resolve('./main.mjs').split('/').pop());`,
};

const linked = (title: string, args: string[], shows = 'main.mjs'): Case => ({
  title,
  args,
  files: { ...LINKED.files, ...STARTS },
  links: LINKED.links,
  shows,
});

const ODD = [
  'a b',
  'a%20b',
  'a%b',
  'a#b',
  'a?b',
  'ü',
  'a\\b',
  'a:b',
  "a'b",
  'a&b',
  'a+b',
  '[a]',
  '{a}',
  'a\tb',
  '日本',
  'a;b',
  'a@b',
  '%',
  'a"b',
  '\u{1F600}',
];
const spell = (name: string) => JSON.stringify(name);

export const placePrograms: Case[] = [
  linked('links: a module is the file behind the link', ['main.mjs'], 'the peer of the place'),
  linked(
    'links: --preserve-symlinks keeps the place of the link',
    ['--preserve-symlinks', 'main.mjs'],
    'the peer of the place of the link',
  ),
  linked('links: the main module is the file behind the link', ['start.mjs'], 'real/here.mjs'),
  linked('links: the main script is the file behind the link', ['start.cjs'], 'real/here.cjs'),
  linked(
    'links: --preserve-symlinks-main keeps that of the main module',
    ['--preserve-symlinks-main', 'start.mjs'],
    'beside',
  ),
  linked(
    'links: --preserve-symlinks-main keeps that of the main script',
    ['--preserve-symlinks-main', 'start.cjs'],
    'beside',
  ),
  linked(
    'links: both flags',
    ['--preserve-symlinks', '--preserve-symlinks-main', 'start.mjs'],
    'beside',
  ),
  {
    title: 'paths: odd characters in names of files, as paths and as URLs',
    files: {
      'main.mjs': `import { pathToFileURL } from 'node:url';\n${askingModule(...ODD.flatMap((name) => [`import(${spell(`./${name}.mjs`)})`, `import(pathToFileURL(import.meta.dirname + ${spell(`/${name}.mjs`)}).href)`, `import(${spell(`./${encodeURIComponent(name)}.mjs`)})`, `require(${spell(`./${name}.cjs`)})`, `import.meta.resolve(${spell(`./${name}.mjs`)})`]))}`,
      ...Object.fromEntries(
        ODD.flatMap((name) => [
          [`${name}.mjs`, here['here.mjs']],
          [`${name}.cjs`, here['here.cjs']],
        ]),
      ),
    },
    shows: '%E6%97%A5',
  },
  {
    title: 'paths: modules in directories with odd names find their packages',
    files: {
      'main.mjs': `${ODD.map((name) => `await import(${spell(`./${encodeURIComponent(name)}/x.mjs`)});\n`).join('')}`,
      ...Object.fromEntries(
        ODD.flatMap((name) => [
          [
            `${name}/x.mjs`,
            askingModule(
              `import('./x.cjs')`,
              `require('./x.cjs')`,
              `import('inner')`,
              `require('inner')`,
              `import('no-such-package')`,
              `require('no-such-package')`,
              `import.meta.url`,
              `import.meta.resolve('inner')`,
            ),
          ],
          [`${name}/x.cjs`, `module.exports = __filename;`],
          [`${name}/node_modules/inner/index.js`, `module.exports = 'inner';`],
        ]),
      ),
    },
    shows: "default: 'inner'",
  },
  ...['a b', 'a%20b', 'a#b', 'a?b'].map(
    (name): Case => ({
      title: `paths: the main file is in a directory called ${spell(name)}`,
      args: [`${name}/main.mjs`],
      files: {
        [`${name}/main.mjs`]: askingModule(
          `import('./x.cjs')`,
          `require('inner')`,
          `import('no-such-package')`,
          `import.meta.url`,
        ),
        [`${name}/x.cjs`]: `module.exports = __filename;`,
        [`${name}/node_modules/inner/index.js`]: `module.exports = 'inner';`,
      },
      shows: "'inner'",
    }),
  ),
  {
    title: 'paths: absolute ones, repeated slashes and dots',
    files: {
      'main.mjs': `import { pathToFileURL } from 'node:url'; const dir = import.meta.dirname;\n${askingModule(`import(dir + '/here.mjs')`, `import(dir + '//here.mjs')`, `import('.//here.mjs')`, `import('./lib/../here.mjs')`, `import('./lib/../../' + dir.split('/').pop() + '/here.mjs')`, `import('/here.mjs')`, `require(dir + '//here.cjs')`, `require(dir + '/./here')`, `import(pathToFileURL(dir).href + '//here.mjs')`, `import('FILE://' + dir + '/here.mjs')`, `import('file:here.mjs')`, `import('file://localhost' + dir + '/here.mjs')`, `import('./HERE.mjs')`, `import('.\\\\here.mjs')`, `import(' ./here.mjs')`, `import('./here.mjs ')`, `import('./here.mjs\\n')`, `import('./here.mjs\\0')`, `require('./here.cjs\\0')`, `import('.')`, `import('..')`, `import('./')`, `import('')`, `require('')`, `import(' ')`, `require(' ')`)}`,
      ...here,
    },
    shows: 'ERR_UNSUPPORTED_DIR_IMPORT',
  },
  {
    title: 'paths: NODE_PATH is for require alone',
    env: { NODE_PATH: 'extra:other:/no/such/directory' },
    files: {
      'main.mjs': askingModule(
        `require('in-extra')`,
        `import('in-extra')`,
        `require('in-other')`,
        `require('in-extra/sub')`,
        `require('no-such-package')`,
        `import.meta.resolve('in-extra')`,
        `require.resolve.paths('x')`,
        `require('node:module').globalPaths.length`,
      ),
      'extra/in-extra/index.js': `module.exports = 'from NODE_PATH';`,
      'extra/in-extra/sub.js': `module.exports = 'its sub';`,
      'other/in-other.js': `module.exports = 'other';`,
    },
    shows: 'from NODE_PATH',
  },
  {
    title: 'paths: the home directory is for require alone',
    args: ['main.mjs'],
    files: {
      'main.mjs': askingModule(
        `require('in-home')`,
        `import('in-home')`,
        `require('in-libraries')`,
      ),
      'home/.node_modules/in-home/index.js': `module.exports = 'from the home';`,
      'home/.node_libraries/in-libraries.js': `module.exports = 'library';`,
    },
    env: { HOME: 'home' },
    shows: 'from the home',
  },
  {
    title: 'paths: a deleted working directory',
    args: ['main.cjs'],
    files: {
      'main.cjs': `const fs = require('fs'); fs.mkdirSync('gone'); process.chdir('gone'); fs.rmdirSync('../gone'.replace('..', __dirname)); ${askingScript(`require('no-such-package')`, `require('./x.cjs')`, `import('./x.cjs')`, `import('no-such-package')`, `require('module').createRequire(__filename)('./x.cjs')`)}`,
      'x.cjs': `module.exports = 'x';`,
    },
    shows: "'x'",
  },
  {
    title: 'paths: files that cannot be read, and directories in the way',
    files: {
      'main.mjs': askingModule(
        `import('./dir.mjs')`,
        `require('./dir.cjs')`,
        `import('./here.mjs/x.mjs')`,
        `require('./here.cjs/x')`,
        `import('here.mjs')`,
        `require('./dir.mjs')`,
      ),
      'dir.mjs/x': '',
      'dir.cjs/x': '',
      ...here,
    },
    shows: 'ERR_UNSUPPORTED_DIR_IMPORT',
  },
];
