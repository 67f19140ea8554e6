/** `annex doctor` finds why programs do not load annex: the usual mistakes of an image. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Finding } from '../../src/cli/shared/findings.ts';
import { diagnose, expectFinding } from '../support/doctor.ts';
import { node } from '../support/lock-files.ts';
import { canUnshare, OTHER_PIDS } from '../support/namespaces.ts';
import { repositoryRoot } from '../support/package.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { isRoot } from '../support/user.ts';

const features = { kit: '^1.0.0' };

async function open(manifest: object = { dependencies: { annex: '*' } }): Promise<Sandbox> {
  const sandbox = await createSandbox({ node: node.path });
  sandbox.setCore({ features }, manifest);
  return sandbox;
}

describe.concurrent(node.label, () => {
  test('NODE_OPTIONS that is not set', async () => {
    const sandbox = await open();
    const diagnosis = await diagnose(sandbox);
    expectFinding(
      diagnosis,
      'loader.active',
      /^warning NODE_OPTIONS does not load annex.*Now: set NODE_OPTIONS="--import=\/\S+\/app\/node_modules\/annex\/loader\.mjs"$/,
    );
    expect(diagnosis.code).toBe(0);
  });

  test('NODE_OPTIONS of somebody else: the remedy keeps its options', async () => {
    const sandbox = await open();
    const found = await diagnose(sandbox, { env: { NODE_OPTIONS: '--no-warnings' } });
    const line = `--no-warnings --import=${sandbox.root}/app/node_modules/annex/loader.mjs`;
    expect(found.of('loader.active')).toEqual([
      expect.stringContaining(`Now: set NODE_OPTIONS="${line}"`),
    ]);
  });

  test.each(['./node_modules/annex/loader.mjs', 'annex/loader.mjs'])(
    '%s in NODE_OPTIONS, which works in one directory',
    async (name) => {
      const sandbox = await open();
      const env = { NODE_OPTIONS: `--import=${name}` };
      const diagnosis = await diagnose(sandbox, { env });
      expectFinding(diagnosis, 'loader.active', /^ok/);
      expectFinding(diagnosis, 'loader.path', /^problem .* is not an absolute path: Node does not/);
    },
  );

  test('single quotes in NODE_OPTIONS, as in a file of variables', async () => {
    const sandbox = await open();
    const env = { NODE_OPTIONS: `'--import=${sandbox.loader}'` };
    expectFinding(await diagnose(sandbox, { env }), 'loader.active', /^problem .* single quotes/);
  });

  test.each(['--import LOADER', '"--import=LOADER"', '--require=LOADER', '--import=file://LOADER'])(
    '%s in NODE_OPTIONS',
    async (options) => {
      const sandbox = await open();
      const env = { NODE_OPTIONS: options.replace('LOADER', sandbox.loader) };
      const diagnosis = await diagnose(sandbox, { env });
      expectFinding(diagnosis, 'loader.active', /^ok NODE_OPTIONS loads annex \d/);
      expect(diagnosis.of('loader.path')).toEqual([]);
      expect(diagnosis.of('loader.copy')).toEqual([]);
    },
  );

  test('the loader of another copy of annex', async () => {
    const sandbox = await createSandbox({ node: node.path, copyAnnex: true });
    sandbox.setCore({ features }, { dependencies: { annex: '*' } });
    const other = join(sandbox.root, 'other', 'annex');
    mkdirSync(join(other, '..'));
    symlinkSync(repositoryRoot, other);
    const env = { NODE_OPTIONS: `--import=${join(other, 'loader.mjs')}` };
    const diagnosis = await diagnose(sandbox, { env });
    expectFinding(diagnosis, 'loader.copy', /^warning NODE_OPTIONS loads annex \S+ of /);
  });

  test.each([
    [
      'only a devDependency',
      { devDependencies: { annex: '*' } },
      /--omit=dev .*--save-prod annex$/,
    ],
    ['not a dependency', {}, /--omit=dev .*--save-prod annex$/],
  ])('annex that is %s', async (_, manifest, text) => {
    const sandbox = await open(manifest);
    expectFinding(await diagnose(sandbox), 'application.annex', text);
  });

  test('annex that is not installed, as with npx', async () => {
    const sandbox = await open();
    rmSync(join(sandbox.core, 'node_modules'), { recursive: true });
    expectFinding(
      await diagnose(sandbox),
      'application.annex',
      /^warning no package annex is installed; .* Now: npm install annex$/,
    );
  });

  test('annex in another version', async () => {
    const sandbox = await open();
    rmSync(join(sandbox.core, 'node_modules', 'annex'), { recursive: true });
    sandbox.addPackage('app/node_modules', { name: 'annex', version: '0.0.9', files: {} });
    expectFinding(
      await diagnose(sandbox),
      'application.annex',
      /^warning ships annex 0\.0\.9, and/,
    );
  });

  test.each([
    [
      '--import',
      'dd-trace/initialize.mjs',
      /^warning .* Now: NODE_OPTIONS="--import \S+ --import \S+"$/,
    ],
    ['--require', 'dd-trace/init', /^warning .* Now: NODE_OPTIONS="--require \S+ --require \S+"$/],
    ['--require', 'plain', /^ok with \S+ before annex$/],
  ])('%s of %s before annex', async (flag, name, text) => {
    const sandbox = await open();
    const file = sandbox.write(`app/node_modules/${name.replace(/\.mjs$/, '')}.cjs`, '');
    const env = { NODE_OPTIONS: `${flag} ${file} --import ${sandbox.loader}` };
    const diagnosis = await diagnose(sandbox, { env });
    expectFinding(diagnosis, 'loader.active', /^ok/);
    expectFinding(diagnosis, 'loader.order', text);
  });

  test('an agent after annex is in order', async () => {
    const sandbox = await open();
    const file = sandbox.write('app/node_modules/dd-trace/initialize.mjs', '');
    const env = { NODE_OPTIONS: `--import ${sandbox.loader} --import ${file}` };
    expectFinding(await diagnose(sandbox, { env }), 'loader.order', /^ok with \S+ after annex$/);
  });

  test('a running program of the application that was started with an empty environment', async ({
    onTestFinished,
  }) => {
    const sandbox = await open();
    const script = sandbox.write('app/server.mjs', SERVER);
    const other = sandbox.write('app/other.mjs', `import 'annex/register';\n${SERVER}`);
    for (const args of [[script], ['--import', sandbox.loader, script], [other]]) {
      await startProgram(args, {}, onTestFinished);
    }
    const diagnosis = await diagnose(sandbox);
    expect(diagnosis.of('loader.programs')).toEqual([
      'ok 2 running programs with annex',
      expect.stringMatching(
        /^warning process \d+ \(\S+server\.mjs\) runs without annex, unless a file of it/,
      ),
    ]);
    const differs = expect.stringMatching(
      /^warning process \d+ \(\S+\.mjs\) has another value of ANNEX_STORE than this process\. Now: run npx annex doctor with/,
    );
    expect(diagnosis.of('loader.variables')).toEqual([differs, differs, differs]);
    const env = { ANNEX_STORE: undefined };
    expect((await diagnose(sandbox, { env })).of('loader.variables')).toEqual([]);
    const named = await diagnose(sandbox, { env }, '--core', sandbox.core);
    expect(named.of('loader.variables')).toEqual([]);
  });

  test('a running program has the same settings if only their spelling differs', async ({
    onTestFinished,
  }) => {
    const sandbox = await open();
    const script = sandbox.write('app/server.mjs', SERVER);
    const start = (its: object) => startProgram([script], its, onTestFinished);
    const { root, store } = sandbox;
    const config = sandbox.write('operator.json', {});
    symlinkSync(root, join(root, 'link'));
    const layers = `${store}:/layers/*`;
    const env = { ANNEX_STORE: layers, ANNEX_SEALED: '0', ANNEX_CONFIG: config };
    const same = { ANNEX_CONFIG: `${root}//operator.json` };
    for (const written of [`${store}/:/layers//*`, `${root}/a/../volume/annex:/layers/*`]) {
      await start({ ...same, ANNEX_STORE: written });
    }
    await start({ ...same, ANNEX_STORE: `${root}/link/volume/annex:/layers/*` });
    expect((await diagnose(sandbox, { env })).of('loader.variables')).toEqual([]);
    const other = { ANNEX_STORE: store, ANNEX_SEALED: 'yes', ANNEX_CONFIG: '' };
    await start(other);
    expect((await diagnose(sandbox, { env })).of('loader.variables')).toEqual([
      expect.stringMatching(/another value of ANNEX_STORE, ANNEX_SEALED, ANNEX_CONFIG than/),
    ]);
  });
});

const SERVER = 'console.log("up"); setInterval(() => {}, 1e6);';

/** Starts a program that runs until the test ends. */
async function startProgram(
  args: string[],
  env: object,
  onEnd: (stop: () => void) => void,
): Promise<void> {
  const child = spawn(node.path, args, { env: { ...env }, stdio: ['ignore', 'pipe', 'ignore'] });
  onEnd(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout?.once('data', resolve));
}

