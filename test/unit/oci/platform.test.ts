import { expect, test } from 'vitest';
import { toImagePlatform } from '../../../src/oci/platform.ts';

test.each([
  ['linux', 'x64', 'linux/amd64'],
  ['linux', 'arm64', 'linux/arm64/v8'],
  ['linux', 'arm', 'linux/arm/v7'],
  ['linux', 'ia32', 'linux/386'],
  ['linux', 'ppc64', 'linux/ppc64le'],
  ['linux', 's390x', 'linux/s390x'],
  ['linux', 'riscv64', 'linux/riscv64'],
  ['darwin', 'arm64', 'darwin/arm64/v8'],
  ['win32', 'x64', 'windows/amd64'],
])('%s-%s is %s', (os, cpu, expected) => {
  const { os: system, architecture, variant } = toImagePlatform({ os, cpu });
  expect([system, architecture, variant].filter(Boolean).join('/')).toBe(expected);
});

test('the variant of 32-bit ARM is that of Node', () => {
  expect(toImagePlatform({ os: 'linux', cpu: 'arm' }, '6').variant).toBe('v6');
});
