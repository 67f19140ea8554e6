/** Names of ABI directories: they hold each fact that a compiled addon depends on, and no other. */
import { expect, test } from 'vitest';
import { readAbi } from '../../../src/base/abi.ts';
import { nameAbi } from '../../../src/base/platform.ts';

const glibc = '\x7fELF\0/lib64/ld-linux-x86-64.so.2\0';
const musl = '\x7fELF\0/lib/ld-musl-x86_64.so.1\0';
const runtime = { modules: '137', platform: 'linux', arch: 'x64', head: glibc };

test.each([
  [runtime, 'node137-linux-x64-glibc'],
  [{ ...runtime, head: musl }, 'node137-linux-x64-musl'],
  [{ ...runtime, arch: 'arm64' }, 'node137-linux-arm64-glibc'],
  [{ ...runtime, modules: '115' }, 'node115-linux-x64-glibc'],
  [{ ...runtime, head: '' }, 'node137-linux-x64-glibc'],
  [{ ...runtime, platform: 'darwin', head: '' }, 'node137-darwin-x64'],
])('%o is %s', (facts, name) => {
  expect(nameAbi(facts)).toBe(name);
});

test('a change of any fact that an addon depends on changes the directory', () => {
  const others = [
    { modules: '127' },
    { platform: 'darwin' },
    { arch: 'arm64' },
    { head: musl },
  ].map((change) => nameAbi({ ...runtime, ...change }));
  expect(new Set([nameAbi(runtime), ...others]).size).toBe(5);
});

test('the ABI of this process names its own modules version', () => {
  expect(readAbi()).toMatch(
    new RegExp(`^node${process.versions.modules}-${process.platform}-${process.arch}`),
  );
  expect(readAbi()).toBe(readAbi());
});