/** Runs doctor in a pid namespace, whose process 1 has NODE_OPTIONS, which doctor has lost. */
async function diagnoseBelow(
  sandbox: Sandbox,
  options: string,
  lose = 'env -u NODE_OPTIONS',
): Promise<Finding[]> {
  const cli = join(repositoryRoot, 'dist/cli/main.js');
  const script = `${lose} "$0" '${cli}' doctor --json`;
  const [command, ...flags] = OTHER_PIDS;
  const env = { NODE_OPTIONS: options, ANNEX_STORE: sandbox.store };
  const args = [...flags, 'sh', '-c', `${script}; true`, node.path];
  const { stdout } = await sandbox.exec(command, args, { env });
  return JSON.parse(stdout).findings as Finding[];
}

describe.runIf(canUnshare(OTHER_PIDS))(`${node.label}, where process 1 has NODE_OPTIONS`, () => {
  const texts = (findings: Finding[], id: string) =>
    findings.filter((one) => one.id === id).map(({ level, text }) => `${level} ${text}`);

  test('an environment that a supervisor did not pass on', async () => {
    const sandbox = await open();
    const found = await diagnoseBelow(sandbox, `--import=${sandbox.loader}`);
    expect(texts(found, 'loader.environment')).toEqual([
      expect.stringMatching(/^warning .*process 1 has/),
    ]);
    expect(texts(found, 'loader.active')).toEqual([
      expect.stringMatching(/^ok NODE_OPTIONS of process 1 loads annex/),
    ]);
  });

  test.each([
    [
      'a path that is not in the image',
      '--import=/opt/gone/annex/loader.mjs',
      /Cannot find module '\/opt\/gone/,
    ],
    ['an option without a value', '--import', /requires an argument|not allowed/],
  ])('%s, with which Node does not start', async (_, options, reason) => {
    const found = await diagnoseBelow(await open(), options);
    expect(texts(found, 'loader.active')).toEqual([
      expect.stringMatching(/^problem Node does not start with NODE_OPTIONS of process 1: /),
    ]);
    expect(texts(found, 'loader.active')[0]).toMatch(reason);
  });

  test('that a user emptied for doctor is not lost', async () => {
    const sandbox = await open();
    const found = await diagnoseBelow(sandbox, `--import=${sandbox.loader}`, 'NODE_OPTIONS=');
    expect(texts(found, 'loader.environment')).toEqual([]);
    expect(texts(found, 'loader.active')).toEqual([expect.stringMatching(/^ok .* of process 1/)]);
  });
});

