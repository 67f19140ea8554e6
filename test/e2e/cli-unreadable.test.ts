/** An unreadable package.json: every command names it and the reason, and changes nothing. */
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSandbox, type RunOptions, type Sandbox } from '../support/sandbox.ts';
import { asPlainUser } from '../support/user.ts';

const COMMANDS = [['add', 'kit@^1.0.0'], ['remove', 'kit'], ['list'], ['lock'], ['why', 'kit']];

/** Makes the package.json of the core unreadable in one way. */
type Make = (path: string, sandbox: Sandbox) => void;

const write =
  (text: string): Make =>
  (path, sandbox) =>
    sandbox.write(path, text);

test.each<[string, Make, RegExp, RunOptions?]>([
  ['a directory', (path) => mkdirSync(path), /cannot be read: EISDIR/],
  ['empty', write('\n'), /is empty/],
  ['cut off', write('{ "name": '), /does not parse as JSON/],
  ['a list', write('[]'), /does not hold a JSON object/],
  ['a link that leads nowhere', (path) => symlinkSync('/nowhere', path), /cannot be read: ENOENT/],
  [
    'not readable by this user',
    (path, sandbox) => chmodSync(sandbox.write(path, '{}'), 0),
    /cannot be read: EACCES/,
    asPlainUser,
  ],
])('%s', async (_, make, reason, options) => {
  const sandbox = await createSandbox();
  const path = join(sandbox.core, 'package.json');
  rmSync(path);
  make(path, sandbox);
  for (const args of COMMANDS) {
    const { code, stdout, stderr } = await sandbox.annex(args, options);
    expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' });
    expect(stderr).toMatch(reason);
    expect(stderr).toMatch(/^annex: .+ \(ANNEX_INVALID_CONFIG\)\. .+\n$/);
  }
});

test('a package.json with a byte order mark is valid', async () => {
  const sandbox = await createSandbox();
  sandbox.write('app/package.json', '\uFEFF{ "annex": { "features": { "kit": "^1.0.0" } } }');
  expect(await sandbox.annex(['list'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^kit +kit +\^1\.0\.0 +- +- +missing/m),
    stderr: '',
  });
});

test('ANNEX_CORE that names no application', async () => {
  const sandbox = await createSandbox();
  const { code, stderr } = await sandbox.annex(['list'], { env: { ANNEX_CORE: '/nowhere' } });
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /package\.json cannot be read: ENOENT .* correct that file, or ANNEX_CORE\n$/,
  );
});
