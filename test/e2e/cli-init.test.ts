/** `annex init`: declares and locks what the sources request; without consent it changes nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { outerNodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type RunOptions } from '../support/sandbox.ts';

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry([
    esmPackage('exa-js', '1.10.3', 'exa'),
    esmPackage('alpha', '1.2.0', 'registry'),
    esmPackage('alpha', '2.1.0', 'registry'),
  ]);
});

const program = `try {
  const { marker } = await import('exa-js');
  console.log(marker);
} catch (error) {
  console.log(error.code);
}
`;

describe.each(outerNodes)('$label', (node) => {
  const open = async (manifest: object, main: string) => {
    const sandbox = await createSandbox({ registry, node: node.path });
    const path = sandbox.write('app/package.json', manifest);
    sandbox.write('app/main.mjs', main);
    const run = (args: string[], options: RunOptions = {}) =>
      sandbox.annex(args, { env: { ANNEX_STORE: sandbox.store }, ...options });
    const read = () => JSON.parse(readFileSync(path, 'utf8'));
    const isLocked = (name: string) => existsSync(join(sandbox.core, 'annex', name, 'annex.json'));
    /** Runs it on a terminal, on which someone types. */
    const type = (line: string, args: string) => {
      const cli = join(repositoryRoot, 'dist', 'cli', 'main.js');
      const command = `printf '${line}' | script -qec '"${node.path}" "${cli}" ${args}' /dev/null`;
      return sandbox.exec('sh', ['-c', command], { env: { NO_COLOR: '1' } });
    };
    return { sandbox, path, run, read, isLocked, type };
  };

  test('a new application of two files: scan, init, start', async () => {
    const { sandbox, path, run, read, isLocked } = await open({}, program);
    const start = () =>
      sandbox.run(['--import', sandbox.loader, 'main.mjs'], {
        env: { ANNEX_STORE: sandbox.store },
      });
    expect((await start()).stdout).toBe('ERR_MODULE_NOT_FOUND\n');
    expect(await run(['scan'])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('exa-js: neither declared nor shipped'),
    });
    const { code, stdout, stderr } = await run(['init', '--yes']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`declared exa-js ^1.10.3 in ${path}
exa-js: locked in ${join(sandbox.core, 'annex', 'exa-js')} (packages: 1)
Now: npm install annex
Now: commit package.json and annex/
Now: start the program with the loader: node --import annex/loader.mjs FILE
Lines for the Dockerfile of an image with the application in /opt/app and a volume on /opt/data:
ENV NODE_OPTIONS=--import=/opt/app/node_modules/annex/loader.mjs
ENV ANNEX_STORE=/opt/data/annex
ENV ANNEX_SEALED=1
ENV ANNEX_CORE=/opt/app
`);
    expect(read()).toEqual({ annex: { features: { 'exa-js': '^1.10.3' } } });
    expect(isLocked('exa-js')).toBe(true);
    expect((await start()).stdout).toBe('exa\n');
    expect((await run(['lock', '--check'])).code).toBe(0);
    expect((await run(['scan'])).code).toBe(0);
  });

  test('the second time there is nothing to do, and nothing changes', async () => {
    const { sandbox, run } = await open({ dependencies: { annex: '*' } }, program);
    expect((await run(['init', '--yes'])).code).toBe(0);
    const before = sandbox.digest(sandbox.core);
    expect(await run(['init'])).toMatchObject({
      code: 0,
      stdout: 'nothing to do: no package is left to declare\n',
      stderr: '',
    });
    expect(await run(['init', 'exa-js@2'])).toMatchObject({
      code: 0,
      stdout: 'nothing to do: no package is left to declare\n',
    });
    expect(sandbox.digest(sandbox.core)).toEqual(before);
  });

  test('it names sources that it cannot read', async () => {
    const { sandbox, run } = await open({ dependencies: { annex: '*' } }, '');
    sandbox.write('app/view.jsx', `<p>don't</b>`);
    expect(await run(['init'])).toMatchObject({
      code: 0,
      stderr: 'annex: view.jsx is not scanned: it does not parse\n',
    });
  });

  test('it names the program of package.json, and the place of a workspace in the image', async () => {
    const { sandbox, run } = await open(
      { workspaces: ['apps/*'], dependencies: { annex: '*' } },
      '',
    );
    sandbox.write('app/apps/web/package.json', { main: 'main.js', dependencies: { annex: '*' } });
    sandbox.write('app/apps/web/main.js', program);
    const { stdout } = await run(['init', '--yes'], { cwd: 'app/apps/web' });
    expect(stdout).toContain('loader: node --import annex/loader.mjs main.js\n');
    expect(stdout).toContain('--import=/opt/app/node_modules/annex/loader.mjs\n');
    expect(stdout).toContain('ENV ANNEX_CORE=/opt/app/apps/web\n');
  });

  test('annex itself is never declared', async () => {
    const { sandbox, run } = await open({}, `import 'annex/register';`);
    const before = sandbox.digest(sandbox.core);
    expect(await run(['scan'])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('  Now: npm install annex\n'),
    });
    expect(await run(['init', '--yes'])).toMatchObject({
      code: 0,
      stdout: 'nothing to do: no package is left to declare\nNow: npm install annex\n',
    });
    const { stdout } = await run(['init', '--yes', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ features: [], next: ['npm install annex'] });
    expect(sandbox.digest(sandbox.core)).toEqual(before);
  });

  test('a package keeps its range from package.json, unless it is named with another', async () => {
    const manifest = { devDependencies: { alpha: '^1.0.0', 'exa-js': 'file:../exa-js' } };
    const { run, read } = await open(manifest, `import 'alpha';\nimport 'exa-js';`);
    expect((await run(['init', '--yes'])).code).toBe(0);
    expect(read().annex.features).toEqual({ alpha: '^1.0.0', 'exa-js': '^1.10.3' });
    const other = await open(manifest, `import 'exa-js';`);
    const { stdout } = await other.run(['init', 'alpha@^2', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'init',
      application: other.sandbox.core,
      packages: { alpha: '^2' },
      features: ['alpha'],
      locks: [{ feature: 'alpha', outcome: 'locked' }],
      variables: { ANNEX_SEALED: '1' },
      next: [
        'npm install annex',
        'commit package.json and annex/',
        'start the program with the loader: node --import annex/loader.mjs FILE',
      ],
    });
    expect(other.read().annex.features).toEqual({ alpha: '^2' });
  });

  test('a feature of that name with other packages stays', async () => {
    const features = { 'exa-js': { packages: { alpha: '^1.0.0' } } };
    const { sandbox, run } = await open({ annex: { features } }, program);
    const before = sandbox.digest(sandbox.core);
    expect(await run(['init', '--yes'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/annex\.features\["exa-js"\] in \S+ has other packages /),
    });
    expect(sandbox.digest(sandbox.core)).toEqual(before);
  });

  test('without a terminal it changes nothing unless --yes or names are given', async () => {
    const { sandbox, path, run } = await open({}, program);
    const before = sandbox.digest(sandbox.core);
    const { code, stdout, stderr } = await run(['init']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `annex: nothing was changed: exa-js ^1.10.3 would be declared in ${path}, and there is no terminal to ask on (ANNEX_INVALID_CONFIG). Now: npx annex init --yes, or npx annex init NAME\n`,
    );
    expect(sandbox.digest(sandbox.core)).toEqual(before);
  });

  test('on a terminal it asks once, and only yes changes anything', async () => {
    const { sandbox, path, isLocked, type } = await open({}, program);
    const before = sandbox.digest(sandbox.core);
    const question = `Declare exa-js ^1.10.3 in ${path}? [y/N] `;
    for (const answer of ['n\\n', '\\n', 'what\\n', '\\004']) {
      const { code, stdout } = await type(answer, 'init');
      expect(stdout.split(question)).toHaveLength(2);
      expect({ answer, code, end: stdout.trimEnd().split('\n').at(-1)?.trim() }).toMatchObject({
        answer,
        code: 1,
        end: expect.stringMatching(/annex: nothing was changed$/),
      });
      expect(sandbox.digest(sandbox.core)).toEqual(before);
    }
    const { code, stdout } = await type('y\\n', 'init');
    expect(stdout).toContain(question);
    expect(code).toBe(0);
    expect(isLocked('exa-js')).toBe(true);
  });

  test('when a package cannot be found or locked, nothing is changed', async () => {
    const { sandbox, run } = await open({}, `${program}; import('absent');`);
    const before = sandbox.digest(sandbox.core);
    for (const [args, message] of [
      [['--yes'], /no version was found for absent, exa-js: npm: E404 .*Now: correct the name/],
      [['exa-js@^9'], /exa-js cannot be locked/],
      [['exa-js@latest'], /"latest" for exa-js, which is a tag/],
      [['../x'], /is not NAME or NAME@RANGE/],
      [['fs@^1'], /"fs", which is a builtin of Node/],
    ] as const) {
      const { code, stdout, stderr } = await run(['init', ...args]);
      expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' });
      expect(stderr).toMatch(message);
      expect(stderr).toContain('nothing was changed');
      expect(sandbox.digest(sandbox.core)).toEqual(before);
    }
  });

  test('--optional moves imported optionalDependencies, which npm and lock then follow', async () => {
    const { sandbox, run, read, isLocked } = await open(
      { dependencies: { annex: '*' }, optionalDependencies: { alpha: '^1.0.0', other: '1' } },
      `import('alpha').catch(() => {});`,
    );
    sandbox.addPackage('app/node_modules', esmPackage('alpha', '1.2.0', 'core'));
    expect((await run(['init'])).stdout).toMatch(/^nothing to do/);
    const { code, stdout } = await run(['init', '--optional', '--yes']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /Now: npm install, which takes alpha out of package-lock\.json; then npx annex lock\nNow: commit /,
    );
    expect(read()).toEqual({
      dependencies: { annex: '*' },
      optionalDependencies: { other: '1' },
      annex: { features: { alpha: '^1.0.0' } },
    });
    expect(isLocked('alpha')).toBe(false);
    expect(await run(['lock'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^alpha: locked in \S+ \(packages: 1\)\n$/),
    });
  });
});
