/** The pages on the command line: their commands run in order, in one application and as they are written. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { packRepository } from '../support/package.ts';
import { findProgram } from '../support/programs.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { openReader, type Reader, runPage } from '../support/run-page.ts';
import { makeSigner } from '../support/signing.ts';

const STORE = '/opt/data/annex';

let registry: Registry;
let reader: Reader;

beforeAll(async () => {
  registry = await startRegistry([
    packRepository(),
    esmPackage('exa-js', '1.9.4', ''),
    esmPackage('exa-js', '1.10.3', '', { dependencies: { 'whatwg-url': '^14.0.0' } }),
    esmPackage('whatwg-url', '14.2.0', ''),
    esmPackage('pg', '8.1.0', ''),
    esmPackage('pg-hstore', '2.3.4', ''),
    esmPackage('ws', '8.0.0', ''),
    esmPackage('@mendable/firecrawl-js', '4.3.0', ''),
    esmPackage('better-sqlite3', '12.0.0', ''),
  ]);
  registry.signer = makeSigner();
  reader = await openReader(registry, { type: 'module' });
  const { sandbox } = reader;
  mkdirSync(join(sandbox.root, 'opt', 'data'));
  sandbox.write('app/main.mjs', `await import('exa-js');\nawait import('ws');\n`);
  sandbox.write('app/plugins/db.cjs', `require('pg');\n`);
});

/** Runs the commands with a store; each line must succeed, unless another exit code is stated for its command. */
async function runAll(code: string, codes: Record<string, number> = {}): Promise<string> {
  const outputs = [];
  for (const line of code.trim().split('\n')) {
    const result = await reader.shell(line, { env: { ANNEX_STORE: reader.place(STORE) } });
    expect(result, `${line}\n${result.stdout}${result.stderr}`).toMatchObject({
      code: codes[line] ?? 0,
    });
    outputs.push(result.stdout);
  }
  return outputs.join('');
}

const readFeatures = () =>
  JSON.parse(readFileSync(join(reader.sandbox.core, 'package.json'), 'utf8')).annex.features;

const DECLARE = 'annex add exa-js@^1.9\nannex add pg --feature db.postgres';

