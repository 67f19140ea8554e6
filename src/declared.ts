/** The packages that the application declares, for tools with a resolution of their own. */
import { parseBareSpecifier } from './base/specifier.ts';
import { status } from './index.ts';

let declared: Set<string> | undefined;

/** The declared package that a specifier names; undefined for every other specifier. */
export function findDeclaredPackage(specifier: string): string | undefined {
  declared ??= new Set(status().features.flatMap(({ packages }) => Object.keys(packages)));
  const name = parseBareSpecifier(specifier)?.name;
  return name !== undefined && declared.has(name) ? name : undefined;
}
