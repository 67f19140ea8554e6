/** Compares the requests in the sources of an application with what it declares and ships. */
import { isBuiltin } from 'node:module';
import { dirname, extname } from 'node:path';
import { listWorkspaces } from '../../app/core.ts';
import { isShipped } from '../../app/inventory.ts';
import { readText } from '../../base/files.ts';
import { readPackage } from '../../base/package-json.ts';
import { listAncestors, toRealPath } from '../../base/paths.ts';
import type { JsonObject } from '../../base/shape.ts';
import { codeOf } from '../../base/thrown.ts';
import type { Declaration } from '../../settings/declaration.ts';
import { refuse } from '../shared/command.ts';
import { readFeatures } from '../shared/declaration.ts';
import type { ManifestFile } from '../shared/edit-manifest.ts';
import { listSources, showPath } from './files.ts';
import {
  createMentionPattern,
  findListing,
  findRequestedName,
  isShippedAs,
  type RequestedPackage,
  type RequestPlace,
} from './packages.ts';
import { openReader, type SourceRequest } from './source.ts';

/** Bytes of a source. */
const MAX_SIZE = 2 ** 22;

/** What a scan finds. */
export interface Scan {
  /** Number of sources that were read. */
  files: number;
  /** In the order of their names. */
  packages: RequestedPackage[];
  /** Declared features that no source names. */
  unused: string[];
  /** Requests whose specifier the program computes. */
  computed: RequestPlace[];
  /** Sources that were not read, with a clause each. */
  unread: { file: string; problem: string }[];
}

/** The requests of one package. */
interface Requests {
  places: RequestPlace[];
  /** The package.json files of the sources, the nearest first. */
  manifests: Set<JsonObject>;
}

/**
 * Scans the sources of an application, and of the workspaces that it depends on.
 *
 * @param file the package.json of the application
 * @throws AnnexError with --jitless
 */
export async function scanApplication(file: ManifestFile): Promise<Scan> {
  const readRequests = await openReader();
  if (readRequests === undefined) {
    throw refuse('there is no WebAssembly, which reads sources', 'run it without --jitless');
  }
  const root = toRealPath(file.root);
  const declaration = readFeatures(file, file.manifest);
  const scan: Scan = { files: 0, packages: [], unused: [], computed: [], unread: [] };
  const found = new Map<string, Requests>();
  const workspaces = listWorkspaces({ dir: root, manifest: file.manifest });
  const findManifests = createManifestFinder(file.manifest);
  const mentions = createMentions(declaration);

  const add = (place: RequestPlace, specifier: string, manifests: JsonObject[]): void => {
    const name = isBuiltin(specifier) ? specifier : findRequestedName(specifier);
    const isOwn = (one: unknown): boolean => one === name;
    if (name === undefined || workspaces.some(isOwn)) return;
    if (manifests.some((manifest) => isOwn(manifest.name))) return;
    const requests = found.get(name) ?? { places: [], manifests: new Set() };
    requests.places.push(place);
    for (const manifest of manifests) requests.manifests.add(manifest);
    found.set(name, requests);
  };
  const { files, isCut } = await listSources(root, file.manifest);
  for (const path of files) {
    const shown = showPath(path, root);
    let requests: SourceRequest[];
    try {
      const text = readText(path, MAX_SIZE);
      mentions.read(text);
      requests = readRequests(text, extname(path));
    } catch (error) {
      scan.unread.push({ file: shown, problem: describeProblem(error) });
      continue;
    }
    scan.files += 1;
    for (const { kind, specifier, line } of requests) {
      const place = { file: shown, line, kind };
      if (specifier === undefined) scan.computed.push(place);
      else add(place, specifier, findManifests(dirname(path)));
    }
  }
  if (isCut)
    scan.unread.push({ file: '.', problem: `there are more than ${files.length} sources` });

  const core = { root: file.root, realRoot: root };
  for (const name of [...found.keys()].sort()) {
    const { places, manifests } = found.get(name) as Requests;
    const listing = isBuiltin(name)
      ? { listedIn: 'builtin' as const }
      : findListing(name, [...manifests]);
    const isThere = isShippedAs(listing.listedIn) || isShipped(core, name);
    const state = declaration.byPackage.has(name) ? 'declared' : isThere ? 'shipped' : 'undeclared';
    scan.packages.push({ package: name, ...listing, state, requests: places });
  }
  scan.unused = mentions.listUnnamed();
  return scan;
}

/** Notes which features the sources name. */
function createMentions({ features }: Declaration) {
  const all = [...features.values()].map(({ name, packages }) => ({
    name,
    names: [name, ...Object.keys(packages)],
  }));
  const pattern = createMentionPattern(all.flatMap(({ names }) => names));
  const named = new Set<string>();
  return {
    read: (text: string): void => {
      for (const [, , name = ''] of all.length === 0 ? [] : text.matchAll(pattern)) named.add(name);
    },
    listUnnamed: (): string[] =>
      all.filter(({ names }) => !names.some((one) => named.has(one))).map(({ name }) => name),
  };
}

/** Finds the package.json files above a directory outside of node_modules, and that of the application, last. */
function createManifestFinder(core: JsonObject): (dir: string) => JsonObject[] {
  const known = new Map<string, JsonObject | undefined>();
  const read = (dir: string): JsonObject | undefined => {
    if (!known.has(dir)) known.set(dir, readPackage(dir));
    return known.get(dir);
  };
  return (dir) => [
    ...listAncestors(dir)
      .map(read)
      .filter((manifest) => manifest !== undefined),
    core,
  ];
}

function describeProblem(error: unknown): string {
  const code = codeOf(error);
  if (code === 'EFBIG') return `it has more than ${MAX_SIZE} bytes`;
  return code === undefined ? 'it does not parse' : `it cannot be read: ${code}`;
}
