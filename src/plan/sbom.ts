/** Takes the purls of projects that no registry has out of an SBOM: anybody could publish a package of that name. */

type Json = Record<string, unknown>;

/**
 * An SBOM of npm's without the purls, and in SPDX without other references, of some packages.
 *
 * @param text CycloneDX or SPDX, as JSON
 * @param projects as `NAME@VERSION`
 * @returns the text with npm's own indentation; as it is when it is no such document
 * @see https://github.com/npm/cli/tree/v11.6.2/lib/utils/sbom-cyclonedx.js
 */
export function withoutPurls(text: string, projects: ReadonlySet<string>): string {
  const document = parse(text);
  if (document === undefined) return text;
  const { components, metadata, packages } = document;
  for (const component of [...listOf(components), (metadata as Json | undefined)?.component]) {
    if (isAny(component, 'version', projects)) delete component.purl;
  }
  for (const one of listOf(packages)) {
    if (isAny(one, 'versionInfo', projects)) one.externalRefs = [];
  }
  return JSON.stringify(document, undefined, 2);
}

function isAny(
  value: unknown,
  version: 'version' | 'versionInfo',
  projects: ReadonlySet<string>,
): value is Json {
  const { group, name, [version]: at } = (value ?? {}) as Json;
  const whole = typeof group === 'string' && group !== '' ? `${group}/${String(name)}` : name;
  return projects.has(`${String(whole)}@${String(at)}`);
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function parse(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}
