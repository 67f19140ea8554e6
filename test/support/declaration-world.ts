/** Reads declarations without a file. */
import { readDeclaration } from '../../src/settings/declaration.ts';

/** Its path, as messages name it. */
export const path = '/app/package.json';

/** Reads an `annex` key of a core called `app`. */
export const read = (annex: unknown, manifest: object = {}) =>
  readDeclaration({
    path,
    manifest: { name: 'app', annex, ...manifest },
    workspaces: ['@app/part', 'part'],
  }).declaration;
