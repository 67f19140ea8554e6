/** `--json`: what every command prints fits docs/cli.schema.json, errors included. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { readDocument } from '../support/documents.ts';
import { esmPackage } from '../support/fixtures.ts';
import { listEntries } from '../support/lock-files.ts';
import { outerNodes } from '../support/nodes.ts';
import { makeSigner } from '../support/signing.ts';
import { makeSigstore, plantTrust } from '../support/sigstore.ts';
import { openWorld } from '../support/world.ts';

interface Schema {
  definitions: Record<string, object>;
}

const schema: Schema = JSON.parse(readDocument('docs/cli.schema.json'));

/** The schema without room for fields that it does not describe. */
const strict = JSON.parse(JSON.stringify(schema), (_, value) =>
  value?.properties === undefined ? value : { additionalProperties: false, ...value },
) as Schema;

const check = (name: string, output: unknown) => {
  const ajv = new Ajv({ allowUnionTypes: true });
  ajv.addSchema(strict, 'cli');
  const validate = ajv.getSchema(`cli#/definitions/${name}`);
  expect({ name, output, isValid: validate?.(output), errors: validate?.errors }).toMatchObject({
    isValid: true,
  });
  expect(ajv.validate(schema, output)).toBe(true);
};

describe.each(outerNodes)('$label', (node) => {
  const open = async () => {
    const packages = ['alpha', 'beta', 'gamma'].map((name) => esmPackage(name, '1.0.0', name));
    const features = { alpha: '^1.0.0', beta: '^1.0.0', gone: '^1.0.0', tagged: 'latest' };
    const { sandbox, registry } = await openWorld({
      packages,
      node: node.path,
      annex: { features },
    });
    const env = { ANNEX_STORE: sandbox.store };
    /** Runs a command, and compares its output with a definition of the schema. */
    const run = async (name: string, exit: number, ...args: string[]) => {
      const { code, stdout, stderr } = await sandbox.annex([...args, '--json'], { env });
      expect({ args, code, stderr }).toMatchObject({ args, code: exit });
      const output = JSON.parse(stdout);
      check(name, output);
      return output;
    };
    return { sandbox, registry, run };
  };

  test('of commands that change the application and the store', async () => {
    const { sandbox, registry, run } = await open();
    const place = { version: 1, application: sandbox.core, store: sandbox.store };
    const locked = await run('lock', 1, 'lock');
    expect(locked).toMatchObject({ ...place, command: 'lock' });
    expect(locked.results.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      'locked',
      'locked',
      'failed',
      'failed',
    ]);
    await run('lock', 1, 'lock', '--check');
    await run('outdated', 1, 'outdated');
    await registry.add(esmPackage('beta', '1.1.0', 'beta'));
    const updated = await run('update', 0, 'update', 'beta', '--dry-run');
    expect(updated).toMatchObject({ isDryRun: true, results: [{ diff: { changed: [{}] } }] });
    registry.signer = makeSigner({ wrong: ['alpha@1.0.0'] });
    const sigstore = makeSigstore();
    plantTrust(join(sandbox.root, 'npm-cache-own'), sigstore);
    const source = { repository: 'https://github.com/acme/beta', commit: '0a'.repeat(20) };
    registry.attest = (_, integrity) => [
      sigstore.attest({ id: 'beta@1.0.0', integrity, ...source }),
    ];
    const { signatures } = await run('signatures', 1, 'audit', 'signatures');
    expect(signatures).toMatchObject([
      { state: 'invalid', provenance: { state: 'invalid' } },
      { state: 'verified', provenance: { state: 'verified', source } },
    ]);
    registry.attest = undefined;
    await run('add', 0, 'add', 'gamma@^1.0.0');
    await run('remove', 0, 'rm', 'gamma');
    const installed = await run('install', 1, 'install', '--all');
    expect(installed.results.at(-1)).toMatchObject({ refusal: { code: 'ANNEX_INVALID_CONFIG' } });
    await run('bake', 1, 'bake', '../layer');
    const baked = await run('bake', 0, 'bake', '--oci', '../image', 'beta');
    expect(baked).toMatchObject({ store: null, image: { layout: join(sandbox.root, 'image') } });
    expect(await run('bake', 1, 'bake', '--oci', '../image')).toMatchObject({ image: null });
    const [entry = ''] = listEntries(sandbox);
    const file = join(entry, 'node_modules', 'alpha', 'index.js');
    chmodSync(file, 0o644);
    writeFileSync(file, 'changed');
    const { entries } = await run('verify', 1, 'verify');
    expect(entries[0]).toMatchObject({ differences: [{ problem: 'changed' }] });
    const refreshed = await run('refresh', 0, 'refresh');
    expect(refreshed.results).toMatchObject([{ outcome: 'restored' }, { outcome: 'current' }]);
    await run('prune', 0, 'prune', '--dry-run', '--days', '0');
    await run('prune', 0, 'store', 'prune', '--days', '0');
    const { states } = await run('store', 0, 'store', 'df');
    expect(states).toMatchObject([{ state: 'current' }, { state: 'retired' }]);
    await run('store', 0, 'store', 'ls');
    await run('uninstall', 0, 'uninstall', 'beta');
    await run('init', 0, 'init', 'gamma@^1.0.0');
    await run('init', 0, 'init', 'gamma');
  });

  test('of commands that only report', async () => {
    const { sandbox, run } = await open();
    const listed = await run('list', 0, 'ls');
    expect(listed).toMatchObject({ command: 'list', application: sandbox.core });
    await run('why', 1, 'why', 'alpha');
    await run('why', 1, 'why', 'alpah', '--from', 'main.mjs');
    await run('why', 0, 'why', 'node:fs', '--require');
    await run('store', 0, 'store', 'path');
    await run('store', 0, 'store', 'ls');
    await run('store', 0, 'store', 'df');
    await run('env', 0, 'env');
    await run('config', 0, 'config');
    expect(await run('report', 0, 'report')).toMatchObject({ core: { name: 'app' } });
    sandbox.write(
      'app/src/main.mjs',
      `import('absent'); import('alpha'); import(name); import 'node:fs';`,
    );
    sandbox.write('app/src/view.jsx', "<p>'</b>");
    const scanned = await run('scan', 1, 'scan');
    expect(scanned).toMatchObject({
      unread: [{ file: 'src/view.jsx' }],
      unused: expect.any(Array),
    });
    await run('doctor', 1, 'doctor');
    await run('completion', 0, 'completion', 'zsh');
    await run('help', 0, 'help', 'lock');
    await run('help', 0, '--help');
    await run('annex', 0, '--version');
  });

  test('of commands that fail, or are used wrongly: the error is on stdout too', async () => {
    const { sandbox, run } = await open();
    const unknown = await run('failure', 1, 'install', 'alhpa');
    expect(unknown).toMatchObject({
      command: 'install',
      application: sandbox.core,
      store: sandbox.store,
      error: { code: 'ANNEX_INVALID_CONFIG', feature: 'alhpa', hint: expect.any(String) },
    });
    await run('failure', 1, 'prune', '--store', 'package.json/below');
    expect(await run('failure', 1, 'add', 'alpha@nonsense/range')).toMatchObject({
      application: sandbox.core,
      store: null,
    });
    expect(await run('failure', 1, 'list', '-C', '/')).toMatchObject({
      application: null,
      store: null,
    });
    for (const [command, ...args] of [
      [null],
      [null, 'lsit'],
      ['list', 'list', '--bogus'],
      ['prune', 'prune', '--days'],
      ['lock', 'lock', '--min-age', 'x'],
      ['list', 'list', '-C', '/absent'],
    ] as const) {
      const { error, ...output } = await run('failure', 2, ...args);
      expect(output).toMatchObject({ command, application: null, store: null });
      expect(error).toMatchObject({ code: 'ANNEX_USAGE', usage: expect.stringMatching(/^annex/) });
    }
    sandbox.write('app/package.json', '{');
    expect(await run('refresh', 0, 'refresh')).toMatchObject({
      results: [],
      error: { code: 'ANNEX_INVALID_CONFIG' },
    });
  });

  test('the error of an installer reaches the program that started it', async () => {
    const { sandbox } = await open();
    sandbox.write(
      'app/main.mjs',
      `import { writeFileSync } from 'node:fs';
      const { ensure, status } = await import('annex');
      status();
      writeFileSync('package.json', '{ "annex": {} }');
      await ensure('beta').catch(({ code, message }) => console.log(code, message));`,
    );
    const env = { ANNEX_STORE: sandbox.store };
    const { stdout } = await sandbox.run(['--import', sandbox.loader, 'main.mjs'], {
      node: node.path,
      env,
    });
    expect(stdout).toMatch(
      /^ANNEX_INVALID_CONFIG annex: beta unavailable .*: it is not declared in /,
    );
  });
});
