/** Validates Compose files and Kubernetes manifests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { parseAllDocuments } from 'yaml';
import { repositoryRoot } from '../../../../test/support/package.ts';

/** The oldest and the newest version of Kubernetes that manifests are for. */
const VERSIONS = ['1.33', '1.36'];

/** Kinds that the schemas have. */
const KINDS = ['apps/v1 Deployment', 'v1 PersistentVolumeClaim', 'v1 Service'];

const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
// ajv knows the draft of the Compose specification by another URL, and uses it by default.
for (const name of [
  'compose/compose-spec',
  ...VERSIONS.map((version) => `kubernetes/${version}`),
]) {
  const path = join(repositoryRoot, 'test/data', `${name}.json`);
  const { $schema, $id, ...schema } = JSON.parse(readFileSync(path, 'utf8'));
  ajv.addSchema(schema, name);
}

/** Validates with a schema, or with a part of it; each is compiled once. */
function validate(schema: string, value: unknown, where = ''): string[] {
  const check = ajv.getSchema(schema);
  check?.(value);
  return list(check?.errors, where);
}

/** A line for each error. */
const list = (errors: ErrorObject[] | null | undefined, where: string): string[] =>
  (errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${where}${instancePath} ${message} ${JSON.stringify(params)}`,
  );

/**
 * Parses all documents of a YAML file.
 * @throws on the first error, including a duplicate key
 */
export function parseYaml(text: string): unknown[] {
  return parseAllDocuments(text, { uniqueKeys: true }).map((document) => {
    const [mistake] = document.errors;
    if (mistake !== undefined) throw mistake;
    return document.toJS();
  });
}

/**
 * Validates a parsed Compose file with the schema of the Compose specification.
 * @returns a line for each error
 */
export const checkCompose = (file: unknown): string[] => validate('compose/compose-spec', file);

/**
 * Validates parsed manifests with the fields that Kubernetes has, in each of the versions: keys that are unknown, missing or
 * of the wrong type are errors.
 * @param objects with `apiVersion` and `kind`
 * @returns a line for each error
 */
export const checkKubernetes = (objects: unknown[]): string[] =>
  VERSIONS.flatMap((version) =>
    (objects as { apiVersion: string; kind: string }[]).flatMap((object) => {
      const name = `${object.apiVersion} ${object.kind}`;
      if (!KINDS.includes(name)) return [`${version}: no schema of ${name}`];
      const schema = `kubernetes/${version}#/definitions/V1${object.kind}`;
      return validate(schema, object, `${version}: ${name}: `);
    }),
  );
