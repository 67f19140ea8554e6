/** Failures of npm translated into annex's codes: the forms are those of npm 10 and 11. */
import { describe, expect, test } from 'vitest';
import {
  describeNpmFailure,
  type NpmEnd,
  readScriptOutput,
  summarizeOutput,
} from '../../../src/registry/npm-failure.ts';
import type { ErrorCode } from '../../../src/types.ts';

/** Result of a failed npm with `--json`. */
const report = (code: string | undefined, summary: string): NpmEnd => ({
  exitCode: 1,
  stdout: JSON.stringify({ error: { code, summary, detail: 'a longer text' } }, null, 2),
  stderr: `npm error code ${code}\nnpm error ${summary}\n`,
});

const request = 'request to http://127.0.0.1:4873/alpha failed, reason: ';

describe('the code of npm', () => {
  test.each([
    ['ERR_SOCKET_TIMEOUT', 'Socket timeout', 'ANNEX_OFFLINE'],
    ['ENOTCACHED', 'cache mode is only-if-cached but no cached response', 'ANNEX_OFFLINE'],
    ['E500', '500 Internal Server Error - GET http://127.0.0.1/alpha', 'ANNEX_OFFLINE'],
    ['E503', '503 Service Unavailable - GET http://127.0.0.1/alpha', 'ANNEX_OFFLINE'],
    ['E429', '429 Too Many Requests - GET http://127.0.0.1/alpha', 'ANNEX_OFFLINE'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify', 'ANNEX_OFFLINE'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate', 'ANNEX_OFFLINE'],
    ['CERT_HAS_EXPIRED', 'certificate has expired', 'ANNEX_OFFLINE'],
    ['E401', 'Unable to authenticate, your token is invalid.', 'ANNEX_INSTALL_FAILED'],
    ['E403', '403 Forbidden - GET http://127.0.0.1/alpha', 'ANNEX_INSTALL_FAILED'],
    ['ENEEDAUTH', 'need auth', 'ANNEX_INSTALL_FAILED'],
    ['E404', '404 Not Found - GET http://127.0.0.1/alpha', 'ANNEX_INSTALL_FAILED'],
    ['ETARGET', 'No matching version found for alpha@^9.0.0.', 'ANNEX_INSTALL_FAILED'],
    ['EINTEGRITY', 'sha512-A integrity checksum failed', 'ANNEX_INTEGRITY'],
    ['ENOSPC', 'ENOSPC: no space left on device, write', 'ANNEX_NO_SPACE'],
    ['EDQUOT', 'EDQUOT: disk quota exceeded', 'ANNEX_NO_SPACE'],
    ['EBADPLATFORM', 'Unsupported platform for alpha@1.0.0', 'ANNEX_UNSUPPORTED_PLATFORM'],
    ['EBADENGINE', 'Unsupported engine', 'ANNEX_UNSUPPORTED_PLATFORM'],
    ['ERESOLVE', 'could not resolve', 'ANNEX_CONFLICT'],
    ['EROFS', 'EROFS: read-only file system, mkdir', 'ANNEX_STORE_UNUSABLE'],
    ['EACCES', "EACCES: permission denied, mkdir '/x'", 'ANNEX_STORE_UNUSABLE'],
    ['EUSAGE', 'npm was called wrongly', 'ANNEX_INSTALL_FAILED'],
    ['EJSONPARSE', 'Unexpected end of JSON', 'ANNEX_INSTALL_FAILED'],
  ] satisfies [string, string, ErrorCode][])('%s %s', (code, summary, expected) => {
    const refusal = describeNpmFailure(report(code, summary));
    expect(refusal.code).toBe(expected);
    expect(refusal.reason).toBe(`npm: ${code} ${summary.trim().replace(/\.$/, '')}`);
    expect(refusal.hint).not.toMatch(/npm install/);
    expect(refusal.state).toBeUndefined();
  });

  test.each([
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND registry.corp', 'cannot be reached'],
    ['EAI_AGAIN', 'getaddrinfo EAI_AGAIN registry.corp', 'cannot be reached'],
    ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:4873', 'cannot be reached'],
    ['ECONNRESET', 'socket hang up', 'cannot be reached'],
    ['ETIMEDOUT', '', 'cannot be reached'],
    ['CERT_HAS_EXPIRED', 'certificate has expired', 'has a certificate that is not trusted'],
  ])('%s of a request: the reason is that of a request of annex', (code, why, problem) => {
    expect(describeNpmFailure(report(code, `${request}${why}`))).toMatchObject({
      code: 'ANNEX_OFFLINE',
      reason: `registry 127.0.0.1:4873 ${problem} (${code})`,
      host: '127.0.0.1:4873',
    });
  });

  test.each(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])('%s points at the dates', (code) => {
    const { hint } = describeNpmFailure(report(code, 'certificate'));
    expect(hint).toBe('renew that certificate, or correct the clock of this machine');
  });

  test('ENOTCACHED points at the setting offline', () => {
    const summary = 'cache mode is only-if-cached but no cached response';
    const { hint } = describeNpmFailure(report('ENOTCACHED', summary));
    expect(hint).toBe('remove the setting offline, or fill the cache: npm cache add');
  });

  test('is read from the summary when there is no code', () => {
    const end = report(undefined, `${request}connect ECONNREFUSED ::1:4873`);
    expect(describeNpmFailure(end).code).toBe('ANNEX_OFFLINE');
  });

  test('is not taken from a package name that looks like a code', () => {
    const end = report('E404', "'enotfound@^1.0.0' is not in this registry.");
    expect(describeNpmFailure(end).code).toBe('ANNEX_INSTALL_FAILED');
  });
});

