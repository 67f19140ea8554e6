/** How the core root is found, the shipped copy that it sees, its workspaces, and related paths. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findCorePackage, listWorkspaces } from '../../../src/app/core.ts';
import { type CoreSearch, findCoreRoot } from '../../../src/app/core-root.ts';
import { readPackage } from '../../../src/base/package-json.ts';
import { listAncestors, toRealPath } from '../../../src/base/paths.ts';
import { isInvalidKey } from '../../../src/settings/declaration.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';

let sandbox: Sandbox;
let root: string;
beforeEach(async () => {
  sandbox = await createSandbox({ linkAnnex: false });
  root = sandbox.root;
});
afterEach(() => sandbox.cleanup());

const annex = { features: { 'exa-js': '^1.0.0' } };
const declare = (dir: string, extra = {}) =>
  sandbox.write(join(dir, 'package.json'), { name: dir, annex, ...extra });

describe('the core root', () => {
  const find = (origin: Partial<CoreSearch>) => {
    const found = findCoreRoot(
      { explicit: undefined, script: undefined, cwd: root, self: root, ...origin },
      isInvalidKey,
    );
    if (found === undefined) return undefined;
    if ('problem' in found) throw new Error(found.problem);
    return found.dir.slice(root.length + 1);
  };
  const at = (path: string) => join(root, path);

  test('is the nearest package.json with an annex key above the script', () => {
    declare('outer');
    declare('outer/inner');
    sandbox.write('outer/inner/dist/package.json', { type: 'commonjs' });
    expect(find({ script: at('outer/inner/dist/main.js') })).toBe('outer/inner');
    expect(find({ script: at('outer/main.js') })).toBe('outer');
  });

  test('is searched for above the real path of the script', () => {
    declare('real');
    sandbox.write('real/main.js', '');
    mkdirSync(at('bin'));
    symlinkSync(at('real/main.js'), at('bin/main'));
    expect(find({ script: at('bin/main') })).toBe('real');
  });

  test('is searched for above the working directory when there is no script', () => {
    declare('project');
    mkdirSync(at('project/src'));
    expect(find({ cwd: at('project/src') })).toBe('project');
  });

  test('is never searched for above the working directory when there is a script', () => {
    declare('project');
    declare('elsewhere');
    expect(find({ script: at('project/main.js'), cwd: at('elsewhere') })).toBe('project');
    expect(find({ script: at('absent/main.js'), cwd: at('elsewhere') })).toBeUndefined();
  });

  test.each([
    'ws/node_modules/tool/cli.js',
    'ws/node_modules/.pnpm/tool@1.0.0/node_modules/tool/cli.js',
  ])('of a tool that the working directory can import is above that: %s', (tool) => {
    declare('ws/packages/gateway');
    mkdirSync(at('ws/packages/gateway/src'));
    const [script, self] = [at(tool), at('ws/node_modules/annex/dist')];
    expect(find({ script, self, cwd: at('ws/packages/gateway/src') })).toBe('ws/packages/gateway');
    expect(find({ script, self, cwd: at('ws') })).toBeUndefined();
    declare('elsewhere');
    expect(find({ script, self, cwd: at('elsewhere') })).toBeUndefined();
    declare('ws');
    expect(find({ script, self, cwd: at('ws/packages/gateway') })).toBe('ws');
  });

  test('of a program is not above the working directory, whatever starts it', () => {
    declare('ws/packages/gateway');
    const cwd = at('ws/packages/gateway');
    expect(find({ script: at('ws'), cwd })).toBeUndefined();
    expect(find({ script: at('ws/main.js'), cwd })).toBeUndefined();
    const kit = 'v1/any/kit.0123456789abcdef0123456789abcdef.0';
    declare(`${kit}/inner`);
    const script = at(`${kit}/node_modules/kit/cli.js`);
    expect(find({ script, cwd: at(`${kit}/inner`) })).toBeUndefined();
  });

  test.each([
    'application/node_modules/annex/dist',
    'application/node_modules/.pnpm/annex@1.0.0/node_modules/annex/dist',
    'application/node_modules/dep/node_modules/annex/dist',
    'application/.pnpm/annex@1.0.0/node_modules/annex',
  ])('is found above the directory of annex: %s', (self) => {
    declare('application');
    declare('application/node_modules/dep');
    expect(find({ script: at('bin/main.js'), self: at(self) })).toBe('application');
  });

  test('above the script comes before the one above the directory of annex', () => {
    declare('application');
    declare('script');
    const self = at('application/node_modules/annex/dist');
    expect(find({ script: at('script/main.js'), self })).toBe('script');
  });

  test.each([
    ['without the key', {}],
    ['with annex as a dependency', { dependencies: { annex: '^1.0.0' } }],
    ['with a key that is no object', { annex: true }],
    ['with a key that is null', { annex: null }],
  ])('is never a package.json %s', (_what, manifest) => {
    declare('outer');
    sandbox.write('outer/inner/package.json', { name: 'inner', ...manifest });
    expect(find({ script: at('outer/inner/main.js') })).toBe('outer');
  });

  test('is refused when its package.json does not parse, and no other is used', () => {
    declare('outer');
    sandbox.write('outer/inner/package.json', '{ "annex": { "features": ');
    expect(() => find({ script: at('outer/inner/main.js') })).toThrow(
      `${at('outer/inner/package.json')} does not parse as JSON`,
    );
  });

  test('may have a package.json with a byte order mark', () => {
    sandbox.write('windows/package.json', `\uFEFF${JSON.stringify({ annex })}`);
    expect(find({ script: at('windows/main.js') })).toBe('windows');
  });

  test.each(['exa-js', [], true, { 'exa-js': '^1.0.0' }, { feature: {} }])(
    'may have an invalid annex key when no other package.json declares features: %j',
    (wrong) => {
      sandbox.write('alone/inner/package.json', { annex: wrong });
      expect(find({ script: at('alone/inner/main.js') })).toBe('alone/inner');
      sandbox.write('alone/package.json', { annex });
      expect(find({ script: at('alone/inner/main.js') })).toBe('alone');
    },
  );

  test.each([{}, { features: {} }, { importers: ['/opt/plugins'] }])(
    'is never a package.json that declares nothing: %j',
    (empty) => {
      declare('outer');
      sandbox.write('outer/inner/package.json', { annex: empty });
      expect(find({ script: at('outer/inner/main.js') })).toBe('outer');
    },
  );

  test('is the named directory, whatever else declares features', () => {
    declare('named');
    declare('other');
    const script = at('other/main.js');
    expect(find({ explicit: at('named'), script })).toBe('named');
    expect(find({ explicit: 'named', script, cwd: root })).toBe('named');
  });

  test('may declare nothing when it is named', () => {
    sandbox.write('named/package.json', { name: 'named' });
    expect(find({ explicit: at('named') })).toBe('named');
  });

  test('is refused when the named one cannot be read', () => {
    declare('other');
    const search = { explicit: at('gone'), script: at('other/main.js') };
    expect(() => find(search)).toThrow(`${at('gone/package.json')} cannot be read: ENOENT`);
  });
});

describe('the shipped copy of a package', () => {
  test('is the nearest above, with its version', () => {
    sandbox.write('node_modules/exa-js/package.json', { version: '1.0.0' });
    expect(findCorePackage('exa-js', sandbox.core)).toEqual({
      dir: join(root, 'node_modules/exa-js'),
      version: '1.0.0',
    });
    sandbox.write('app/node_modules/exa-js/package.json', { version: '2.0.0' });
    expect(findCorePackage('exa-js', sandbox.core)?.version).toBe('2.0.0');
  });

  test.each([
    ['an empty directory', undefined],
    ['a package.json that does not parse', '{'],
    ['a package.json that is null', 'null'],
    ['a version that is no text', '{"version":1}'],
  ])('has no version when there is %s', (_what, text) => {
    const dir = join(sandbox.core, 'node_modules/exa-js');
    mkdirSync(dir, { recursive: true });
    if (text !== undefined) sandbox.write(join(dir, 'package.json'), text);
    expect(findCorePackage('exa-js', sandbox.core)).toEqual({ dir, version: undefined });
  });

  test('exists even if it is a dangling link', () => {
    const dir = join(sandbox.core, 'node_modules/exa-js');
    mkdirSync(join(dir, '..'), { recursive: true });
    symlinkSync('gone', dir);
    expect(findCorePackage('exa-js', sandbox.core)?.dir).toBe(dir);
  });

  test('is undefined when the package is absent', () => {
    expect(findCorePackage('exa-js', sandbox.core)).toBeUndefined();
  });
});

test('workspaces are named by literal paths and by patterns', () => {
  sandbox.write('app/one/package.json', { name: 'one' });
  sandbox.write('app/packages/two/package.json', { name: '@scope/two' });
  sandbox.write('app/packages/nameless/package.json', {});
  sandbox.write('app/packages/broken/package.json', '{');
  const list = (workspaces: unknown) =>
    listWorkspaces({ dir: sandbox.core, manifest: { workspaces } });
  expect(list(['one', 'packages/*', 'gone', 'gone/*', 7])).toEqual(['one', '@scope/two']);
  expect(list({ packages: ['packages/two'] })).toEqual(['@scope/two']);
  for (const nothing of [undefined, {}, 'one', { packages: 'one' }]) {
    expect(list(nothing)).toEqual([]);
  }
});

test('the ancestors of a directory are listed nearest first, with itself', () => {
  expect(listAncestors('/a/b')).toEqual(['/a/b', '/a', '/']);
  expect(listAncestors('/')).toEqual(['/']);
});

test('the real path of a missing path is that of its nearest existing ancestor, extended', () => {
  symlinkSync(sandbox.core, join(root, 'link'));
  expect(toRealPath(join(root, 'link/gone/too'))).toBe(join(sandbox.core, 'gone/too'));
  expect(toRealPath(join(root, 'link'))).toBe(sandbox.core);
});

test('a package.json that is not an object is not read', () => {
  for (const text of ['', '{', 'null', '1', '"text"']) {
    sandbox.write('odd/package.json', text);
    expect(readPackage(join(root, 'odd'))).toBeUndefined();
  }
  expect(readPackage(join(root, 'gone'))).toBeUndefined();
  sandbox.write('odd/package.json', '\uFEFF{"name":"odd"}');
  expect(readPackage(join(root, 'odd'))).toEqual({ name: 'odd' });
});
