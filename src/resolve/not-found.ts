/** Creates Node's own not-found errors. */
import { parseBareSpecifier } from '../base/specifier.ts';
import { stackOf } from '../base/thrown.ts';
import type { Requester } from './thread.ts';

/** Node's not-found error for a request whose answer must not be used. */
export function createNotFound({
  specifier,
  kind,
  parent,
}: Requester & { specifier: string }): Error {
  const from = parent ?? 'the command line';
  if (kind === 'import') {
    const name = parseBareSpecifier(specifier)?.name;
    const what = name === undefined ? `module '${specifier}'` : `package '${name}'`;
    const error = new Error(`Cannot find ${what} imported from ${from}`);
    const code = 'ERR_MODULE_NOT_FOUND';
    // Node prints the code of its own errors.
    const stack = stackOf(error)?.replace('Error:', `Error [${code}]:`);
    return Object.assign(error, { code }, stack === undefined ? {} : { stack });
  }
  const error = new Error(`Cannot find module '${specifier}'\nRequire stack:\n- ${from}`);
  return Object.assign(error, { code: 'MODULE_NOT_FOUND', requireStack: [from] });
}

/** Node's not-found error for a file that must not be loaded. */
export const createMissing = (file: string, kind: Requester['kind']): Error =>
  Object.assign(new Error(`Cannot find module '${file}'`), {
    code: kind === 'require' ? 'MODULE_NOT_FOUND' : 'ERR_MODULE_NOT_FOUND',
  });
