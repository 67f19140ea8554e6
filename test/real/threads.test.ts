/** Threads that libraries start without hooks: a pino transport that is a feature, and pools that load a file of an entry. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readMachineEnvironment } from '../support/machine.ts';
import { repositoryRoot } from '../support/package.ts';
import { createSandbox } from '../support/sandbox.ts';

const script = join(repositoryRoot, 'scripts', 'nodes.mjs');
/** Outside the application: npm removes packages that its package.json does not name. */
const loader = join(repositoryRoot, 'loader.mjs');
const nodes = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim().split('\n');

test('pino 10 with pino-pretty from the store; piscina and tinypool with its file', async () => {
  const sandbox = await createSandbox();
  const env = readMachineEnvironment();
  sandbox.setCore({ features: { 'pino-pretty': '^13.0.0' } }, { dependencies: {} });
  const flags = ['--no-audit', '--no-fund', '--no-update-notifier', '--save'];
  const packages = ['pino@^10.0.0', 'piscina@^5.0.0', 'tinypool@^2.0.0'];
  const ran = await sandbox.exec('npm', ['install', ...flags, ...packages], {
    cwd: 'app',
    env,
  });
  expect(ran).toMatchObject({ code: 0 });
  sandbox.write(
    'app/logging.mjs',
    `import pino from 'pino';
     const transport = pino.transport({ target: 'pino-pretty', options: { colorize: false } });
     pino(transport).info('written by the transport');`,
  );
  sandbox.write(
    'app/task.mjs',
    `export default async (url) => typeof (await import(url)).default;`,
  );
  sandbox.write(
    'app/pools.mjs',
    `import { Piscina } from 'piscina';
     import { Tinypool } from 'tinypool';
     const url = import.meta.resolve('pino-pretty');
     for (const Pool of [Piscina, Tinypool]) {
       const filename = new URL('./task.mjs', import.meta.url).href;
       const pool = new Pool({ filename, execArgv: [], maxThreads: 1, minThreads: 1 });
       console.log(await pool.run(url));
       await pool.destroy();
     }`,
  );
  const store = { ANNEX_STORE: sandbox.store };
  const installed = await sandbox.annex(['install', 'pino-pretty'], {
    env: { ...env, ...store },
  });
  expect(installed).toMatchObject({ code: 0 });
  for (const node of nodes) {
    const options = { node: node.split(' ').at(-1) ?? '', env: store };
    const load = (file: string) => sandbox.run(['--import', loader, file], options);
    expect(await load('logging.mjs'), node).toMatchObject({
      stdout: expect.stringContaining('written by the transport'),
      stderr: '',
      code: 0,
    });
    expect(await load('pools.mjs'), node).toMatchObject({
      stdout: 'function\nfunction\n',
      stderr: '',
      code: 0,
    });
  }
});
