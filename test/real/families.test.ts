/** Packages with unusual archives, names or sizes: locked, installed from the lock, verified, and used. */
import { beforeAll, expect, test } from 'vitest';
import type { Backend } from '../support/backends.ts';
import { readMachineEnvironment } from '../support/machine.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const PACKAGES: Record<string, Backend> = {
  // Packed by an early pnpm: paths with a dot in them.
  'agent-base': {
    range: '7.1.4',
    program: `import { Agent } from 'agent-base'; console.log(typeof Agent);`,
    prints: 'function',
  },
  'https-proxy-agent': {
    range: '7.0.6',
    program: `
      import { HttpsProxyAgent } from 'https-proxy-agent';
      console.log(new HttpsProxyAgent('http://127.0.0.1:9').proxy.port);`,
    prints: '9',
  },
  tedious: {
    range: '^18.0.0',
    program: `import tedious from 'tedious'; console.log(tedious.TYPES.Int.name, typeof tedious.Connection);`,
    prints: 'Int function',
  },
  '@google-cloud/storage': {
    range: '^7.0.0',
    program: `
      import { Storage } from '@google-cloud/storage';
      console.log(new Storage({ projectId: 'none' }).bucket('bucket').file('file').name);`,
    prints: 'file',
  },
  'puppeteer-core': {
    range: '^24.0.0',
    program: `import puppeteer from 'puppeteer-core'; console.log(typeof puppeteer.launch);`,
    prints: 'function',
  },
  jsdom: {
    range: '^26.0.0',
    program: `
      import { JSDOM } from 'jsdom';
      console.log(new JSDOM('<p>found</p>').window.document.querySelector('p').textContent);`,
    prints: 'found',
  },
  'pino-pretty': {
    range: '^13.0.0',
    program: `
      import { prettyFactory } from 'pino-pretty';
      console.log(prettyFactory({ colorize: false })({ level: 30, msg: 'found' }).trim());`,
    prints: 'INFO: found',
  },
  // 150 MB; its old sharp loads only after its install script, which fetches a library.
  '@xenova/transformers': {
    range: '^2.17.0',
    program: `
      import { createRequire } from 'node:module';
      console.log(typeof createRequire(import.meta.url).resolve('@xenova/transformers'));`,
    prints: 'string',
  },
  // A name with capitals, which new packages must not have.
  JSONStream: {
    range: '^1.3.5',
    program: `
      import JSONStream from 'JSONStream';
      JSONStream.parse('*').on('data', (data) => console.log(data)).end('["found"]');`,
    prints: 'found',
  },
};
const NAMES = Object.keys(PACKAGES);

/** Time limit of one command in ms: a busy machine is slow. */
const LIMIT = 600_000;

let sandbox: Sandbox;
const options = () => ({
  env: { ...readMachineEnvironment(), ANNEX_STORE: sandbox.store },
  timeout: LIMIT,
});

beforeAll(async () => {
  sandbox = await createSandbox();
  const ranges = NAMES.map((name) => [name, PACKAGES[name]?.range]);
  sandbox.setCore({ features: Object.fromEntries(ranges) });
});

test('all are locked, installed from the lock, and identical to it', {
  timeout: 3 * LIMIT,
}, async () => {
  const locked = await sandbox.annex(['lock'], options());
  expect(locked.code, locked.stderr).toBe(0);
  const installed = await sandbox.annex(['install', '--all', '--json'], options());
  expect(installed.code, installed.stderr).toBe(0);
  const { results } = JSON.parse(installed.stdout) as {
    results: { feature: string; outcome: string }[];
  };
  expect(results.map(({ feature, outcome }) => [feature, outcome])).toEqual(
    NAMES.map((name) => [name, 'installed']),
  );
  expect(await sandbox.annex(['verify'], options())).toMatchObject({ code: 0, stderr: '' });
});

test.each(NAMES)('%s works', async (name) => {
  const { program = '', prints } = PACKAGES[name] ?? {};
  const file = `use-${NAMES.indexOf(name)}.mjs`;
  sandbox.write(`app/${file}`, program);
  const { stdout, stderr } = await sandbox.run(['--import', sandbox.loader, file], options());
  expect({ stdout, stderr }).toEqual({ stdout: `${prints}\n`, stderr: '' });
});
