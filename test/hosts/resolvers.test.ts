/** Tools with a search of their own, which never asks Node: each finds a feature through annex/jest, annex/vite or a URL. */
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { install, listNodes } from '../support/host.ts';
import { readMachineEnvironment } from '../support/machine.ts';
import type { RunResult, Sandbox } from '../support/sandbox.ts';

/** In a dual package, the form for \`require\` has a default export for \`import\`. */
const BACKENDS = `
  expect(csv.parse('a,b')).toEqual([['a', 'b']]);
  expect(Object.keys(csv)).not.toContain('default');
  expect(winston.transports.DailyRotateFile).toBe(File);`;
const IMPORTS = `
import * as csv from 'csv-parse/sync';
import winston from 'winston';
import File from 'winston-daily-rotate-file';`;
const isGiven = `process.argv.includes('given')`;

const FILES: Record<string, string> = {
  'jest.config.json': '{ "resolver": "annex/jest", "transform": {}, "testMatch": ["**/*.jest.*"] }',
  'plain.config.json': '{ "transform": {}, "testMatch": ["**/*.jest.*"] }',
  'require.jest.cjs': `
const { parse } = require('csv-parse/sync');
const File = require('winston-daily-rotate-file');
test('a package, and one that shares winston with the core', () => {
  expect(parse('a,b')).toEqual([['a', 'b']]);
  expect(require('winston').transports.DailyRotateFile).toBe(File);
});`,
  'import.jest.mjs': `${IMPORTS}
test('a dual package, and one that shares winston with the core', () => {${BACKENDS}
});`,
  'vite.config.mjs': `
import { annex } from 'annex/vite';
export default { plugins: process.env.WITHOUT ? [] : [annex()] };`,
  'backend.test.mjs': `${IMPORTS}
import { expect, test } from 'vitest';
test('a dual package, and one that shares winston with the core', () => {${BACKENDS}
});`,
  'main.mjs': `
import { parse } from 'csv-parse/sync';
console.log(parse('found').join());`,
  'by-name.mjs': `export default { plugins: ['prettier-plugin-properties'] };`,
  'by-url.mjs': `export default { plugins: [import.meta.resolve('prettier-plugin-properties')] };`,
  'a.properties': 'found   =   word\n',
  'import-from.mjs': `
import importFrom from 'import-from-esm';
const name = ${isGiven} ? import.meta.resolve('csv-parse/sync') : 'csv-parse/sync';
console.log((await importFrom(import.meta.dirname, name)).parse('found').join());`,
  'mocking.mjs': `
import esmock from 'esmock';
const isGiven = ${isGiven};
if (isGiven) await import('csv-parse/sync');
const mocks = { 'csv-parse/sync': { parse: () => ['mock found'] } };
const options = { isModuleNotFoundError: !isGiven };
console.log((await esmock('./mocked.mjs', mocks, {}, options)).default);`,
  'mocked.mjs': `
import { parse } from 'csv-parse/sync';
export default parse('not mocked').join();`,
};

/** A command that does not find the backend, and one that does. */
interface Tool {
  without: string;
  served: string;
  fails: RegExp;
  succeeds: RegExp;
}

const VM = '--experimental-vm-modules --no-warnings';
const LOADER = '--import annex/loader.mjs';
const JEST = 'node_modules/jest/bin/jest.js --config';

const TOOLS: Record<string, Tool> = {
  'require in jest': {
    without: `${LOADER} ${JEST} plain.config.json require`,
    served: `${JEST} jest.config.json require`,
    fails: /Cannot find module 'csv-parse\/sync' from 'require\.jest\.cjs'/,
    succeeds: /Tests: +1 passed, 1 total/,
  },
  'import in jest': {
    without: `${VM} ${LOADER} ${JEST} plain.config.json import`,
    served: `${VM} ${JEST} jest.config.json import`,
    fails: /Cannot find module 'csv-parse\/sync' from 'import\.jest\.mjs'/,
    succeeds: /Tests: +1 passed, 1 total/,
  },
  vitest: {
    without: `${LOADER} node_modules/vitest/vitest.mjs run`,
    served: 'node_modules/vitest/vitest.mjs run',
    fails: /Cannot find package 'csv-parse\/sync' imported from .*backend\.test\.mjs/,
    succeeds: /Tests +1 passed \(1\)/,
  },
  'vite-node': {
    without: `${LOADER} node_modules/vite-node/dist/cli.mjs main.mjs`,
    served: 'node_modules/vite-node/dist/cli.mjs main.mjs',
    fails: /Cannot find package 'csv-parse\/sync' imported from .*main\.mjs/,
    succeeds: /^found$/m,
  },
  'a plugin of Prettier': {
    without: `${LOADER} node_modules/prettier/bin/prettier.cjs --config by-name.mjs a.properties`,
    served: `${LOADER} node_modules/prettier/bin/prettier.cjs --config by-url.mjs a.properties`,
    fails: /Cannot find package 'prettier-plugin-properties' imported from /,
    succeeds: /^found = word$/m,
  },
  'import-from-esm': {
    without: `${LOADER} import-from.mjs`,
    served: `${LOADER} import-from.mjs given`,
    fails: /Cannot find module 'csv-parse\/sync'/,
    succeeds: /^found$/m,
  },
  'a mock of esmock': {
    without: `${LOADER} mocking.mjs`,
    served: `${LOADER} mocking.mjs given`,
    fails: /invalid moduleId: "csv-parse\/sync"/,
    succeeds: /^mock found$/m,
  },
};

let sandbox: Sandbox;

beforeAll(async () => {
  ({ sandbox } = await install({
    ships: { winston: '^3.17.0' },
    builds: {
      esmock: '^2.7.0',
      'import-from-esm': '^2.0.0',
      jest: '^30.0.0',
      prettier: '^3.6.0',
      'vite-node': '^5.0.0',
      vitest: '^4.0.0',
    },
    annex: {
      features: {
        'csv-parse': '^6.0.0',
        'prettier-plugin-properties': '^0.3.0',
        'winston-daily-rotate-file': '^5.0.0',
      },
    },
    files: FILES,
  }));
});

describe.each(listNodes())('Node $version', ({ version, path }) => {
  const run = async (line: string, env: Record<string, string>): Promise<RunResult> => {
    const result = await sandbox.run(line.split(' '), { node: path, env });
    return { ...result, stdout: stripVTControlCharacters(result.stdout + result.stderr) };
  };

  test.each(Object.entries(TOOLS))('%s', async (name, { without, served, fails, succeeds }) => {
    const store = join(sandbox.root, 'volume', `${name.replaceAll(' ', '-')}-${version}`);
    const env = { ...readMachineEnvironment(), ANNEX_STORE: store };
    const nowhere = { ANNEX_STORE: store, npm_config_registry: 'http://127.0.0.1:9' };

    const denied = await run(served, { ...env, ANNEX_ALLOW_INSTALLS: 'false' });
    expect(denied.code).not.toBe(0);
    expect(denied.stderr).toMatch(/^annex: [\w-]+ unavailable \(ANNEX_DENIED\): /m);

    const first = await run(served, env);
    expect(first, first.stdout).toMatchObject({ code: 0, stdout: expect.stringMatching(succeeds) });
    expect(first.stderr).toMatch(/^annex: installed /m);
    const again = await run(served, nowhere);
    expect(again, again.stdout).toMatchObject({ code: 0, stdout: expect.stringMatching(succeeds) });

    const blind = await run(without, { ...nowhere, WITHOUT: 'true' });
    expect(blind.code).not.toBe(0);
    expect(blind.stdout).toMatch(fails);
  });
});
