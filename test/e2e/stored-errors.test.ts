/** G6: errors of a package in a store have the stacks that they have in node_modules. */
import { beforeAll, describe, test } from 'vitest';
import { OWN_PLACE } from '../data/conformance/program.ts';
import {
  compareProgram,
  hasSyncHooks,
  openWorlds,
  type Program,
  type Seen,
  type Worlds,
} from '../support/conformance.ts';
import { nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';

const FAIL = `function fail() { throw new Error('while it loads'); }\nfail();`;

const thrower: PackageFixture = {
  name: 'thrower',
  version: '1.0.0',
  files: {
    'index.js': FAIL,
    'module.mjs': FAIL,
    'requires.js': `function ask() { require('./index.js'); }\nask();`,
    'absent.js': `function ask() { require('no-such-package'); }\nask();`,
    'absent.mjs': `import 'no-such-package';`,
    'caught.js': `try { require('no-such-package'); } catch (error) { module.exports = error; }`,
    'stack.js': `module.exports = new Error('made while it loads');`,
    'syntax.js': 'const = 1;',
    'text.js': `throw 'a text';`,
    // The last one: when a program catches the error of a script that a module imports, Node 20 ends soon after.
    'imports.mjs': `import './index.js';`,
  },
  manifest: {},
};
/** On Node 20 the error comes from the hooks thread, with its stack. */
const FROM_HOOKS = 'absent.mjs';
const NAMES = Object.keys(thrower.files ?? {}).filter((name) => name !== FROM_HOOKS);

/** The place of the package in a store. */
const STORED = /<root>\/[^\s'"()]*?\/node_modules\/thrower\b/g;

const program = (title: string, text: string, starts: Program['starts']): Program => ({
  title,
  files: { 'main.cjs': text, 'plain.cjs': FAIL },
  starts,
  shows: /thrower/,
  modes: ['--import', '--require'],
  clean: (output) =>
    output.replaceAll(STORED, '<root>/app/node_modules/thrower').replaceAll(OWN_PLACE, '$1'),
});

const caught = (title: string, names: readonly string[]): Program =>
  program(
    title,
    `(async () => {
for (const name of ${JSON.stringify(names)}) for (const how of ['require', 'import']) {
  if (how === 'require' && name.endsWith('.mjs')) continue;
  try {
    const loaded = await (how === 'require' ? require('thrower/' + name) : import('thrower/' + name));
    console.log(how, name, (loaded.default ?? loaded).stack);
  } catch (error) { console.log(how, name, error.stack ?? error); }
}
try { require('./plain.cjs'); } catch (error) { console.log(error.stack); }
})();`,
    [{ args: ['--stack-trace-limit=50', 'main.cjs'] }],
  );

const programs: Program[] = [
  caught('errors of a package that the program catches', NAMES),
  {
    ...caught('a package that imports what is not there', [FROM_HOOKS]),
    runsOn: hasSyncHooks,
  },
  program(
    'errors of a package that nobody catches',
    `setTimeout(() => require('thrower/' + process.argv[2]));`,
    ['index.js', 'requires.js', 'syntax.js', 'text.js'].map((name) => ({
      args: ['--stack-trace-limit=50', 'main.cjs', name],
    })),
  ),
];

/** A module of an entry is compiled by a function that verifies it. Caught there, an error would lose the excerpt of its file. */
const OWN_CALL = /^ +at .*\/annex\/dist\/hooks\.cjs:.*\n/gm;
const hide = (text: string): string => text.replaceAll(OWN_CALL, '');

describe.each(nodes)('G6: $label', (node) => {
  let worlds: Worlds;
  beforeAll(async () => {
    worlds = await openWorlds((world) => {
      world.setCore({ features: { thrower: '*' } }, { type: undefined });
    });
    const { annex, plain } = worlds;
    annex.plantEntry({ feature: 'thrower', packages: [thrower], specs: { thrower: '*' } });
    for (const [path, text] of Object.entries(thrower.files ?? {})) {
      plain.write(`app/node_modules/thrower/${path}`, text);
    }
  });

  test.for(programs.filter(({ runsOn }) => runsOn?.(node) ?? true))(
    '$title',
    async (each, { expect: check }) => {
      const show = (seen: Seen[]): Seen[] =>
        seen.map((one) => ({ ...one, stdout: hide(one.stdout), stderr: hide(one.stderr) }));
      for (const { mode, annex, plain } of await compareProgram(worlds, each, node)) {
        check({ mode, seen: show(annex) }).toEqual({ mode, seen: plain });
        check(plain.map(({ stdout, stderr }) => stdout + stderr).join('')).toMatch(each.shows);
      }
    },
  );
});
