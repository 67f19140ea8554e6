/** The output of a failed install script: its end in the message, the rest in a file. */
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { listEntries, listStaging } from '../support/lock-files.ts';
import { outerNodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox } from '../support/sandbox.ts';

/** Fails like node-gyp without a compiler, unless a file exists. */
const BUILD = `
const { existsSync } = require('node:fs');
if (!existsSync(process.env.HOME + '/compiler')) {
  process.stdout.write(('x'.repeat(99) + '\\n').repeat(20_000));
  console.log('fetching from https://me:sEcReT1@mirror.corp/headers');
  console.error('gyp ERR! find Python You need to install Python');
  console.error('gyp ERR! stack Error: not found: make');
  console.error('gyp ERR! stack     at build (build.js:1:1)');
  console.error('gyp ERR! System Linux 6.1\\ngyp ERR! cwd /\\ngyp ERR! node -v v20\\ngyp ERR! not ok');
  process.exitCode = 1;
}
`;
const pkg = cjsPackage('addon', '1.0.0', 'addon', { scripts: { install: 'node build.cjs' } });

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry([{ ...pkg, files: { ...pkg.files, 'build.cjs': BUILD } }]);
});

describe.each(outerNodes)('$label', (node) => {
  async function open() {
    const sandbox = await createSandbox({ registry, node: node.path });
    sandbox.setCore({ features: { addon: { packages: { addon: '1' }, scripts: ['addon'] } } });
    const env = { ANNEX_STORE: sandbox.store };
    const file = join(sandbox.store, 'v1', 'failures', 'addon.log');
    return { sandbox, env, file };
  }

  test('the message has the lines with the reason, and names a file with the whole output', async () => {
    const { sandbox, env, file } = await open();
    const { imported, stderr } = await importIn(sandbox, ['addon'], { env });
    const { cause } = imported.addon ?? {};
    expect(cause?.code).toBe('ANNEX_INSTALL_FAILED');
    expect(cause?.message).toContain(
      '; fetching from https://***@mirror.corp/headers; ' +
        'gyp ERR! find Python You need to install Python; gyp ERR! stack Error: not found: make, asked',
    );
    expect(cause?.hint).toBe(`read what it printed, in ${file}, then npx annex install addon`);
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('gyp ERR! cwd /');
    expect(text + stderr).not.toContain('sEcReT');
    expect(statSync(file).size).toBeLessThanOrEqual(2 ** 20 + 1);
    expect(listEntries(sandbox)).toEqual([]);
    expect(listStaging(sandbox)).toEqual([]);
  });

  test('a remembered failure names the file too', async () => {
    const { sandbox, env, file } = await open();
    await importIn(sandbox, ['addon'], { env });
    const { imported } = await importIn(sandbox, ['addon'], { env });
    expect(imported.addon?.cause?.hint).toContain(file);
    expect(existsSync(file)).toBe(true);
  });

  test('the file is removed when the feature is installed, and old ones when another is written', async () => {
    const { sandbox, env, file } = await open();
    const [old, recent] = ['old', 'recent'].map((name) => join(dirname(file), `${name}.log`));
    await sandbox.annex(['install', 'addon'], { env });
    for (const path of [old, recent]) writeFileSync(path ?? '', '');
    utimesSync(old ?? '', 1, 1);
    await sandbox.annex(['install', 'addon'], { env });
    expect(readdirSync(dirname(file)).sort()).toEqual(['addon.json', 'addon.log', 'recent.log']);
    sandbox.write('home/compiler', '');
    const { code, stderr } = await sandbox.annex(['install', 'addon'], { env });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(readdirSync(dirname(file))).toEqual(['recent.log']);
  });

  test('a bake that fails leaves the file that its message names', async () => {
    const { sandbox } = await open();
    const { code, stderr } = await sandbox.annex(['bake', '../layer']);
    expect(code).toBe(1);
    const [, file = ''] = /in (\S+\.log), then/.exec(stderr) ?? [];
    expect(readFileSync(file, 'utf8')).toContain('not found: make');
    expect(readdirSync(dirname(file))).toEqual(['addon.log']);
  });
});
