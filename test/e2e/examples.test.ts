/** The examples run unchanged against a registry on loopback. */
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { nodes } from '../support/nodes.ts';
import { type PackageFixture, repositoryRoot } from '../support/package.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox } from '../support/sandbox.ts';

const examples = join(repositoryRoot, 'examples');

/** An ES module with a client class as its default export. */
const clientPackage = (name: string, version: string, body: string): PackageFixture => ({
  name,
  version,
  files: { 'index.js': `export default class Client { ${body} }` },
  manifest: { type: 'module', exports: './index.js' },
});

const exa = clientPackage(
  'exa-js',
  '1.10.3',
  `
  async search(query) {
    if (query === 'fail') throw new Error('no such account');
    return { results: [{ title: 'exa: ' + query }] };
  }`,
);
const openai = clientPackage(
  'openai',
  '6.49.0',
  `
  responses = { create: async ({ input }) => ({ output_text: 'openai: ' + input }) };`,
);

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry([exa, openai]);
});

/** Directories left by the demos; npm may leave a cache there. */
const listDemos = (dir: string) => readdirSync(dir).filter((name) => name.startsWith('annex'));

/** Starts the server, sends requests, and prints every response. */
const driver = `
import { spawn } from 'node:child_process';
const server = spawn(process.execPath, ['server.mjs'], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, PORT: '0' } });
const base = await new Promise((resolve) => {
  server.stdout.on('data', (text) => resolve(/http:\\S+/.exec(text)[0]));
});
const ask = async (path) => {
  const response = await fetch(base + path);
  return { status: response.status, body: await response.json() };
};
const before = await ask('/providers');
const searching = ask('/search?q=annex');
let isSearching = true;
searching.finally(() => { isSearching = false; });
const health = [];
while (isSearching) {
  const { body } = await ask('/health');
  if (isSearching) health.push(body.ok);
}
const search = await searching;
const failing = await ask('/search?q=fail');
const after = await ask('/providers');
const unknown = await ask('/constructor');
const noPath = await ask('//');
console.log(JSON.stringify({ before, health, search, failing, after, unknown, noPath }));
server.kill();
`;

describe.each(nodes)('$label', (node) => {
  const open = () => createSandbox({ registry });

  test('the quickstart passes all its checks from any directory, and leaves nothing behind', async () => {
    const sandbox = await open();
    const env = { TMPDIR: sandbox.home };
    const demo = join(examples, 'quickstart', 'demo.mjs');
    const { code, stdout, stderr } = await sandbox.run([demo], {
      node: node.path,
      cwd: 'volume',
      env,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/annex: installed exa-js 1\.10\.3 in/);
    expect(stdout).toMatch(/\$ node greet\.mjs\n {2}core\n/);
    expect(stdout).toMatch(/\$ node \.\.\/bare\/greet\.mjs\n {2}an attacker\n/);
    expect(stdout).toMatch(/\nall checks passed\n$/);
    expect(listDemos(sandbox.home)).toEqual([]);
  });

  test('the quickstart without a registry names the failed check and exits with 1', async () => {
    const sandbox = await open();
    const env = { TMPDIR: sandbox.home, npm_config_registry: 'http://127.0.0.1:9' };
    const demo = join(examples, 'quickstart', 'demo.mjs');
    const { code, stdout, stderr } = await sandbox.run([demo], { node: node.path, env });
    expect(code).toBe(1);
    expect(stdout).toContain('ANNEX_OFFLINE');
    expect(stderr).toMatch(/^\nFAILED: the first run needs the registry/);
    expect(listDemos(sandbox.home)).toEqual([]);
  });

  test('the search service uses available providers, names the others, and never delays /health', async () => {
    const sandbox = await open();
    cpSync(join(examples, 'optional-backends'), sandbox.core, { recursive: true });
    sandbox.write('app/driver.mjs', driver);
    registry.fault({ kind: 'slow', ms: 300 });
    onTestFinished(() => registry.fault(undefined));
    const env = { ANNEX_STORE: sandbox.store };
    const { code, stdout, stderr } = await sandbox.run(['driver.mjs'], { node: node.path, env });
    expect(code, stderr).toBe(0);
    const { before, health, search, failing, after, unknown, noPath } = JSON.parse(stdout);
    const where = ({ body }: { body: { feature: string; where: string }[] }) =>
      body.map((provider) => [provider.feature, provider.where]);
    expect(where(before)).toEqual([
      ['search.exa', 'missing'],
      ['search.firecrawl', 'missing'],
      ['search.openai', 'missing'],
    ]);
    expect(search).toEqual({
      status: 200,
      body: { feature: 'search.exa', results: ['exa: annex'], skipped: [] },
    });
    expect(health.length).toBeGreaterThan(10);
    expect(failing.body).toEqual({
      feature: 'search.openai',
      results: ['openai: fail'],
      skipped: [
        { feature: 'search.exa', hint: 'no such account' },
        { feature: 'search.firecrawl', code: 'ANNEX_INSTALL_FAILED', hint: expect.any(String) },
      ],
    });
    expect(where(after)).toEqual([
      ['search.exa', 'store'],
      ['search.firecrawl', 'failed'],
      ['search.openai', 'store'],
    ]);
    expect(unknown.status).toBe(404);
    expect(noPath.status).toBe(404);
  });

  test('the search service without installs uses a package in node_modules', async () => {
    const sandbox = await open();
    cpSync(join(examples, 'optional-backends'), sandbox.core, { recursive: true });
    sandbox.write('app/driver.mjs', driver);
    sandbox.addPackage('app/node_modules', openai);
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const { stdout } = await sandbox.run(['driver.mjs'], { node: node.path, env });
    const { search, after } = JSON.parse(stdout);
    expect(search.body).toMatchObject({
      feature: 'search.openai',
      results: ['openai: annex'],
      skipped: [{ code: 'ANNEX_DENIED' }, { code: 'ANNEX_DENIED' }],
    });
    expect(after.body.map((provider: { where: string }) => provider.where)).toEqual([
      'denied',
      'denied',
      'core (not shipped)',
    ]);
    expect(existsSync(sandbox.store)).toBe(false);
  });
});
