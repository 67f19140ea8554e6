/** The load hook: the files it verifies, and its result for a damaged file. */
import type { LoadFnOutput } from 'node:module';
import { expect, test, vi } from 'vitest';
import type { Verifier } from '../../../src/hooks/verify-entry.ts';
import { createLoad } from '../../../src/hooks/verify-load.ts';
import type { Locator } from '../../../src/resolve/locator.ts';

const IN_ENTRY = 'file:///store/v1/any/x.0/x.js';
const locator = { isInStore: (place: string) => place.startsWith('file:///store/') } as Locator;

/** Loads a file; `sound` stands for the bytes of a sound entry when the file is damaged. */
function load(
  { url = IN_ENTRY, kind = 'import', format = 'module' as string | null },
  { sound, error }: { sound?: string; error?: Error } = {},
) {
  const given: LoadFnOutput = { format: format ?? undefined, source: 'from Node' };
  const nextLoad = vi.fn(() => {
    if (error !== undefined) throw error;
    return given;
  });
  const bytes = sound === undefined ? undefined : Buffer.from(sound);
  const verifyContent = vi.fn<Verifier['verifyContent']>(() => bytes);
  const hook = createLoad(locator, { verifyContent } as unknown as Verifier);
  const context = { conditions: [kind, 'node'], format: format ?? undefined, importAttributes: {} };
  const run = () => hook(url, context, nextLoad);
  return { run, given, nextLoad, verifyContent };
}

test.each([
  ['a file outside of every store', { url: 'file:///app/x.js' }],
  ['an addon', { format: 'addon' }],
  ['required CommonJS', { kind: 'require', format: 'commonjs' }],
])('passes %s without verification', (_, request) => {
  const { run, given, verifyContent } = load(request);
  expect(run()).toBe(given);
  expect(verifyContent).not.toHaveBeenCalled();
});

test.each([
  ['an ES module', {}],
  ['required JSON', { kind: 'require', format: 'json' }],
  ['imported CommonJS', { format: 'commonjs' }],
  ['a file without a format', { format: null }],
])('returns the result of the next hook for %s that is sound', (_, request) => {
  const { run, given, verifyContent } = load(request);
  expect(run()).toBe(given);
  const kind = 'kind' in request ? request.kind : 'import';
  expect(verifyContent).toHaveBeenLastCalledWith('/store/v1/any/x.0/x.js', 'from Node', kind);
});

test.each([
  ['an ES module', 'module', 'export {}', 'module', 1],
  ['imported CommonJS', 'commonjs', 'exports.a = 1', 'commonjs', 0],
  ['an ES module without a format', null, 'export {}', 'module', 0],
  ['CommonJS without a format', null, 'exports.a = 1', 'commonjs', 0],
] as const)('loads %s that is damaged from a sound entry', (_, format, sound, loaded, calls) => {
  const { run, nextLoad } = load({ format }, { sound });
  const expected = { format: loaded, source: Buffer.from(sound), shortCircuit: true };
  expect(run()).toEqual(expected);
  expect(nextLoad).toHaveBeenCalledTimes(calls);
});

test('the error of the next hook reaches the program, unless the file is damaged', () => {
  const error = new SyntaxError('of another loader');
  expect(load({}, { error }).run).toThrow(error);
  expect(load({}, { error, sound: 'export {}' }).run()).toMatchObject({ shortCircuit: true });
});
