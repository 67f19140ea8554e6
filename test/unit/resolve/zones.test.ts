/** The zone of an importing file: the core, a package that it ships, an importer, or elsewhere. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createZones } from '../../../src/resolve/zones.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await createSandbox({ linkAnnex: false });
});
afterEach(() => sandbox.cleanup());

const at = (path: string) => join(sandbox.root, path);

function makeLink(path: string, target: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  symlinkSync(target, at(path));
}

function makeZones(importers: string[] = [], root = sandbox.core, realRoot = root) {
  const declaration = { importers } as Settings['declaration'];
  const findZone = createZones({ core: { root, realRoot }, declaration } as Settings);
  return (path: string) => findZone(at(path));
}

test.each([
  ['app/main.mjs', 'core'],
  ['app/src/deep/file.js', 'core'],
  ['app/my_node_modules/file.js', 'core'],
  ['app/node_modules.js', 'core'],
  ['app/node_modules/dep/index.js', 'dependency'],
  ['app/node_modules/@scope/dep/lib/index.js', 'dependency'],
  ['app/node_modules/dep/node_modules/inner/index.js', 'dependency'],
  ['app/node_modules/.pnpm/dep@1.0.0/node_modules/dep/index.js', 'dependency'],
  ['app/node_modules/loose.js', 'dependency'],
  ['app/packages/web/node_modules/dep/index.js', 'dependency'],
  ['node_modules/dep/index.js', 'dependency'],
  ['app-other/main.mjs', 'outside'],
  ['ap/main.mjs', 'outside'],
  ['main.mjs', 'outside'],
  ['other/node_modules/dep/index.js', 'outside'],
  ['volume/annex/v1/main.mjs', 'outside'],
])('%s is %s', (path, zone) => {
  expect(makeZones()(path)).toBe(zone);
});

test.each([
  ['plugins/index.js', 'importer'],
  ['plugins/one/deep/index.js', 'importer'],
  ['plugins/one/node_modules/own/index.js', 'importer'],
  ['plugins-other/index.js', 'outside'],
  ['app/node_modules/listed/index.js', 'importer'],
  ['app/node_modules/@scope/listed/lib/index.js', 'importer'],
  ['app/node_modules/.pnpm/listed@1.0.0/node_modules/listed/index.js', 'importer'],
  ['app/node_modules/dep/node_modules/listed/index.js', 'importer'],
  ['app/node_modules/listed/node_modules/dep/index.js', 'dependency'],
  ['app/node_modules/listed-other/index.js', 'dependency'],
  ['app/node_modules/@other/listed/index.js', 'dependency'],
  ['node_modules/listed/index.js', 'importer'],
  ['other/node_modules/listed/index.js', 'outside'],
  ['app/node_modules/in-modules/index.js', 'importer'],
  ['app/src/main.js', 'core'],
  ['app/plugins/main.js', 'core'],
])('with importers, %s is %s', (path, zone) => {
  const directories = ['plugins', 'app/plugins', 'app/node_modules/in-modules', 'app/src'].map(at);
  expect(makeZones([...directories, 'listed', '@scope/listed'])(path)).toBe(zone);
});

test('a package that is linked into node_modules from outside any node_modules is part of the core', () => {
  makeLink('app/node_modules/lib', at('linked/lib'));
  makeLink('app/node_modules/@scope/lib', at('linked/scoped'));
  makeLink('app/node_modules/gone', at('linked/gone'));
  mkdirSync(at('linked/lib'), { recursive: true });
  mkdirSync(at('linked/scoped'));
  const zone = makeZones(['@scope/lib']);
  expect(zone('linked/lib/src/index.js')).toBe('core');
  expect(zone('linked/lib/node_modules/dep/index.js')).toBe('dependency');
  expect(zone('linked/lib/node_modules/@scope/lib/index.js')).toBe('importer');
  expect(zone('linked/scoped/src/index.js')).toBe('importer');
  expect(zone('linked/gone/index.js')).toBe('outside');
  expect(zone('linked/index.js')).toBe('outside');
});

test('a package that is linked from another node_modules is a dependency', () => {
  const stored = 'virtual/links/dep/1.0.0/node_modules/dep';
  mkdirSync(at(stored), { recursive: true });
  makeLink('app/node_modules/dep', at(stored));
  expect(makeZones()(`${stored}/index.js`)).toBe('dependency');
});

test('a linked workspace beside the core, and one inside, are part of the core', () => {
  makeLink('node_modules/lib', '../packages/lib');
  mkdirSync(at('packages/lib'), { recursive: true });
  expect(makeZones()('packages/lib/index.js')).toBe('core');
  expect(makeZones([], sandbox.root)('packages/lib/index.js')).toBe('core');
});

test('a core behind a link has both of its paths', () => {
  makeLink('link', sandbox.core);
  const zone = makeZones([], at('link'), sandbox.core);
  for (const root of ['link', 'app']) {
    expect(zone(`${root}/main.mjs`)).toBe('core');
    expect(zone(`${root}/node_modules/dep/index.js`)).toBe('dependency');
  }
});

test('a path through another link has the zone of its target', () => {
  makeLink('link', sandbox.core);
  makeLink('link-to-plugins', 'plugins');
  makeLink('link-out', 'other');
  for (const dir of ['app/node_modules/dep', 'plugins', 'other']) {
    mkdirSync(at(dir), { recursive: true });
  }
  const zone = makeZones([at('plugins')]);
  expect(zone('link/main.mjs')).toBe('core');
  expect(zone('link/node_modules/dep/index.js')).toBe('dependency');
  expect(zone('link-to-plugins/index.js')).toBe('importer');
  expect(zone('link-out/index.js')).toBe('outside');
});

test('an importer directory behind a link has both of its paths', () => {
  makeLink('link-to-plugins', 'plugins');
  mkdirSync(at('plugins'));
  const zone = makeZones([at('link-to-plugins')]);
  expect(zone('plugins/index.js')).toBe('importer');
  expect(zone('link-to-plugins/index.js')).toBe('importer');
});

test('a core at the root of the file system contains every file', () => {
  const zone = makeZones([], '/');
  expect(zone('app/main.mjs')).toBe('core');
  expect(zone('app/node_modules/dep/index.js')).toBe('dependency');
});
