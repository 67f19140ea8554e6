/** What an example of an image consists of: its files, those of the image by their place in it, and its pages. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../../../../test/support/package.ts';

/** Texts by their path in the repository. */
export type Files = ReadonlyMap<string, string>;

/** Does a thing once for each text: a check of many small changes reads the same files again and again. */
export function remember<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text) ?? read(text);
    known.set(text, found);
    return found;
  };
}

/** Where the example is, in the repository. */
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
 * A file that has to be there.
 * @param name relative to the example
 */
export function readText(files: Files, name: string): string {
  const text = files.get(name) ?? files.get(`${EXAMPLE}/${name}`);
  if (text === undefined) throw new Error(`${name} is not there`);
  return text;
}