runPage('docs/cli.md', {
  'annex add: sh': async (code) => {
    await runAll(code);
    expect(readFeatures()).toEqual({
      'exa-js': '^1.9',
      'db.postgres': { packages: { pg: '^8.1.0', 'pg-hstore': '^2.3.4' } },
    });
  },
  'annex init: sh': async (code) => {
    const [ask = '', ...others] = code.trim().split('\n');
    expect(await reader.answer(ask, 'y')).toContain('declared ws ^8.0.0');
    await runAll(others.join('\n'));
  },
  'annex remove: sh': async (code) => {
    await runAll(code);
    expect(readFeatures()['exa-js']).toBeUndefined();
  },
  'annex lock: sh': async (code) => {
    await runAll(`${DECLARE}\n${code}`);
    expect(existsSync(join(reader.sandbox.core, 'annex', 'exa-js', 'annex.json'))).toBe(true);
  },
  'annex outdated: sh': (code) => runAll(code),
  'annex update: sh': (code) => runAll(code),
  'annex list: sh': async (code) => {
    expect(await runAll(code)).toContain('exa-js');
  },
  'annex why: sh': async (code) => {
    const output = await runAll(`annex install --all\n${code}`, { 'annex why whatwg-url': 1 });
    expect(output).toContain('whatwg-url 14.2.0 is in exa-js through exa-js 1.10.3');
  },
  'annex store: sh': async (code) => {
    expect(await runAll(code)).toContain(reader.place(STORE));
  },
  'annex doctor: sh': (code) => runAll(code),
  'annex scan: sh': (code) => runAll(code),
  'annex config: sh': async (code) => {
    expect(await runAll(code)).toContain(reader.place(STORE));
  },
  'annex verify: sh': (code) => runAll(code),
  'annex audit: sh': async (code) => {
    expect(await runAll(code)).toMatch(/exa-js +1\.10\.3 +verified/);
  },
  'annex licenses: sh': (code) => runAll(code),
  'annex sbom: sh': async (code) => {
    await runAll(code);
    const text = readFileSync(join(reader.sandbox.core, 'sbom.cdx.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ bomFormat: 'CycloneDX' });
  },
  'annex report: sh': async (code) => {
    await runAll(code);
    expect(readFileSync(join(reader.sandbox.core, 'annex.html'), 'utf8')).toMatch(/^<!doctype/);
  },
  'annex install: sh': (code) => runAll(code),
  'annex refresh: sh': (code) => runAll(code),
  'annex prune: sh': (code) => runAll(code),
  'annex uninstall: sh': (code) => runAll(code),
  'annex bake: sh': async (code) => {
    await runAll(code);
    expect(existsSync(reader.place('/opt/annex/v1'))).toBe(true);
    expect(existsSync(reader.place('/tmp/annex-image/oci-layout'))).toBe(true);
  },
  'annex env: sh': async (code) => {
    await runAll(code);
    const lines = readFileSync(join(reader.sandbox.core, 'Dockerfile'), 'utf8');
    expect(lines).toMatch(/^ENV NODE_OPTIONS=--import=/m);
  },
  'annex completion: sh': async (code) => {
    const { home } = reader.sandbox;
    for (const [, file = ''] of code.matchAll(/> ~(.*)/g)) {
      mkdirSync(join(home, file, '..'), { recursive: true });
    }
    await runAll(code);
    expect(existsSync(join(home, '.zsh', 'completions', '_annex'))).toBe(true);
  },
  'annex help: sh': (code) => runAll(code),
});

runPage('docs/json.md', {
  'Output with --json: sh': async (code, { skip }) => {
    skip(findProgram('jq') === undefined, 'jq is not installed');
    const { sandbox, succeed } = reader;
    sandbox.write('app/failed/package.json', { annex: { features: { absent: '^1.0.0' } } });
    await reader.shell('annex install absent -C failed');
    expect(await succeed(`cd failed; ${code}`)).toBe('absent\n');
  },
  'Errors: json': async (code) => {
    const { stdout } = await reader.shell('annex install exajs --json');
    const { error, ...rest } = JSON.parse(reader.place(code)) as { error: { state: string } };
    expect(Object.keys(JSON.parse(stdout))).toEqual([...Object.keys(rest), 'error']);
    expect(JSON.parse(stdout).error).toMatchObject({
      ...error,
      reason: expect.any(String),
      state: expect.stringMatching(/^Did you mean exa-js\? Declared: /),
    });
  },
});

runPage('docs/upgrades.md', {
  'refresh: sh': async (code) => {
    const script = reader.sandbox.write('tmp/start.sh', reader.place(code));
    reader.sandbox.write('app/main.mjs', `console.log((await import('exa-js')).version);`);
    const { stdout } = await reader.sandbox.exec('sh', [script]);
    expect(stdout).toMatch(/1\.10\.3\n$/);
  },
  'prune: sh': (code) => runAll(code),
});

runPage('docs/configuration.md', {
  'Declaring features: json': async (code) => {
    reader.sandbox.write('tmp/declared/package.json', reader.place(`{${code}}`));
    const { features } = JSON.parse(await reader.succeed('annex list --json -C /tmp/declared'));
    expect(features).toMatchObject([
      { feature: 'exa-js', where: 'missing' },
      { feature: 'search.firecrawl', where: 'missing' },
      { feature: 'db.sqlite', where: 'missing' },
    ]);
  },
  'Declaring features: json 2': (code) => {
    const [{ url = '' } = {}] = JSON.parse(code)['json.schemas'];
    expect(existsSync(join(reader.sandbox.core, url))).toBe(true);
  },
  "The operator's file: json": async (code) => {
    const file = reader.sandbox.write('tmp/operator.json', reader.place(code));
    const env = { ANNEX_CONFIG: file };
    const { stdout, stderr } = await reader.shell('annex config', { env });
    expect({ stdout, stderr }).toEqual({
      stdout: expect.stringMatching(/timeout.*120/),
      stderr: '',
    });
  },
  'Blocked versions: json': async (code) => {
    const declared = `{ "annex": { ${code.replace(/^"annex": \{/, '"features": { "exa-js": "1.9.4", "pg": "*" },')} }`;
    reader.sandbox.write('tmp/blocked/package.json', declared);
    const { code: exit, stderr } = await reader.shell('annex install --all -C /tmp/blocked');
    expect({ exit, stderr }).toEqual({
      exit: 1,
      stderr: expect.stringContaining('exa-js 1.9.4 is blocked'),
    });
  },
});
