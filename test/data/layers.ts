/** The layers of src/, and which files of it are pure. */

/** Folders, and files directly in src/, lowest first: each imports only from earlier layers. */
export const LAYERS = [
  ['types.ts'],
  ['base'],
  ['settings'],
  ['plan'],
  ['registry'],
  ['app'],
  ['store'],
  ['status', 'tarball', 'report'],
  ['resolve', 'install'],
  ['hooks', 'lock'],
  ['gate'],
  ['cli/shared', 'index.ts', 'loader.ts', 'register.ts'],
  ['cli/table'],
  ['cli/doctor', 'cli/inspect', 'cli/scan', 'cli/setup', 'cli/store', 'cli/why'],
  ['cli/declare'],
  ['cli'],
  ['declared.ts', 'jest.ts', 'vite.ts'],
];

/** Pure files outside of plan/ and report/, where all files are pure. */
const PURE = new Set([
  'types.ts',
  'base/error.ts',
  'base/file-error.ts',
  'base/layout.ts',
  'base/load-hooks.ts',
  'base/messages.ts',
  'base/platform.ts',
  'base/object-prototype.ts',
  'base/primordials.ts',
  'base/shape.ts',
  'base/specifier.ts',
  'base/store-layout.ts',
  'base/thrown.ts',
  'cli/table/common-rows.ts',
  'cli/table/parse.ts',
  'cli/scan/packages.ts',
  'registry/failure.ts',
  'registry/npm-failure.ts',
  'registry/registries.ts',
  'registry/sign-in.ts',
  'registry/tarball-url.ts',
  'resolve/decide.ts',
  'settings/blocked.ts',
  'settings/declaration.ts',
  'settings/feature.ts',
  'settings/gate.ts',
  'settings/installer-env.ts',
  'settings/parse.ts',
  'settings/sources.ts',
  'settings/suggest.ts',
  'settings/table.ts',
  'store/additions.ts',
  'store/listing.ts',
  'store/ownership.ts',
  'tarball/tar.ts',
]);

/** Whether a file of src/ uses no file, process, thread or clock. */
export const isPure = (path: string): boolean => /^(?:plan|report)\//.test(path) || PURE.has(path);
