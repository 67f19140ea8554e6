/** Refusals for errors of the file system. */
import { expect, test } from 'vitest';
import { refuseByFileError } from '../../../src/base/file-error.ts';

test.each([
  ['ENOSPC', 'ANNEX_NO_SPACE', /cannot be used: no space is left on its volume \(/, /free space/],
  [
    'EDQUOT',
    'ANNEX_NO_SPACE',
    /cannot be used: the quota of its user is used up \(/,
    /raise the quota/,
  ],
  ['EROFS', 'ANNEX_STORE_UNUSABLE', /mounted read-only/, /mount a writable volume there/],
  ['EIO', 'ANNEX_STORE_UNUSABLE', /disk/, /kernel's log/],
  ['ENFILE', 'ANNEX_STORE_UNUSABLE', /too many files are open/, /fs\.file-max/],
  ['EXDEV', 'ANNEX_STORE_UNUSABLE', /different file systems/, /mount one volume/],
  ['EFBIG', 'ANNEX_STORE_UNUSABLE', /exceeds the size limit/, /ulimit -f/],
  [
    'EACCES',
    'ANNEX_STORE_UNUSABLE',
    /cannot be used: permission is denied \(/,
    /user of this process/,
  ],
  ['EPERM', 'ANNEX_STORE_UNUSABLE', /cannot rename a directory \(/, /^use it as a layer/],
  ['ENOSYS', 'ANNEX_STORE_UNUSABLE', /cannot rename a directory \(/, /^use it as a layer/],
  ['EMFILE', 'ANNEX_STORE_UNUSABLE', /cannot rename a directory \(/, /^use it as a layer/],
  ['ENOTSUP', 'ANNEX_STORE_UNUSABLE', /cannot rename a directory \(/, /^use it as a layer/],
  ['EOPNOTSUPP', 'ANNEX_STORE_UNUSABLE', /cannot rename a directory \(/, /^use it as a layer/],
  ['ENOTCONN', 'ANNEX_STORE_UNUSABLE', /behind its mount is gone \(/, /^mount that volume again/],
  ['ECONNABORTED', 'ANNEX_STORE_UNUSABLE', /mount was aborted/, /^mount that volume again/],
  ['ESTALE', 'ANNEX_STORE_UNUSABLE', /server no longer has it/, /^mount that volume again/],
  ['ETIMEDOUT', 'ANNEX_STORE_UNUSABLE', /server does not respond/, /^check that server/],
  ['EHOSTDOWN', 'ANNEX_STORE_UNUSABLE', /server does not respond/, /^check that server/],
  ['EHOSTUNREACH', 'ANNEX_STORE_UNUSABLE', /server does not respond/, /^check that server/],
  ['ELOOP', 'ANNEX_STORE_UNUSABLE', /cannot be used: ELOOP/, /set ANNEX_STORE/],
])('%s becomes %s, with its meaning, the path and a hint', (code, ...wanted) => {
  const facts = { code, syscall: 'rename', path: '/opt/store/a', dest: '/opt/store/v1/b' };
  const { reason, hint, ...rest } = refuseByFileError(
    Object.assign(new Error(`${code}: no`), facts),
    '/opt/store',
  );
  const [expected, why, help] = wanted;
  expect(rest.code).toBe(expected);
  expect(reason).toMatch(/^\/opt\/store cannot be used: /);
  expect(reason).toMatch(why);
  expect(reason).toContain(`${code} rename /opt/store/a /opt/store/v1/b`);
  expect(hint).toMatch(help);
});

test('an error without a path, and a value that is not an error of the file system', () => {
  const write = Object.assign(new Error('EIO: i/o error'), { code: 'EIO', syscall: 'write' });
  expect(refuseByFileError(write, '/s').reason).toMatch(/^\/s cannot be used: .* \(EIO write\)$/);
  expect(refuseByFileError(new Error('a\nb'), '/s').reason).toBe('/s cannot be used: a');
  expect(refuseByFileError(undefined, '/s').reason).toBe('/s cannot be used: undefined');
});

test('EXDEV in one directory is about its file system', () => {
  const facts = { code: 'EXDEV', syscall: 'rename', path: '/s/a', dest: '/s/b' };
  const { reason, hint } = refuseByFileError(Object.assign(new Error(''), facts), '/s');
  expect(reason).toBe(
    '/s cannot be used: its file system cannot rename a directory (EXDEV rename /s/a /s/b)',
  );
  expect(hint).toMatch(/^use it as a layer/);
});

test('EMFILE of any other call is about open files', () => {
  const facts = { code: 'EMFILE', syscall: 'open', path: '/s/v1' };
  const { reason, hint } = refuseByFileError(Object.assign(new Error(''), facts), '/s');
  expect(reason).toBe('/s cannot be used: too many files are open (EMFILE open /s/v1)');
  expect(hint).toMatch(/ulimit -n/);
});

test('EPERM of any other call is about permissions', () => {
  const facts = { code: 'EPERM', syscall: 'chmod', path: '/s/v1' };
  const { reason, hint } = refuseByFileError(Object.assign(new Error(''), facts), '/s');
  expect(reason).toBe('/s cannot be used: the operation is not permitted (EPERM chmod /s/v1)');
  expect(hint).toMatch(/user of this process/);
});
