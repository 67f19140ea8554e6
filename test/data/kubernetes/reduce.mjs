/**
 * Prints a JSON schema of some kinds, made from the models of the npm package `@kubernetes/client-node`: names and types
 * of all fields, without descriptions. Unknown fields are errors.
 * @example node reduce.mjs node_modules/@kubernetes/client-node V1Deployment > 1.36.json
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [directory, ...kinds] = process.argv.slice(2);
const read = (file) => readFileSync(join(directory, 'dist/gen/models', file), 'utf8');
const definitions = {};

const SIMPLE = {
  any: {},
  boolean: { type: 'boolean' },
  Date: { type: 'string' },
  IntOrString: { type: ['integer', 'string'] },
  string: { type: 'string' },
  V1MicroTime: { type: 'string' },
};

function convert(type, format) {
  const [, item] = /^Array<(.*)>$/.exec(type) ?? [];
  if (item) return { type: 'array', items: convert(item) };
  const [, value] = /^\{ \[key: string\]: (.*?);? \}$/.exec(type) ?? [];
  if (value) return { type: 'object', additionalProperties: convert(value) };
  if (type === 'number') return { type: /^int/.test(format) ? 'integer' : 'number' };
  if (type in SIMPLE) return SIMPLE[type];
  add(type);
  return { $ref: `#/definitions/${type}` };
}

function add(model) {
  if (model in definitions) return;
  const schema = { type: 'object', additionalProperties: false };
  definitions[model] = schema;
  const fields = JSON.parse(/attributeTypeMap = (\[[\s\S]*?\]);/.exec(read(`${model}.js`))[1]);
  const declaration = read(`${model}.d.ts`);
  const required = fields.filter(({ name }) => declaration.includes(`\n    '${name}': `));
  if (required.length > 0) schema.required = required.map(({ baseName }) => baseName);
  schema.properties = Object.fromEntries(
    fields.map(({ baseName, type, format }) => [baseName, convert(type, format)]),
  );
}

for (const kind of kinds) add(kind);
const sorted = Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1));
// One line for each model.
const lines = sorted.map(([model, schema]) => `"${model}":${JSON.stringify(schema)}`);
console.log(`{"definitions":{\n${lines.join(',\n')}\n}}`);
