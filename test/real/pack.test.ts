/** The packed package in an empty application, as a newcomer installs it: real npm, the real registry, two runs, and its types. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readMachineEnvironment } from '../support/machine.ts';
import { packRepository, repositoryRoot } from '../support/package.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

let sandbox: Sandbox;
let tarball: string;
let env: Record<string, string>;

beforeAll(async () => {
  sandbox = await createSandbox({ linkAnnex: false });
  tarball = join(sandbox.root, 'annex.tgz');
  writeFileSync(tarball, packRepository().tarball ?? '');
  // The default store is in the user's cache directory: the tests must not use the real one.
  env = { ...readMachineEnvironment(), XDG_CACHE_HOME: join(sandbox.root, 'cache') };
  sandbox.write('app/package.json', { name: 'app', version: '1.0.0', private: true });
  sandbox.write(
    'app/app.mjs',
    `const { default: Exa } = await import('exa-js');
     console.log(typeof new Exa('no-key').search);`,
  );
  const flags = ['--no-audit', '--no-fund', '--no-update-notifier'];
  const run = await sandbox.exec('npm', ['install', ...flags, tarball], { env });
  expect(run).toMatchObject({ code: 0 });
});

test('the tarball holds the program and its documents, and no development files', async () => {
  const { stdout } = await sandbox.exec('tar', ['-tzf', tarball]);
  const files = stdout.trim().split('\n');
  for (const wanted of [
    'package.json',
    'loader.mjs',
    'dist/index.js',
    'dist/index.d.ts',
    'dist/register.js',
    'dist/register.d.ts',
    'dist/cli/main.js',
    'docs/annex.schema.json',
  ]) {
    expect(files).toContain(`package/${wanted}`);
  }
  const allowed =
    /^package\/(?:package\.json|loader\.mjs|[A-Z]+(?:\.md)?|dist\/[\w/-]+\.(?:c?js|c?js\.map|d\.ts|d\.cts)|dist\/(?:sbom\.cdx\.json|licenses\.txt)|docs\/[\w-]+\.(?:md|schema\.json))$/;
  expect(files.filter((file) => !allowed.test(file))).toEqual([]);
});

test('its dependencies are not visible from the application, and its bill of materials names all of them', async () => {
  const { stdout } = await sandbox.exec('npm', ['ls', '--all', '--json'], { env });
  expect(JSON.parse(stdout)).toEqual({
    name: 'app',
    version: '1.0.0',
    dependencies: { annex: expect.not.objectContaining({ dependencies: expect.anything() }) },
  });
  const sbom = readFileSync(join(sandbox.core, 'node_modules/annex/dist/sbom.cdx.json'), 'utf8');
  const { components } = JSON.parse(sbom) as { components: { name: string; purl: string }[] };
  expect(components.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['execa', 'cross-spawn', 'ini', 'semver']),
  );
});

test('annex add, then two runs: the first installs, the second is silent; only package.json has changed', async () => {
  const before = sandbox.digest('app');
  const added = await sandbox.exec('npx', ['annex', 'add', 'exa-js@^1.9'], { env });
  // What npx itself has to say on stderr is the machine's affair.
  expect(added).toMatchObject({
    code: 0,
    stdout: `declared exa-js ^1.9 in ${sandbox.core}/package.json\nNow: npx annex lock\n`,
    stderr: expect.not.stringContaining('annex:'),
  });
  const args = ['--import', 'annex/loader.mjs', 'app.mjs'];
  const first = await sandbox.run(args, { env });
  expect(first).toMatchObject({ code: 0, stdout: 'function\n' });
  expect(first.stderr).toMatch(
    /^annex: installing exa-js \(exa-js@\^1\.9, not locked\) into .*\nannex: installed exa-js 1\..*\n/,
  );
  const offline = { ...env, npm_config_registry: 'http://127.0.0.1:9' };
  const second = await sandbox.run(args, { env: offline });
  expect(second).toMatchObject({ code: 0, stdout: 'function\n', stderr: '' });

  const after = sandbox.digest('app');
  const changed = Object.keys({ ...before, ...after }).filter(
    (path) => before[path] !== after[path],
  );
  expect(changed).toEqual(['package.json']);
  const listed = await sandbox.exec('npx', ['annex', 'list', '--json'], { env: offline });
  expect(JSON.parse(listed.stdout).features).toMatchObject([
    {
      feature: 'exa-js',
      where: 'store',
      dir: expect.stringContaining(`${sandbox.root}/cache/annex/`),
    },
  ]);
});

test.each(['nodenext', 'node16'])(
  'the types resolve for a strict consumer with module %s, library checks included',
  async (module) => {
    sandbox.write('app/tsconfig.json', {
      compilerOptions: {
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        target: 'es2022',
        module,
        moduleResolution: module,
        types: [],
        skipLibCheck: false,
      },
      files: ['consumer.mts', 'consumer.cts'],
    });
    sandbox.write(
      'app/consumer.mts',
      `import 'annex/register';
     import { AnnexError, ensure, type ErrorCode, type FeatureStatus, isAvailable, status, type Status, type Whereabouts } from 'annex';
     const is: boolean = isAvailable('exa-js');
     const found: Status = status();
     const loader: 'sync' | 'off-thread' | 'inactive' = found.loader;
     const places: Whereabouts[] = found.features.map(({ where }) => where);
     export const use = async (): Promise<FeatureStatus | ErrorCode> => {
       try {
         return await ensure('exa-js');
       } catch (error) {
         if (!(error instanceof AnnexError)) throw error;
         const hint: string = error.hint;
         return hint === '' ? 'ANNEX_DENIED' : error.code;
       }
     };
     // @ts-expect-error: a feature has a name
     await ensure();
     // @ts-expect-error: not a promise
     isAvailable('exa-js').then();
     export { is, loader, places };`,
    );
    sandbox.write(
      'app/consumer.cts',
      `import 'annex/register';
     import { AnnexError, isAvailable } from 'annex';
     export const is: boolean = isAvailable('exa-js');
     export const read = (error: unknown): string => error instanceof AnnexError ? error.code : '';
     export const load = async (): Promise<boolean> => (await import('annex')).isAvailable('exa-js');`,
    );
    const tsc = join(repositoryRoot, 'node_modules', 'typescript', 'bin', 'tsc');
    const { code, stdout } = await sandbox.run([tsc, '--project', 'tsconfig.json']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    const required = "console.log(Object.keys(require('annex')).join())";
    expect(await sandbox.run(['--eval', required])).toMatchObject({
      code: 0,
      stdout: 'AnnexError,composeMetrics,ensure,isAvailable,load,onEvent,status\n',
      stderr: '',
    });
  },
);
