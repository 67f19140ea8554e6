/** One end-to-end file for each guarantee: `npm test` runs them beside the unit tests, `npm run test:e2e` all of test/e2e. */
export const guarantees = {
  'G1: the core wins': 'test/e2e/precedence-core.test.ts',
  'G2: entries are only added': 'test/e2e/install.test.ts',
  'G3: declared packages only': 'test/e2e/precedence-closure.test.ts',
  'G4: all or nothing': 'test/e2e/crash.test.ts',
  'G5: pinned and verified': 'test/e2e/verify-load.test.ts',
  'G6: never worse than absent': 'test/e2e/forms-errors.test.ts',
  'G7: not in the way': 'test/e2e/readers.test.ts',
} as const;