describe('a failure without a known code', () => {
  test('can mean that npm is missing', () => {
    const refusal = describeNpmFailure({ code: 'ENOENT' });
    expect(refusal).toMatchObject({
      code: 'ANNEX_INSTALL_FAILED',
      reason: 'npm is not on the PATH',
    });
  });

  test.each([
    [{ code: 'EACCES', stderr: '' }, /cannot be run: EACCES/],
    [{ exitCode: 127, stderr: '/usr/bin/env: ‘node’: No such file or directory\n' }, /‘node’: No/],
    [{ exitCode: 3, stdout: '', stderr: '' }, /exit code 3/],
    [{ signal: 'SIGKILL', stdout: '', stderr: '' }, /SIGKILL/],
    [{ exitCode: 1, stdout: 'null', stderr: 'npm error odd' }, /odd/],
    [{ exitCode: 1, stdout: '{}', stderr: 'npm error code EODD\nnpm error odd' }, /odd/],
    [{ exitCode: 1, stdout: '{"error":{}}', stderr: 'npm error odd' }, /odd/],
    [{ exitCode: 1, stdout: '[1]', stderr: '' }, /exit code 1/],
  ] satisfies [NpmEnd, RegExp][])('%j', (end, reason) => {
    const refusal = describeNpmFailure(end);
    expect(refusal.code).toBe('ANNEX_INSTALL_FAILED');
    expect(refusal.reason).toMatch(reason);
  });
});

describe('the reason', () => {
  test('is one short line, however much npm prints', () => {
    const lines = Array.from({ length: 500 }, (_, index) => `npm error line ${index}`).join('\n');
    for (const end of [{ exitCode: 1, stderr: lines }, report('EODD', lines)]) {
      const { reason } = describeNpmFailure(end);
      expect(reason).not.toContain('\n');
      expect(reason).not.toContain('npm error');
      expect(reason.length).toBeLessThan(450);
    }
  });

  test('contains no credentials', () => {
    const secret = 's3cr3t-v4lue';
    for (const text of [
      `request to http://me:${secret}@127.0.0.1/alpha failed`,
      `//127.0.0.1/:_authToken="${secret}"`,
      `Invalid header: Authorization: Bearer ${secret}`,
    ]) {
      for (const end of [report('E401', text), { exitCode: 1, stderr: `npm error ${text}` }]) {
        expect(JSON.stringify(describeNpmFailure(end))).not.toContain(secret);
      }
    }
  });
});

describe('the output of an install script', () => {
  const make = (error: object): NpmEnd => ({ exitCode: 1, stdout: JSON.stringify({ error }) });

  test('is the detail of a failed command, and of no other failure', () => {
    const detail = 'sh -c node build.js\nno compiler';
    expect(readScriptOutput(make({ code: 3, summary: 'command failed', detail }))).toBe(detail);
    expect(readScriptOutput(make({ code: 'ENOSPC', summary: 'no space', detail }))).toBeUndefined();
    expect(readScriptOutput({ exitCode: 1, stdout: 'no JSON' })).toBeUndefined();
    expect(readScriptOutput({ code: 'ENOENT' })).toBeUndefined();
  });

  test.each([
    ['sh -c node build.js\n\u001B[31mno compiler\u001B[0m\n\n', 'no compiler'],
    ['sh -c x\nError: boom\n    at run (x.js:1:1)\n\nNode.js v24.0.0', 'Error: boom'],
    ['one\ntwo\nthree\nfour\nfive', 'two; three; four; five'],
    ['gyp ERR! find Python none\ngyp ERR! cwd /x\ngyp ERR! not ok', 'gyp ERR! find Python none'],
    ['sh -c x', ''],
  ])('%j in short: %j', (output, expected) => {
    expect(summarizeOutput(output)).toBe(expected);
  });
});
