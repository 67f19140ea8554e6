/** Verifies the files of entries as Node loads them: the bytes that were checked are those that run. */
import type { LoadHookContext, LoadHookSync } from 'node:module';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { toRealPath } from '../core.ts';
import { AnnexError, codeOf, explain, refuseDamage } from '../errors.ts';
import { startsWith } from '../primordials.ts';
import { findInstallRefusal } from '../refusals.ts';
import { parseEntryName, relativeTo, versionRoot } from '../store/layout.ts';
import { readListed } from '../store/listed.ts';
import type { Feature, Refusal } from '../types.ts';
import type { Locator } from './locator.ts';
import { createMissing, createNotFound } from './not-found.ts';
import type { Surroundings } from './resolve.ts';
import { toFile, type Verifier } from './sync.ts';

/** What stands in for a damaged entry in this thread: the directory of a sound one, or why there is none. */
type Substitute = { dir: string } | { refusal: Refusal };

/**
 * Makes the load hook, and what keeps paths of an entry inside it. A file that is not what was
 * installed is read from a sound generation of the entry, under its own URL, so that no module is
 * there twice; such a generation is installed first when there is none. Failing that, the file counts
 * as not found.
 *
 * What the default step returns is not the file (for require a lossy string, after another loader
 * its text), so the file is read here, and that is what runs. A URL with a query is somebody else's
 * to make the source of.
 *
 * @see https://nodejs.org/docs/latest-v24.x/api/module.html#synchronous-version-of-loadurl-context-nextload
 */
export function createVerifier(
  locator: Locator,
  install: Surroundings<never>['install'],
): Verifier {
  const { finder, settings, failures, askers } = locator.thread;
  const prefixes = locator.roots.map((root) => `${pathToFileURL(versionRoot(root)).href}/`);
  const substitutes = new Map<string, Substitute>();
  const realPaths = new Map<string, string>();

  /** Runs with every module of the program: see `Locator.concerns`. */
  const findPrefix = (url: string): string | undefined => {
    for (let at = 0; at < prefixes.length; at++) {
      const prefix = prefixes[at] as string;
      if (startsWith(url, prefix)) return prefix;
    }
    return undefined;
  };
  const findSubstitute = (entry: string, damage: string): Substitute => {
    finder.damages.set(entry, damage);
    const feature = findFeature(entry);
    if (feature === undefined) return { refusal: UNDECLARED };
    const present = finder.find(feature).entry;
    if (present !== undefined) return present;
    const refusal =
      findInstallRefusal(settings, feature, failures.get(feature.name)) ??
      install(feature, askers.get(feature.name)?.parent);
    const found = refusal === undefined ? finder.find(feature) : undefined;
    if (found?.entry !== undefined) return found.entry;
    return { refusal: refusal ?? refuseRejected(found?.rejected ?? [], feature) };
  };
  const findFeature = (entry: string): Feature | undefined => {
    const slug = parseEntryName(basename(entry))?.slug;
    return [...settings.declaration.features.values()].find((each) => each.slug === slug);
  };
  /** @throws Node's not-found error, with the cause */
  const readSound = (file: string): Buffer | undefined => {
    const found = locator.findEntryOf(file);
    if (found === undefined) return undefined;
    const path = file.slice(found.length + 1);
    const entry = realPaths.get(found) ?? toRealPath(found);
    realPaths.set(found, entry);
    const expected = finder.expect(entry);
    const wanted = typeof expected === 'string' ? undefined : expected.files.get(path);
    const bytes = readSame(file, wanted);
    if (bytes !== undefined) return bytes;
    const damage =
      typeof expected === 'string'
        ? expected
        : `${path} ${wanted === undefined ? 'was not installed' : 'is not what was installed'}`;
    const substitute = substitutes.get(entry) ?? findSubstitute(entry, damage);
    substitutes.set(entry, substitute);
    const sound = 'dir' in substitute ? readSame(`${substitute.dir}/${path}`, wanted) : undefined;
    if (sound !== undefined) return sound;
    const refusal = refuseDamage(
      { dir: found, damage },
      'refusal' in substitute ? substitute.refusal : refuseOther(substitute.dir),
    );
    const feature = findFeature(entry)?.name ?? basename(entry);
    const { parent, kind } = askers.get(feature) ?? {};
    const askedBy = parent && relativeTo(settings.core.root, parent);
    throw explain(createMissing(file, kind), new AnnexError(refusal, { feature, askedBy }));
  };

  const load: LoadHookSync = (url, context, nextLoad) => {
    if (findPrefix(url) === undefined) return nextLoad(url, context);
    const file = toFile(url);
    const source = file && readSound(file);
    if (source === undefined || /[?#]/.test(url)) return nextLoad(url, context);
    // The default step looks at import attributes as well, and at the syntax of what has no format.
    const format = isPlainScript(context) ? context.format : nextLoad(url, context).format;
    return { format, source, shortCircuit: true };
  };
  const contain: Verifier['contain'] = (specifier, parentURL, url) => {
    const prefix = parentURL && findPrefix(parentURL);
    if (!prefix || specifier[0] !== '.') return;
    const [abi, name] = parentURL.slice(prefix.length).split('/', 2);
    const entry = `${prefix}${abi}/${name}/`;
    if (url.startsWith(entry) || !new URL(specifier, parentURL).href.startsWith(entry)) return;
    const parent = toFile(parentURL);
    throw createNotFound({ specifier, kind: 'import', parent });
  };
  return { load, contain };
}

/** Whether nothing but the source is to be found out. A required module has no attributes at all. */
const isPlainScript = ({ format, importAttributes }: Partial<LoadHookContext>): boolean =>
  (format === 'module' || format === 'commonjs') &&
  Object.keys(importAttributes ?? {}).length === 0;

/** The bytes of a file, if they are the expected ones. */
function readSame(file: string, wanted: string | undefined): Buffer | undefined {
  if (wanted === undefined) return undefined;
  try {
    return readListed(file, wanted);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EIO'].includes(`${codeOf(error)}`)) return undefined;
    throw error;
  }
}

const UNDECLARED: Refusal = {
  code: 'ANNEX_INTEGRITY',
  reason: 'no feature of that name is declared',
  hint: 'whoever runs this can remove that directory',
};

const refuseRejected = (rejected: string[], { name }: Feature): Refusal => ({
  code: 'ANNEX_INTEGRITY',
  reason: rejected.join('; ') || 'there is no other entry',
  hint: `annex verify ${name}`,
});

const refuseOther = (dir: string): Refusal => ({
  code: 'ANNEX_INTEGRITY',
  reason: `${dir}, which is whole, does not hold that file`,
  hint: 'start the process again',
});
