/** Resolves a request with Node alone, in a separate process. */
import { statSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { execaSync } from 'execa';
import type { Outcome, Question, Request } from '../../resolve/request.ts';

const SCRIPT = `
import { createRequire } from 'node:module';
const [specifier, parent, kind] = process.argv.slice(1);
const resolve = () =>
  kind === 'require' ? createRequire(parent).resolve(specifier) : import.meta.resolve(specifier, parent);
let answer;
try {
  answer = { result: resolve() };
} catch ({ code, message }) {
  answer = { error: { code, message } };
}
process.stdout.write(JSON.stringify(answer));`;

const FLAGS = ['--no-warnings', '--experimental-import-meta-resolve', '--input-type=module'];

type Answer = { result: string } | { error: { code: string; message: string } };

/**
 * Resolves a request as Node does without annex.
 *
 * @param options NODE_OPTIONS without preloads, for their conditions
 * @returns a URL, the name of a builtin, or the error
 */
export function askNode(
  { specifier, kind, parent }: Request,
  { from }: Question,
  options = '',
): Outcome<string> {
  const url = pathToFileURL(from ?? parent ?? '').href;
  const args = [...FLAGS, '--eval', SCRIPT, '--', specifier, url, kind];
  const { stdout } = execaSync(process.execPath, args, { env: { NODE_OPTIONS: options } });
  const answer = JSON.parse(stdout) as Answer;
  if ('error' in answer) return fail(answer.error.message, answer.error.code);
  const { result } = answer;
  if (kind === 'require') {
    return { result: result.startsWith('/') ? pathToFileURL(result).href : result };
  }
  return findImportFault(result) ?? answer;
}

/** The error of `import` for a missing file or a directory, which import.meta.resolve does not report. */
function findImportFault(url: string): { error: Error } | undefined {
  if (!url.startsWith('file:')) return undefined;
  const file = fileURLToPath(url);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return fail(`Cannot find module '${file}'`, 'ERR_MODULE_NOT_FOUND');
  if (stat.isDirectory()) {
    return fail(`Directory import '${file}' is not supported`, 'ERR_UNSUPPORTED_DIR_IMPORT');
  }
  return undefined;
}

const fail = (message: string, code: string): { error: Error } => ({
  error: Object.assign(new Error(message), { code }),
});
