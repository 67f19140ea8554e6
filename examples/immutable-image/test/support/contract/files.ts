/** Files of the example and its page. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../../../../test/support/package.ts';

/** Texts by their path in the repository. */
export type Files = ReadonlyMap<string, string>;

/** Memoizes a function of a text: a test of many small changes parses the same files again and again. */
export function remember<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text) ?? read(text);
    known.set(text, found);
    return found;
  };
}

/** Path of the example in the repository. */
export const EXAMPLE = 'examples/immutable-image';
/** The page about images. */
export const PAGE = 'docs/images.md';
/** Tests, generated files, and files that list other packages. */
const EXCLUDED = /(^|\/)(node_modules|test|annex|package-lock\.json|[^/]*\.tgz)(\/|$)/;

/** The example's own files and its page. */
export function readFiles(): Files {
  const names = readdirSync(join(repositoryRoot, EXAMPLE), { recursive: true, encoding: 'utf8' });
  const own = names.filter((name) => name.startsWith('rootfs/') || !EXCLUDED.test(name)).sort();
  const paths = [...own.map((name) => `${EXAMPLE}/${name}`), PAGE];
  const files = paths.filter((path) => statSync(join(repositoryRoot, path)).isFile());
  return new Map(files.map((path) => [path, readFileSync(join(repositoryRoot, path), 'utf8')]));
}

/**
 * Finds a file that must exist.
 * @param name relative to the example
 */
export function readText(files: Files, name: string): string {
  const text = files.get(name) ?? files.get(`${EXAMPLE}/${name}`);
  if (text === undefined) throw new Error(`${name} does not exist`);
  return text;
}
