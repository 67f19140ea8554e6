/** A fault in annex itself: what comes from a store, or leads into one, is not found; all else is Node's. */
import { expect, test } from 'vitest';
import { createDriver } from '../../../src/hooks/driver.ts';
import type { Locator } from '../../../src/resolve/locator.ts';

/** A locator that fails at the first thing that it is asked. */
const broken = {
  thread: { settings: { log: 'silent', core: { root: '/app' } } },
  isInStore: (place: string) => place.startsWith('/store/v1/'),
  findEntryOf: () => {
    throw new TypeError('a fault');
  },
} as unknown as Locator;

const inEntry = '/store/v1/any/x.0/node_modules/x/index.js';

test.each([
  ['a name, required by an entry', 'require', 'y', inEntry, 'MODULE_NOT_FOUND'],
  ['a name, imported by an entry', 'import', 'y', inEntry, 'ERR_MODULE_NOT_FOUND'],
  ['a path, required by an entry', 'require', './y', inEntry, 'MODULE_NOT_FOUND'],
  ['a path into an entry', 'import', inEntry, '/app/main.js', 'ERR_MODULE_NOT_FOUND'],
  ['a name that the core requires', 'require', 'y', '/app/main.js', undefined],
  ['a name that nobody in particular imports', 'import', 'y', undefined, undefined],
] as const)('%s', (_, kind, specifier, parent, code) => {
  const driver = createDriver(broken, () => undefined);
  const questions: unknown[] = [];
  const resolve = () =>
    driver.resolve(
      { specifier, kind, parent, hasPaths: false },
      '',
      () => undefined,
      (from) => {
        questions.push(from);
        return 'of Node';
      },
    );
  if (code === undefined) expect(resolve()).toBe('of Node');
  else expect(resolve).toThrow(expect.objectContaining({ code }));
  expect(questions).toEqual(code === undefined ? [undefined] : []);
});
