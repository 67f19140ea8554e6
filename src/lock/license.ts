/** Reads the licences of packages. */
import { join } from 'node:path';
import { readPackage } from '../base/package-json.ts';
import { isObject, type JsonObject } from '../base/shape.ts';
import type { ResolvedPlan } from '../install/resolve.ts';

/**
 * The licence that a package.json names, as npm writes it into a package-lock.
 *
 * @returns an SPDX expression, or other text of the author; undefined when there is none
 * @see https://docs.npmjs.com/cli/v11/configuring-npm/package-json#license
 * @example findLicense({ licenses: [{ type: 'MIT' }, { type: 'Apache-2.0' }] }) // '(MIT OR Apache-2.0)'
 */
export function findLicense({ license, licenses }: JsonObject): string | undefined {
  // Old packages have a list, and its parts are alternatives.
  const values =
    Array.isArray(licenses) && license === undefined ? licenses : [license ?? licenses];
  const names = values.map(nameLicense).filter((name) => name !== '');
  return names.length > 1 ? `(${names.join(' OR ')})` : names[0];
}

function nameLicense(value: unknown): string {
  const name = isObject(value) ? (value.type ?? value.name) : value;
  return typeof name === 'string' ? name.trim().slice(0, MAX_NAME) : '';
}

/** Characters of a licence: some authors write a text. */
const MAX_NAME = 200;

/**
 * Adds the licence of each package to a resolution: what registries list differs with what npm asks for.
 *
 * @param dir of the unpacked packages, by their paths
 */
export function addLicenses(resolved: ResolvedPlan, dir: string): ResolvedPlan {
  const packages = { ...resolved.packages };
  for (const path of resolved.plan.nodes.keys()) {
    const found = readPackage(join(dir, path));
    if (found === undefined) continue;
    const { license: _, ...locked } = (packages[path] ?? {}) as JsonObject;
    const license = findLicense(found);
    packages[path] = license === undefined ? locked : { ...locked, license };
  }
  return { ...resolved, packages };
}
