/** Removes references to unpublished projects from an SBOM of npm. */

import { isObject, type JsonObject } from '../base/shape.ts';

/**
 * Removes the purls, and in SPDX other references, of projects that no registry has: anybody could publish a
 * package of that name.
 *
 * @param text CycloneDX or SPDX, as JSON
 * @param projects as `NAME@VERSION`
 * @returns the text; unchanged when it is not a JSON object
 * @see https://github.com/npm/cli/tree/v11.6.2/lib/utils/sbom-cyclonedx.js
 */
export function removePurls(text: string, projects: ReadonlySet<string>): string {
  const document = parseDocument(text);
  if (document === undefined) return text;
  const { components, metadata, packages } = document;
  for (const component of [
    ...listOf(components),
    (metadata as JsonObject | undefined)?.component,
  ]) {
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
): value is JsonObject {
  const { group, name, [version]: at } = (value ?? {}) as JsonObject;
  const whole = typeof group === 'string' && group !== '' ? `${group}/${String(name)}` : name;
  return projects.has(`${String(whole)}@${String(at)}`);
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function parseDocument(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
