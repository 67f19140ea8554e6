import { defineConfig } from 'vitest/config';
import { guarantees } from './test/data/guarantees.ts';

/** Tests of the example image are beside it. */
const image = 'examples/immutable-image/test';
// A test waits for events, not for a time: these limits are for what hangs, not for what is slow.
const common = {
  testTimeout: 600_000,
  hookTimeout: 600_000,
  retry: 0,
  expect: { poll: { interval: 5, timeout: 300_000 } },
};

export default defineConfig({
  test: {
    // Most of the time the tests wait for programs that they have started.
    maxWorkers: 3,
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/unit/**/*.test.ts', `${image}/files/*.test.ts`],
        },
      },
      {
        test: {
          ...common,
          name: 'guarantees',
          include: Object.values(guarantees),
          globalSetup: ['test/support/global-setup.ts'],
        },
      },
      {
        test: {
          ...common,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          // .ci/run has run them with `npm test`.
          exclude: process.env.CI === undefined ? [] : Object.values(guarantees),
          globalSetup: ['test/support/global-setup.ts'],
        },
      },
      {
        test: {
          ...common,
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          testTimeout: 3_600_000,
          hookTimeout: 3_600_000,
        },
      },
      {
        test: {
          ...common,
          name: 'hosts',
          include: ['test/hosts/**/*.test.ts'],
          testTimeout: 7_200_000,
          hookTimeout: 7_200_000,
          globalSetup: ['test/support/global-setup.ts'],
        },
      },
      {
        test: {
          ...common,
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          testTimeout: 7_200_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...common,
          name: 'netfs',
          include: ['test/netfs/**/*.test.ts'],
          testTimeout: 3_600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...common,
          name: 'fleet',
          include: ['test/fleet/**/*.test.ts'],
          testTimeout: 3_600_000,
          hookTimeout: 3_600_000,
        },
      },
      {
        test: {
          ...common,
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
        },
      },
      {
        test: {
          ...common,
          name: 'image',
          include: [`${image}/containers/*.test.ts`],
          globalSetup: [`${image}/support/setup.ts`],
        },
      },
      {
        // How soon a server answers can be told when nothing else runs.
        test: {
          ...common,
          name: 'image-alone',
          include: [`${image}/containers/alone/*.test.ts`],
          globalSetup: [`${image}/support/setup.ts`],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
