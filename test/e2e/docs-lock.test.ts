/** The pages on locks and monorepos: their commands run in applications that are laid out as the pages say. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { packRepository } from '../support/package.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { openReader, type Reader, runPage } from '../support/run-page.ts';

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry([
    packRepository(),
    dependentPackage('exa-js', '1.10.3', '', { zod: '^3.0.0' }),
    esmPackage('zod', '3.24.0', ''),
    esmPackage('nanoid', '5.1.0', 'nanoid'),
  ]);
});

/** An application with a lock. */
async function openLocked(): Promise<Reader> {
  const reader = await openReader(registry, { annex: { features: { 'exa-js': '^1.9' } } });
  await reader.succeed('npx annex lock');
  return reader;
}

runPage('docs/lock.md', {
  'Provenance: json': async (code) => {
    const { sandbox, succeed } = await openLocked();
    const file = join(sandbox.core, 'annex', 'exa-js', 'annex.json');
    const lock = JSON.parse(readFileSync(file, 'utf8'));
    Object.assign(lock.packages['node_modules/exa-js'], JSON.parse(`{${code}}`));
    sandbox.write(file, lock);
    await succeed('npx annex lock --check');
    expect(JSON.parse(await succeed('npx annex lock --json'))).toMatchObject({
      results: [{ feature: 'exa-js', outcome: 'unchanged' }],
    });
  },
  'Edits by npm and by update bots: sh': async (code) => {
    const { sandbox, succeed } = await openLocked();
    await registry.add(esmPackage('zod', '3.25.0', ''));
    await succeed(code);
    const lock = readFileSync(join(sandbox.core, 'annex', 'exa-js', 'package-lock.json'), 'utf8');
    expect(JSON.parse(lock).packages['node_modules/zod'].version).toBe('3.25.0');
    await succeed('npx annex lock --check');
  },
});

/** A repository with the application `gateway`, which depends on `@acme/tools`. */
async function openRepository(): Promise<Reader> {
  const reader = await openReader(registry);
  const { sandbox, succeed } = reader;
  sandbox.write('app/package.json', { private: true, workspaces: ['packages/*'] });
  const gateway = { name: 'gateway', version: '1.0.0', type: 'module' };
  const dependencies = { annex: '*', '@acme/tools': '1.0.0' };
  sandbox.write('app/packages/gateway/package.json', { ...gateway, dependencies });
  sandbox.write('app/packages/tools/package.json', { name: '@acme/tools', version: '1.0.0' });
  sandbox.write(
    'app/packages/tools/index.mjs',
    `export const { marker } = await import('nanoid');`,
  );
  await succeed('npm install');
  return reader;
}

let repository: Reader;

beforeAll(async () => {
  repository = await openRepository();
});

runPage('docs/monorepos.md', {
  'Declaring and locking: sh': async (code) => {
    const { sandbox, succeed } = repository;
    await succeed(code);
    expect(existsSync(join(sandbox.core, 'packages', 'gateway', 'annex', 'nanoid'))).toBe(true);
  },
  'Declaring and locking: sh 2': async (code) => {
    expect(await repository.succeed(code)).toMatch(/^nanoid /m);
  },
  'Building an image: json': async (code) => {
    const { sandbox, succeed, place } = repository;
    // As `pnpm deploy` lays them out: the workspace is a copy in node_modules.
    mkdirSync(place('/opt/gateway/node_modules/@acme'), { recursive: true });
    sandbox.write('opt/gateway/package.json', `{ "type": "module", ${code} }`);
    sandbox.write(
      'opt/gateway/main.mjs',
      `console.log((await import('@acme/tools/index.mjs')).marker);`,
    );
    await succeed('cp -r node_modules/annex /opt/gateway/node_modules');
    await succeed('cp -r packages/tools /opt/gateway/node_modules/@acme');
    const env = { ANNEX_STORE: place('/data/annex') };
    const options = { env, cwd: place('/opt/gateway') };
    const output = await succeed('node --import annex/loader.mjs main.mjs', options);
    expect(output).toBe('nanoid\n');
  },
});
