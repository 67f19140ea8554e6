/** Changes an SBOM of npm: removes references to unpublished projects, and makes it reproducible. */
import { digest } from '../base/digest.ts';
import { isObject, type JsonObject } from '../base/shape.ts';

/**
 * Removes the purls, and in SPDX other references, of projects that no registry has: anybody could publish a
 * package of that name. Replaces the time, and the identifier of the document by one of its content: the same
 * packages give the same bytes.
 *
 * @param text CycloneDX or SPDX, as JSON
 * @param projects as `NAME@VERSION`
 * @param date in ISO format
 * @returns the text; unchanged when it is not a JSON object
 * @see https://github.com/npm/cli/tree/v11.6.2/lib/utils/sbom-cyclonedx.js
 */
export function rewriteSbom(text: string, projects: ReadonlySet<string>, date: string): string {
  const document = parseDocument(text);
  if (document === undefined) return text;
  const { components, metadata, packages, creationInfo } = document;
  for (const component of [
    ...listOf(components),
    (metadata as JsonObject | undefined)?.component,
  ]) {
    if (isAny(component, 'version', projects)) delete component.purl;
  }
  for (const one of listOf(packages)) {
    if (isAny(one, 'versionInfo', projects)) one.externalRefs = [];
  }
  if (isObject(metadata)) metadata.timestamp = date;
  if (isObject(creationInfo)) creationInfo.created = date;
  for (const key of ['serialNumber', 'documentNamespace']) {
    const before = document[key];
    if (typeof before !== 'string') continue;
    document[key] = before.replace(UUID, '');
    document[key] += toUuid(digest(JSON.stringify(document)));
  }
  return JSON.stringify(document, undefined, 2);
}

/** The random end of an identifier. */
const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/**
 * A UUID of version 8 from 32 or more hex digits.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
 */
const toUuid = (hex: string): string =>
  [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');

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
