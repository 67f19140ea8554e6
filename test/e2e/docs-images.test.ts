/** The pages on images and baking: their Dockerfiles are built in a directory, and the application starts there. */
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { listCode } from '../support/documents.ts';
import { esmPackage } from '../support/fixtures.ts';
import { packRepository } from '../support/package.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { type Image, openReader, type Reader, runPage } from '../support/run-page.ts';
import type { RunOptions } from '../support/sandbox.ts';
import { asPlainUser } from '../support/user.ts';

/** Nothing listens there. */
const NOWHERE = 'http://127.0.0.1:9/';
const OFFLINE = { env: { npm_config_registry: NOWHERE } };

let registry: Registry;
/** The application that images contain: its files, without node_modules. */
let source: string;

beforeAll(async () => {
  registry = await startRegistry([packRepository(), esmPackage('exa-js', '1.10.3', '')]);
  const { sandbox, succeed } = await openReader(registry, {
    type: 'module',
    annex: { features: { 'exa-js': '^1.9' } },
  });
  await succeed('npx annex lock && rm -r node_modules');
  sandbox.write(
    'app/main.mjs',
    `const { version } = await import('exa-js'); console.log(version);`,
  );
  sandbox.write('app/.npmrc', `registry=${registry.url}\n`);
  source = sandbox.core;
});

const open = async (): Promise<Reader> => {
  const reader = await openReader(registry);
  cpSync(source, join(reader.sandbox.root, 'source'), { recursive: true });
  return reader;
};

/** Starts the application with the variables of its image, and checks what it prints. */
async function start(
  { succeed }: Reader,
  { env, cwd }: Image,
  { env: more, ...options }: RunOptions = {},
): Promise<void> {
  const loader = `--import=${cwd}/node_modules/annex/loader.mjs`;
  const all = { NODE_OPTIONS: loader, ...env, ...more };
  expect(await succeed('node main.mjs', { ...options, cwd, env: all })).toBe('1.10.3\n');
}

const LAZY = listCode('docs/baking.md').get('Lazy: dockerfile') ?? '';

runPage('docs/images.md', {
  'The Dockerfile: dockerfile': async (code) => {
    const reader = await open();
    await start(reader, await reader.build(code), asPlainUser);
    expect(existsSync(reader.place('/opt/data/annex/v1'))).toBe(true);
  },
  'With s6-overlay: sh 3': async (code) => {
    const { sandbox, shell } = await open();
    const script = sandbox.write('tmp/finish', code);
    expect(await shell(`sh ${script} 78 0`)).toMatchObject({ code: 125 });
    expect(await shell(`sh ${script} 256 15`)).toMatchObject({ code: 0 });
  },
});

runPage('docs/baking.md', {
  'Lazy: dockerfile': async (code) => {
    const reader = await open();
    await start(reader, await reader.build(code));
    expect(existsSync(reader.place('/data/annex/v1'))).toBe(true);
  },

  'Pre-warmed: sh': async (code) => {
    const reader = await open();
    const image = await reader.build(LAZY);
    await reader.succeed(code, image);
    await start(reader, image, OFFLINE);
  },

  'Baked: dockerfile': async (code) => {
    const reader = await open();
    await start(reader, await reader.build(code), OFFLINE);
    expect(existsSync(reader.place('/data/annex'))).toBe(false);
  },

  'Air-gapped: dockerfile': async (code) => {
    const reader = await open();
    const image = await reader.build(`${LAZY}${code}`);
    await start(reader, image, OFFLINE);
  },

  'Air-gapped: sh': async (code) => {
    const { sandbox, succeed, place } = await open();
    await succeed(code, { cwd: 'source' });
    expect(existsSync(place('/tmp/locks/exa-js/node_modules/exa-js'))).toBe(true);
    expect(existsSync(join(sandbox.root, 'source', 'npm-cache'))).toBe(true);
  },

  'Air-gapped: dockerfile 2': async (code) => {
    const reader = await open();
    const fill = listCode('docs/baking.md').get('Air-gapped: sh') ?? '';
    await reader.succeed(fill, { cwd: 'source' });
    const air = `ENV npm_config_registry=${NOWHERE}\n`;
    const image = await reader.build(`${LAZY}${air}${code}`);
    expect(existsSync(reader.place('/opt/annex/v1'))).toBe(true);
    const env = { ...image.env, ANNEX_STORE: reader.place('/opt/annex') };
    await start(reader, { ...image, env });
  },

  'Audit and SBOM: sh': async (code) => {
    const reader = await open();
    const { cwd } = await reader.build(LAZY);
    expect(await reader.succeed(code, { cwd })).toContain('"spdxVersion": "SPDX-2.3"');
  },
});
