/** The hint to ask the public registry. */
import { expect, test } from 'vitest';
import { hintPublic, PUBLIC_REGISTRY } from '../../../src/registry/registries.ts';

test('a mirror is told apart from what answers in place of the public registry', () => {
  expect(hintPublic('https://npm.corp/', 'annex audit')).toBe(
    'ask the public registry: npm_config_registry=https://registry.npmjs.org annex audit',
  );
  expect(hintPublic(PUBLIC_REGISTRY, 'annex audit')).toBe(
    'find out which proxy or mirror answers in its place',
  );
});
