/** `annex report`: a page of what core ships, of its features, and of the reasons for those that are unavailable. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/report/model.ts';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { listEntries, lock, readLock } from '../support/lock-files.ts';
import { outerNodes } from '../support/nodes.ts';
import { openWorld } from '../support/world.ts';

const packages = [
  dependentPackage('kit', '1.0.0', 'kit', { common: '^1.0.0', deep: '^1.0.0' }, { license: 'MIT' }),
  esmPackage('common', '1.2.0', 'common'),
  esmPackage('deep', '1.5.0', 'deep', { license: 'ISC', scripts: { postinstall: 'exit 1' } }),
  esmPackage('other', '3.0.0', 'other'),
  esmPackage('pg', '8.1.0', 'pg'),
];
const features = { kit: '^1.0.0', other: '^3.0.0', pg: '^8.0.0', tagged: 'latest' };

describe.each(outerNodes)('$label', (node) => {
  const open = async (annex = {}) => {
    const whole = { features, ...annex };
    const { sandbox } = await openWorld({ packages, node: node.path, annex: whole });
    const dependencies = { common: '*', pg: '*' };
    sandbox.setCore(whole, { name: '@acme/app', version: '4.2.0', dependencies });
    for (const name of ['common', 'pg']) {
      const pkg = packages.find((one) => one.name === name);
      if (pkg !== undefined) sandbox.addPackage('app/node_modules', pkg);
    }
    const run = (args: string[], env = {}) =>
      sandbox.annex(['report', ...args], { env: { ANNEX_STORE: sandbox.store, ...env } });
    const read = async (): Promise<Report> => JSON.parse((await run(['--json'])).stdout);
    const install = (name: string) =>
      sandbox.annex(['install', name], { env: { ANNEX_STORE: sandbox.store } });
    return { sandbox, run, read, install };
  };

  test('contains the closure, what is shared, licences and scripts, of the lock and then of the entry', async () => {
    const { sandbox, read, install } = await open();
    await lock(sandbox, 'kit');
    const { core, shared, features: before } = await read();
    expect(core).toEqual({ name: '@acme/app', version: '4.2.0' });
    expect(shared).toEqual([
      { name: 'common', version: '1.2.0', features: ['kit'] },
      { name: 'pg', version: '8.1.0', features: ['pg'] },
    ]);
    expect(before[2]?.shared).toEqual([{ name: 'pg', ranges: ['^8.0.0'] }]);
    const closure = [
      { name: 'deep', version: '1.5.0', license: 'ISC', script: 'not allowed' },
      { name: 'kit', version: '1.0.0', license: 'MIT' },
    ];
    expect(before[0]).toMatchObject({
      where: 'missing',
      closure,
      packages: { kit: { locked: '1.0.0' } },
      pin: { platforms: expect.any(Array) },
    });
    expect(before[0]?.closure[0]?.tarball).toBeGreaterThan(0);

    const { dir: locked, sidecar } = readLock(sandbox, 'kit');
    const signature = { keyid: 'SHA256:x', sig: 'MEU' };
    const repository = 'https://github.com/acme/kit';
    const provenance = { repository, commit: '0a'.repeat(20) };
    const formerly = { version: '0.9.0', repository };
    Object.assign(sidecar.packages['node_modules/kit'] ?? {}, { signature, provenance, formerly });
    sandbox.write(join(locked, 'annex.json'), sidecar);
    const [signed] = (await read()).features;
    expect(signed?.closure.map(({ isSigned }) => isSigned)).toEqual([undefined, true]);
    expect(signed?.closure[1]).toMatchObject({ provenance, formerly });

    expect((await install('kit')).code).toBe(0);
    const [kit] = (await read()).features;
    const [dir] = listEntries(sandbox);
    expect(kit).toMatchObject({
      where: 'store',
      closure,
      shared: [{ name: 'common', ranges: ['^1.0.0'] }],
      verified: 'lock',
      dir,
    });
    expect(kit?.bytes).toBeGreaterThan(0);
    expect(kit?.published).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  test('without a lock the package.json files of the entry have the licences', async () => {
    const { read, install } = await open();
    expect((await install('kit')).code).toBe(0);
    const [kit] = (await read()).features;
    expect(kit).toMatchObject({
      verified: 'listing',
      closure: [{ license: 'ISC' }, { license: 'MIT' }],
    });
    expect(kit).not.toHaveProperty('pin');
  });

  test('names the version of core where a feature has a copy of its own', async () => {
    const kit = { packages: { kit: '^1.0.0' }, share: false };
    const { run, read, install } = await open({ features: { kit } });
    expect((await install('kit')).code).toBe(0);
    const [one] = (await read()).features;
    expect(one?.shared).toEqual([]);
    expect(one?.closure[0]).toMatchObject({ name: 'common', version: '1.2.0', beside: '1.2.0' });
    expect((await run([])).stdout).toContain('core has 1.2.0');
  });

  test('names blocked packages, damaged entries, and why a feature is unavailable', async () => {
    const { sandbox, run, read, install } = await open({ blocked: ['deep@<2'] });
    await lock(sandbox, 'other');
    expect((await install('other')).code).toBe(0);
    const file = join(listEntries(sandbox)[0] ?? '', 'node_modules', 'other', 'index.js');
    chmodSync(file, 0o644);
    writeFileSync(file, 'changed');
    const report = await read();
    expect(report.blocked).toMatchObject([{ spec: 'deep@<2', by: 'package.json' }]);
    expect(report.features[1]).toMatchObject({
      feature: 'other',
      where: 'missing',
      state: 'failed',
    });
    expect(report.features[1]?.damaged).toEqual([expect.stringContaining('index.js')]);
    expect(report.features[3]).toMatchObject({ refusal: { code: 'ANNEX_INVALID_CONFIG' } });
    const { stdout } = await run([], { ANNEX_ALLOW_INSTALLS: '0' });
    expect(stdout).toContain('No install may start:');
    expect(stdout).toMatch(/<p class="reason bad"><strong>ANNEX_INVALID_CONFIG<\/strong>/);
  });

  test('prints the same page twice, with a date only of SOURCE_DATE_EPOCH', async () => {
    const { run } = await open();
    const { code, stdout, stderr } = await run([]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^<!doctype html>\n[\s\S]*<\/html>\n$/);
    expect((await run([])).stdout).toBe(stdout);
    const dated = (await run([], { SOURCE_DATE_EPOCH: '1' })).stdout;
    expect(dated.replace(' at 1970-01-01T00:00:01Z', '')).toBe(stdout);
    expect(dated).not.toBe(stdout);
  });

  test('writes the page into a file, and prints nothing', async () => {
    const { sandbox, run } = await open();
    const { stdout: page } = await run(['--format', 'md']);
    expect(page).toMatch(/^### `@acme\/app` `4\.2\.0`\n/);
    expect(await run(['--format', 'md', '--output', 'report.md'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(readFileSync(join(sandbox.core, 'report.md'), 'utf8')).toBe(page);
    const failed = await run(['--output', 'absent/report.html']);
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toMatch(
      /^annex: absent\/report\.html cannot be written: ENOENT .*--output\n$/,
    );
    expect(existsSync(join(sandbox.core, 'absent'))).toBe(false);
  });
});
