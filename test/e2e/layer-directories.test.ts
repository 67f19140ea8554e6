/** A directory of layers in ANNEX_STORE: its directories are layers, sorted by name. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { type NodeUnderTest, outerNodes } from '../support/nodes.ts';
import { createSandbox } from '../support/sandbox.ts';

async function open(node: NodeUnderTest) {
  const sandbox = await createSandbox({ node: node.path });
  sandbox.setCore({ features: { alpha: '^1.0.0', beta: '^1.0.0' } });
  const at = (...names: string[]): string => join(sandbox.root, ...names);
  const env = { ANNEX_STORE: `${sandbox.store}:${at('layers/*')}`, ANNEX_ALLOW_INSTALLS: '0' };
  return {
    sandbox,
    env,
    at,
    plant: (store: string, name: string, version: string): string =>
      sandbox.plantEntry({
        store,
        feature: name,
        packages: [esmPackage(name, version, basename(store))],
        specs: { [name]: '^1.0.0' },
      }),
    annex: async (...args: string[]) => {
      const ended = await sandbox.annex([...args, '--json'], { env });
      return JSON.parse(ended.stdout);
    },
    load: async (...names: string[]) => {
      const { imported } = await importIn(sandbox, names, { env });
      return names.map((name) => imported[name]?.marker ?? imported[name]?.cause?.code);
    },
  };
}

describe.concurrent.each(outerNodes)('$label', (node) => {
  test('each directory is a layer, and the first name wins', async () => {
    const { at, plant, load, annex } = await open(node);
    plant(at('layers/b'), 'alpha', '1.9.0');
    plant(at('layers/a'), 'alpha', '1.0.0');
    plant(at('elsewhere'), 'beta', '1.0.0');
    symlinkSync(at('elsewhere'), at('layers/c'));
    expect(await load('alpha', 'beta')).toEqual(['a', 'elsewhere']);
    const { layers } = await annex('store', 'path');
    expect(layers).toEqual(['a', 'b', 'c'].map((name) => at('layers', name)));
    const { features } = await annex('list');
    expect(features).toMatchObject([{ where: 'layer' }, { where: 'layer' }]);
  });

  test('a directory that is named twice is one layer, and the store is none', async () => {
    const { sandbox, at, plant, env } = await open(node);
    for (const name of ['a', 'b', 'c']) plant(at('layers', name), 'alpha', '1.0.0');
    const list = async (ANNEX_STORE: string) => {
      const ran = await sandbox.annex(['store', 'path', '--json'], {
        env: { ...env, ANNEX_STORE },
      });
      return JSON.parse(ran.stdout).layers;
    };
    const all = at('layers/*');
    expect(await list(`${at('layers/b')}:${all}`)).toEqual([at('layers/a'), at('layers/c')]);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => at('layers', name));
    expect(await list(`${sandbox.store}:${c}:${all}:${b}/`)).toEqual([c, a, b]);
  });

  test('files, hidden names, lost+found and dangling links are no layers', async () => {
    const { sandbox, at, plant, load, annex } = await open(node);
    plant(at('layers/.hidden'), 'alpha', '1.0.0');
    mkdirSync(at('layers/lost+found'));
    sandbox.write('layers/README', '');
    symlinkSync(at('none'), at('layers/dangling'));
    plant(at('layers/z'), 'beta', '1.0.0');
    expect(await load('alpha', 'beta')).toEqual(['ANNEX_DENIED', 'z']);
    expect((await annex('store', 'path')).layers).toEqual([at('layers/z')]);
  });

  test('without any, the features are absent, and doctor names the directory', async () => {
    const { at, load, annex } = await open(node);
    expect(await load('alpha')).toEqual(['ANNEX_DENIED']);
    const { findings } = await annex('doctor');
    const layer = findings.find(({ id }: { id: string }) => id === 'store.layer');
    const text = `${at('layers')} has no directory that could be a layer`;
    expect(layer).toMatchObject({ level: 'problem', text });
  });

  test('the store itself cannot be one', async () => {
    const { sandbox, at } = await open(node);
    const env = { ANNEX_STORE: at('layers/*') };
    const { imported, lines } = await importIn(sandbox, ['alpha'], { env });
    expect(imported.alpha?.cause?.code).toBe('ANNEX_STORE_UNUSABLE');
    expect(lines[0]).toContain(`the store ${at('layers/*')} stands for several directories`);
  });
});
