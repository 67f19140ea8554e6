/** Lists the source files of an application: its own, without tests, build output and configuration of tools. */
import { basename, dirname, join, relative, sep } from 'node:path';
import { execa } from 'execa';
import { findCorePackage } from '../../app/core.ts';
import { hasDeclaration } from '../../app/core-root.ts';
import { listDirectory, pathExists } from '../../base/files.ts';
import { readPackage } from '../../base/package-json.ts';
import { toRealPath } from '../../base/paths.ts';
import { isObject } from '../../base/shape.ts';
import { isWithin } from '../../base/store-layout.ts';

/** Source files of one application. */
const MAX_FILES = 20_000;

/** Directories of packages, build output and tests. */
const OTHER_DIRECTORIES = new Set([
  ...['node_modules', 'bower_components', 'build', 'coverage', 'dist', 'out'],
  ...['__mocks__', '__tests__', 'e2e', 'spec', 'test', 'tests'],
]);

const SOURCE = /\.[cm]?[jt]sx?$/;

/** Types, tests, and configuration of tools: `api.d.ts`, `api.test.js`, `vitest.config.ts`. */
const OTHER_FILE = /\.(?:d|test|spec|config)\.[cm]?[jt]sx?$/;

/** Source files, absolute, in order. */
export interface Sources {
  files: string[];
  /** Whether there are more. */
  isCut: boolean;
}

/**
 * Lists the source files of an application and of the workspaces that it depends on. Links inside of them are not
 * followed. What Git ignores is no source.
 *
 * @param root real path of the application
 * @example await listSources('/opt/app') // { files: ['/opt/app/main.mjs'], isCut: false }
 */
export async function listSources(
  root: string,
  manifest: Record<string, unknown>,
): Promise<Sources> {
  const found = new Set<string>();
  for (const tree of [root, ...listLinked(root, manifest)]) {
    const ignored = await listIgnored(tree);
    const visit = (dir: string): void => {
      const isPackage = pathExists(join(dir, 'package.json'));
      for (const entry of listDirectory(dir, () => true).sort(byName)) {
        const path = join(dir, entry.name);
        const isFile = entry.isFile() && isSource(entry.name);
        const isOpen = entry.isDirectory() && !(isPackage && entry.name === 'annex');
        if (found.size > MAX_FILES || ignored.has(path)) continue;
        if (isFile) found.add(path);
        else if (isOpen && !isOther(entry.name) && !isApplication(path)) visit(path);
      }
    };
    visit(tree);
  }
  const files = [...found];
  return { files: files.slice(0, MAX_FILES), isCut: files.length > MAX_FILES };
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

const isOther = (name: string): boolean => name.startsWith('.') || OTHER_DIRECTORIES.has(name);

/** Whether a directory has an `annex` key of its own. */
const isApplication = (dir: string): boolean => hasDeclaration(readPackage(dir)?.annex);

/**
 * Whether a file is a source by its name.
 *
 * @example isSource('main.mts') // true
 */
const isSource = (name: string): boolean =>
  SOURCE.test(name) && !name.startsWith('.') && !OTHER_FILE.test(name);

/** Real directories of dependencies that are linked from outside of any node_modules: workspaces, `file:`. */
function listLinked(root: string, { dependencies }: Record<string, unknown>): string[] {
  const names = isObject(dependencies) ? Object.keys(dependencies) : [];
  return names
    .filter((name) => name !== 'annex')
    .flatMap((name) => findCorePackage(name, root)?.dir ?? [])
    .map(toRealPath)
    .filter((dir) => !isWithin(dir, root) && !dir.split(sep).includes('node_modules'));
}

/** Paths that Git ignores below a directory; none outside of a repository, or without Git. */
async function listIgnored(dir: string): Promise<Set<string>> {
  const flags = ['--others', '--ignored', '--exclude-standard', '--directory', '-z'];
  const { stdout = '' } = await execa('git', ['-c', 'core.fsmonitor=false', 'ls-files', ...flags], {
    cwd: dir,
    reject: false,
    timeout: 30_000,
  });
  const paths = stdout.split('\0').filter((path) => path !== '');
  return new Set(paths.map((path) => join(dir, path.replace(/\/$/, ''))));
}

/**
 * The path of a source as it is printed.
 *
 * @example showPath('/opt/app/src/a.js', '/opt/app') // 'src/a.js'
 */
export const showPath = (path: string, root: string): string =>
  relative(root, path) || basename(dirname(path));
