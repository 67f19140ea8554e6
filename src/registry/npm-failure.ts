/** Composes refusals from npm's own report of a failure. */
import { stripVTControlCharacters } from 'node:util';
import { redact } from '../base/messages.ts';
import type { ErrorCode, Refusal } from '../types.ts';
import { CERTIFICATE, findConnectionHint, refuseConnection } from './failure.ts';
import { REGISTRY_HINTS } from './hints.ts';

/** The result of an npm process, as far as it explains a failure. */
export interface NpmEnd {
  stdout?: string;
  stderr?: string;
  exitCode?: number | undefined;
  signal?: string | undefined;
  /** Code of an error that prevented npm from running: ENOENT. */
  code?: string | undefined;
}

/** Codes of Node for a request without an answer. */
const CONNECTION_CODES =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|EPIPE|ERR_SOCKET_TIMEOUT)\b/;
const OFFLINE_CODES = /\b(FETCH_ERROR|ENOTCACHED|E5\d\d|E429)\b/;
const SIGN_IN_CODES = /\b(E401|E403|ENEEDAUTH|EAUTH\w*)\b/;
const UNKNOWN_CODES = /\b(E404|ETARGET|ENOVERSIONS|EINVALIDTAGNAME)\b/;

/**
 * Distinguishes npm's failures by their codes.
 *
 * @see https://docs.npmjs.com/cli/v11/using-npm/logging
 */
export function describeNpmFailure(end: NpmEnd): Refusal {
  if (end.code === 'ENOENT') {
    return {
      code: 'ANNEX_INSTALL_FAILED',
      reason: 'npm is not on the PATH',
      hint: 'put npm on the PATH, or fill a layer of ANNEX_STORE where npm is',
    };
  }
  if (end.code !== undefined && end.exitCode === undefined) {
    return {
      code: 'ANNEX_INSTALL_FAILED',
      reason: `npm cannot be run: ${end.code}`,
      hint: 'put an npm on the PATH that the user of this process can run',
    };
  }
  const { code: npmCode, summary } = readReport(end);
  const text = `${npmCode} ${summary}`;
  const reason = `npm: ${[npmCode, summary].filter(Boolean).join(' ')}`;
  const make = (code: ErrorCode, hint: string): Refusal => ({ code, reason, hint });
  if (/\b(ENOSPC|EDQUOT)\b/.test(text)) {
    return make('ANNEX_NO_SPACE', 'free space on the volume of the store');
  }
  if (/\bEINTEGRITY\b/.test(text)) {
    return make('ANNEX_INTEGRITY', REGISTRY_HINTS.integrity);
  }
  if (/\b(EBADPLATFORM|EBADENGINE)\b/.test(text)) {
    return make('ANNEX_UNSUPPORTED_PLATFORM', 'use a version of the package that runs here');
  }
  if (/\bgit error\b|\bspawn git\b/.test(text)) {
    return {
      code: 'ANNEX_INSTALL_FAILED',
      reason: `a dependency comes from a git repository, which npm could not read (${reason})`,
      hint: 'use versions whose dependencies are all published in a registry',
    };
  }
  if (/\bERESOLVE\b/.test(text)) {
    return make('ANNEX_CONFLICT', 'declare ranges whose peer dependencies agree');
  }
  if (SIGN_IN_CODES.test(text)) {
    return make('ANNEX_INSTALL_FAILED', REGISTRY_HINTS.signIn);
  }
  if (/\bETARGET\b.* with a date before |\bENOVERSIONS\b/.test(text)) {
    // npm reports this also when no later version would fit.
    return make(
      'ANNEX_INSTALL_FAILED',
      'correct the range in annex.features; where only later versions fit it, wait, or accept them: ' +
        'npx annex lock --min-age 0, or min-release-age=0 in the .npmrc of the application',
    );
  }
  if (UNKNOWN_CODES.test(text)) {
    return make('ANNEX_INSTALL_FAILED', 'correct the name or the range');
  }
  const host = readHost(summary);
  const [connection] = CERTIFICATE.exec(text) ?? CONNECTION_CODES.exec(text) ?? [];
  // In the words of annex's own requests.
  if (connection !== undefined && host !== undefined) {
    return refuseConnection({ label: '', host }, connection);
  }
  if (connection !== undefined || OFFLINE_CODES.test(text)) {
    const refusal = make('ANNEX_OFFLINE', findOfflineHint(text));
    return host === undefined ? refusal : { ...refusal, host };
  }
  if (/\b(EROFS|EACCES|EPERM)\b/.test(text)) {
    return make(
      'ANNEX_STORE_UNUSABLE',
      'make the store a directory that the user of this process can write',
    );
  }
  return make('ANNEX_INSTALL_FAILED', 'read the message of npm');
}

/**
 * The output of a failed install script; undefined for any other failure.
 *
 * @param end of a run with --json
 * @see https://github.com/npm/cli/blob/v11.6.2/lib/utils/error-message.js#L430
 */
export function readScriptOutput({ stdout }: NpmEnd): string | undefined {
  try {
    const { error } = JSON.parse(stdout ?? '') as { error: { summary?: string; detail?: string } };
    return error.summary === 'command failed' ? error.detail : undefined;
  } catch {
    return undefined;
  }
}

/** Lines without a cause: of npm itself, of a stack, and the last ones of every run of node-gyp. */
const NO_CAUSE =
  /^(?:$|sh -c |at |Node\.js v|npm (?:error|ERR!)|gyp (?:info|ERR! (?:System|command|cwd|node|\$npm_|not ok|stack\s+at)))/;

/** The last lines that can name a cause, as one line without credentials. */
export function summarizeOutput(output: string): string {
  const lines = stripVTControlCharacters(redact(output)).split('\n');
  return lines
    .map((line) => line.trim())
    .filter((line) => !NO_CAUSE.test(line))
    .slice(-4)
    .join('; ')
    .slice(-400);
}

function readReport({ stdout, stderr, signal, exitCode }: NpmEnd): {
  code: string;
  summary: string;
} {
  try {
    const { error } = JSON.parse(stdout ?? '') as { error: { code?: string; summary?: string } };
    const summary = tidy(error.summary ?? '');
    if (error.code !== undefined || summary !== '') return { code: error.code ?? '', summary };
  } catch {
    // It ended before its report, or is not npm.
  }
  const how = signal ?? `exit code ${exitCode}`;
  return { code: '', summary: tidy(stderr ?? '') || `it ended with ${how}` };
}

function findOfflineHint(text: string): string {
  if (/\bE429\b/.test(text)) return REGISTRY_HINTS.slowDown;
  // Only with npm's setting `offline`.
  if (/\bENOTCACHED\b/.test(text)) return REGISTRY_HINTS.uncached;
  return findConnectionHint(text);
}

/** The host of npm's request, which only its text names. */
function readHost(summary: string): string | undefined {
  const [url = ''] = /\bhttps?:\/\/[^\s"']+/.exec(summary) ?? [];
  return URL.canParse(url) ? new URL(url).host : undefined;
}

/** One line without credentials and npm's prefix. */
function tidy(text: string): string {
  const lines = redact(text)
    .replace(/^npm (?:error|ERR!)\s*/gm, '')
    .split('\n');
  return lines
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(0, 2)
    .join('; ')
    .replace(/\.$/, '')
    .slice(0, 400);
}