/** The process that a program forked. */
function readChild(pid: number | undefined): string {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
}

test.runIf(isRoot && canUnshare(OTHER_PIDS))(
  'root never runs what process 1 names, if that is the process of another user',
  async () => {
    const sandbox = await open();
    const trap = sandbox.write('trap.cjs', `require('fs').writeFileSync(__filename + '.ran', '');`);
    const [command, ...flags] = OTHER_PIDS;
    const user = ['setpriv', '--reuid', '4711', '--regid', '4711', '--clear-groups'];
    const env = { PATH: process.env.PATH, NODE_OPTIONS: `--require=${trap}` };
    const other = ['sh', '-c', 'echo up; read line'];
    const first = spawn(command, [...flags, ...user, ...other], { env });
    onTestFinished(() => void first.kill('SIGKILL'));
    await new Promise((resolve) => first.stdout.once('data', resolve));
    const pid = readChild(first.pid);
    const cli = join(repositoryRoot, 'dist/cli/main.js');
    const below = ['--target', pid, '--pid', '--mount', '--', node.path, cli, 'doctor', '--json'];
    const { stdout } = await sandbox.exec('nsenter', below);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    expect(findings.filter(({ id }) => id === 'loader.environment')).toEqual([]);
    expect(existsSync(`${trap}.ran`)).toBe(false);
    first.stdin.end();
  },
);
