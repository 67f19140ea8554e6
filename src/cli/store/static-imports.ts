/** Finds the features that the static imports of a module graph need, before Node has resolved them one by one. */
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findOwner } from '../../app/core.ts';
import { createLookup } from '../../app/lookup.ts';
import { readText } from '../../base/files.ts';
import { parseBareSpecifier } from '../../base/specifier.ts';
import { createZones } from '../../resolve/zones.ts';
import type { Feature } from '../../settings/feature.ts';
import type { Settings } from '../../settings/settings.ts';
import { findStatus } from '../../status/status.ts';

/** Files of one graph that are read, and bytes of one file. */
const MAX_FILES = 1_000;
const MAX_SIZE = 2 ** 22;

/** Features that are installed at the same time as the one that is needed first. */
const MAX_FEATURES = 7;

/** A file, and the bare specifiers that it imports. */
type Graph = Map<string, string[]>;

/**
 * Finds missing features that a graph imports statically, besides the one that it needs first.
 *
 * @param file the file that imports the first one
 * @param script the entry script, whose graph counts if the file is part of it
 */
export async function findStaticFeatures(
  settings: Settings,
  file: string,
  script: string | undefined,
): Promise<Feature[]> {
  const readImports = await openLexer();
  if (readImports === undefined) return [];
  const whole = script === undefined ? undefined : walk(script, readImports);
  const graph = whole?.has(file) ? whole : walk(file, readImports);
  const findZone = createZones(settings);
  const needed = new Set<Feature>();
  for (const [path, specifiers] of graph) {
    if (!['core', 'importer'].includes(findZone(path))) continue;
    for (const specifier of specifiers) {
      const name = parseBareSpecifier(specifier)?.name ?? '';
      const feature = settings.declaration.byPackage.get(name);
      if (feature !== undefined && findOwner(name, dirname(path), []) === undefined) {
        needed.add(feature);
      }
    }
  }
  return [...needed]
    .filter((feature) => findStatus(createLookup(settings, feature)).where === 'missing')
    .slice(0, MAX_FEATURES);
}

type ReadImports = (text: string, isTypeScript: boolean) => string[];

/** @returns undefined where there is no WebAssembly: with --jitless */
async function openLexer(): Promise<ReadImports | undefined> {
  const lexer = await import('es-module-lexer').catch(() => undefined);
  await lexer?.init;
  if (lexer === undefined) return undefined;
  const { parse, ImportType } = lexer;
  return (text, isTypeScript) =>
    parse(text)[0].flatMap(({ t: type, n: specifier, s: start, ss: statement }) => {
      const head = text.slice(statement, start);
      const isErased = isTypeScript && /^(?:import|export)\s+type\s+(?!from\b)/.test(head);
      return type === ImportType.Static && specifier !== undefined && !isErased ? [specifier] : [];
    });
}

/** Follows the relative imports of a file. A file that cannot be read or parsed imports nothing. */
function walk(start: string, readImports: ReadImports): Graph {
  const graph: Graph = new Map();
  const queue = [start];
  for (const path of queue) {
    if (graph.has(path) || graph.size === MAX_FILES) continue;
    const specifiers = readSpecifiers(path, readImports);
    graph.set(path, specifiers);
    queue.push(...specifiers.flatMap((specifier) => toPath(specifier, path) ?? []));
  }
  return graph;
}

function readSpecifiers(path: string, readImports: ReadImports): string[] {
  if (!/\.m?[jt]s$/.test(path)) return [];
  try {
    return readImports(readText(path, MAX_SIZE, 'follow'), path.endsWith('ts'));
  } catch {
    return [];
  }
}

/** The path that a relative specifier or a file URL means. */
function toPath(specifier: string, from: string): string | undefined {
  if (!/^(?:\.{0,2}\/|file:)/.test(specifier)) return undefined;
  try {
    return fileURLToPath(new URL(specifier, pathToFileURL(from)));
  } catch {
    return undefined;
  }
}
