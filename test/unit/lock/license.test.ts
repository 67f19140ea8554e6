import { expect, test } from 'vitest';
import { findLicense } from '../../../src/lock/license.ts';

test.each([
  [{ license: 'MIT' }, 'MIT'],
  [{ license: ' (MIT OR Apache-2.0) ' }, '(MIT OR Apache-2.0)'],
  [{ license: 'SEE LICENSE IN LICENSE.md' }, 'SEE LICENSE IN LICENSE.md'],
  [{ license: { type: 'BSD-3-Clause', url: 'https://example.org' } }, 'BSD-3-Clause'],
  [{ licenses: [{ type: 'MIT' }] }, 'MIT'],
  [{ licenses: [{ type: 'MIT' }, { name: 'Apache-2.0' }, 7] }, '(MIT OR Apache-2.0)'],
  [{ licenses: { type: 'MIT' } }, 'MIT'],
  [{ license: 'ISC', licenses: ['MIT'] }, 'ISC'],
  [{ license: 'x'.repeat(1000) }, 'x'.repeat(200)],
])('the licence of %j is found', (manifest, license) => {
  expect(findLicense(manifest)).toBe(license);
});

test.each([
  {},
  { license: '' },
  { license: 7 },
  { license: {} },
  { licenses: [] },
  { license: [] },
])('%j names no licence', (manifest) => {
  expect(findLicense(manifest)).toBeUndefined();
});
