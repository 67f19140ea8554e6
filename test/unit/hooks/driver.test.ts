/** After a fault in annex itself, requests from a store or into one are not found, and Node answers all others. */
import { expect, test } from 'vitest';
import { createDriver, resolveAsync } from '../../../src/hooks/driver.ts';
import type { Locator } from '../../../src/resolve/locator.ts';
import type { Question, Request } from '../../../src/resolve/request.ts';

/** A locator that throws. */
const broken = {
  thread: { settings: { log: 'silent', core: { root: '/app' } } },
  isInStore: (place: string) => place.startsWith('/store/v1/'),
  findEntryOf: () => {
    throw new TypeError('a fault');
  },
} as unknown as Locator;

const install = () => undefined;
const fileOf = () => undefined;

type Ask = (question: Question) => string;
const drivers = {
  synchronously: async (request: Request, ask: Ask) =>
    createDriver(broken, install).resolve(request, { variant: '', fileOf, ask }),
  asynchronously: (request: Request, ask: Ask) =>
    resolveAsync(request, { locator: broken, install, fileOf }, async (question) => ask(question)),
};

const inEntry = '/store/v1/any/x.0/node_modules/x/index.js';
const cases = [
  ['a name required by an entry', 'require', 'y', inEntry, 'MODULE_NOT_FOUND'],
  ['a name imported by an entry', 'import', 'y', inEntry, 'ERR_MODULE_NOT_FOUND'],
  ['a path required by an entry', 'require', './y', inEntry, 'MODULE_NOT_FOUND'],
  ['a path into an entry', 'import', inEntry, '/app/main.js', 'ERR_MODULE_NOT_FOUND'],
  ['a name required by the core', 'require', 'y', '/app/main.js', undefined],
  ['a name imported without a parent', 'import', 'y', undefined, undefined],
] as const;

test.each(
  Object.entries(drivers).flatMap(([way, resolve]) =>
    cases.map((row) => ({ way, resolve, title: row[0], row })),
  ),
)('$title, $way', async ({ resolve, row: [, kind, specifier, parent, code] }) => {
  const asked: unknown[] = [];
  const answer = resolve({ specifier, kind, parent, hasPaths: false }, (question) => {
    asked.push(question);
    return 'of Node';
  });
  if (code === undefined) await expect(answer).resolves.toBe('of Node');
  else await expect(answer).rejects.toMatchObject({ code });
  expect(asked).toEqual(code === undefined ? [{}] : []);
});
