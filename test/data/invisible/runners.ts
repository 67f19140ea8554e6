/** Test runners and package managers with the preload in NODE_OPTIONS, which their child processes and threads inherit. */
import type { Program } from '../../support/conformance.ts';

/** The packages that the programs use. */
export const RUNNERS: readonly string[] = [
  'c8@^12.0.0',
  'jest@~30.5.0',
  'mocha@^12.0.0',
  'vitest@~4.1.0',
  'npm@^11.0.0',
  'pnpm@~10.34.0',
  'yarn@^1.22.0',
  'corepack@~0.34.0',
];

const bin = (path: string): string => `ROOT/app/node_modules/${path}`;

/** Removes durations, and paths of files of reports. */
const dropTimes = (text: string): string =>
  text
    .replaceAll(/\d+(?:\.\d+)? ?m?s\b/g, '<time>')
    .replaceAll(/\d\d:\d\d:\d\d/g, '<clock>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d_]+Z-debug/g, '<log>')
    .replaceAll(/ \(<time>\)|, estimated .*/g, '')
    // Jest writes it when the machine is busy.
    .replaceAll(/A worker process has failed to exit gracefully.*\n/g, '');

const TESTS: Record<string, string | object> = {
  'package.json': {
    name: 'own',
    version: '1.0.0',
    private: true,
    scripts: { go: 'node main.cjs', fails: 'exit 3' },
    dependencies: {},
  },
  'main.cjs': `console.log(require('./part.cjs')(1), process.execArgv, process.env.npm_lifecycle_event);\nimport('./part.mjs').then(({ default: part }) => console.log(part(2)));\n`,
  'part.cjs': `module.exports = (value) => {\n  if (value > 5) return 'unused';\n  return value + 1;\n};\n`,
  'part.mjs': `export default (value) => {\n  if (value > 5) return 'unused';\n  return value + 1;\n};\n`,
};

const run = (
  title: string,
  shows: RegExp,
  starts: Program['starts'],
  files: Program['files'] = {},
): Program => ({
  title,
  files: { ...TESTS, ...files },
  starts,
  shows,
  modes: ['NODE_OPTIONS --import'],
  clean: dropTimes,
});

const common = (globals: string): string => `${globals}
const part = require('../part.cjs');
test('adds', () => { if (part(1) !== 2) throw new Error('wrong'); });
test('fails', () => { try { require('absent'); } catch ({ code }) { throw new Error(code); } });
test('imports', async () => { if ((await import('../part.mjs')).default(1) !== 2) throw new Error('wrong'); });
`;

export const programs: readonly Program[] = [
  run('c8', /part\.mjs/, [
    {
      args: [
        bin('c8/bin/c8.js'),
        '--reporter=text',
        '--all',
        '--include=*.?js',
        'node',
        'main.cjs',
      ],
    },
  ]),
  run(
    'mocha, also in parallel',
    /1 failing/,
    [
      { args: [bin('mocha/bin/mocha.js'), '--ui', 'tdd', 'tests/own.cjs'] },
      {
        args: [
          bin('mocha/bin/mocha.js'),
          '--parallel',
          '--jobs',
          '2',
          '--ui',
          'tdd',
          'tests/own.cjs',
        ],
      },
    ],
    {
      'tests/own.cjs': common(''),
    },
  ),
  run(
    'jest, in one process and in workers',
    /1 failed/,
    [
      { args: [bin('jest/bin/jest.js'), '--ci', '--no-cache', '--runInBand', '--no-watchman'] },
      { args: [bin('jest/bin/jest.js'), '--ci', '--no-cache', '--maxWorkers=2', '--no-watchman'] },
    ],
    {
      'jest.config.cjs': `module.exports = { testMatch: ['<rootDir>/tests/*.js'], transform: {}, reporters: ['<rootDir>/reporter.cjs'], haste: { forceNodeFilesystemAPI: true } };`,
      'reporter.cjs': `
module.exports = class {
  onRunComplete(_, { numFailedTests, testResults }) {
    const lines = testResults.flatMap(({ testFilePath, testResults: tests }) => tests.map(({ title, status, failureMessages }) => [testFilePath, title, status, ...failureMessages.map((text) => text.split('\\n')[0])].join(' ')));
    console.log(lines.sort().join('\\n'), numFailedTests, 'failed');
  }
};`,
      'tests/own.js': common('').replace(/test\('imports'.*\n/, ''),
      'tests/other.js': `test('other', () => { expect(require('../part.cjs')(1)).toBe(2); });`,
    },
  ),
  run(
    'vitest, in forks and in threads',
    /1 failed/,
    ['forks', 'threads'].map((pool) => ({
      args: [bin('vitest/vitest.mjs'), 'run', '--pool', pool, '--reporter=default', '--no-color'],
    })),
    {
      'vitest.config.mjs': `export default { test: { include: ['tests/*.mjs'], maxWorkers: 1 } };`,
      'tests/own.mjs': `import { expect, test } from 'vitest';\nimport part from '../part.mjs';\ntest('adds', () => { expect(part(1)).toBe(2); });\ntest('fails', async () => { await import('../wrong.mjs'); });`,
      'wrong.mjs': `throw new Error('wrong');`,
    },
  ),
  run(
    'npm',
    /^2 \[\] go$[\s\S]*^(?:added 1 package|up to date)/m,
    [
      { args: [bin('npm/bin/npm-cli.js'), '--version'] },
      { args: [bin('npm/bin/npm-cli.js'), 'run', 'go'] },
      { args: [bin('npm/bin/npm-cli.js'), 'run', 'fails'] },
      { args: [bin('npm/bin/npm-cli.js'), 'exec', '--', 'node', '--print', 'process.execArgv'] },
      { args: [bin('npm/bin/npm-cli.js'), 'install', './local', '--no-audit', '--no-fund'] },
    ],
    {
      'local/package.json': {
        name: 'local',
        version: '1.0.0',
        scripts: { postinstall: 'node --print process.execArgv.length' },
      },
    },
  ),
  run('pnpm', /^2 \[\] go$/m, [
    { args: [bin('pnpm/bin/pnpm.cjs'), '--version'] },
    { args: [bin('pnpm/bin/pnpm.cjs'), 'run', 'go'] },
    { args: [bin('pnpm/bin/pnpm.cjs'), 'run', 'fails'] },
    { args: [bin('pnpm/bin/pnpm.cjs'), 'exec', 'node', '--print', 'process.execArgv'] },
  ]),
  run('yarn', /^2 \[\] go$/m, [
    { args: [bin('yarn/bin/yarn.js'), '--version'] },
    { args: [bin('yarn/bin/yarn.js'), '--silent', 'run', 'go'] },
    { args: [bin('yarn/bin/yarn.js'), 'run', 'fails'] },
  ]),
  run('corepack', /Command not found/, [
    { args: [bin('corepack/dist/corepack.js'), '--version'] },
    { args: [bin('corepack/dist/corepack.js'), 'unknown'] },
  ]),
];
