/** The `annex` key as a whole, unknown keys, and optional peers as features. */
import { describe, expect, test } from 'vitest';
import { readDeclaration } from '../../../src/settings/declaration.ts';
import { path, read } from '../../support/declaration-world.ts';

describe('the key as a whole', () => {
  test.each<[unknown, string]>([
    [null, 'null'],
    [[], 'a list'],
    ['features', 'a string'],
    [1, 'a number'],
    [true, 'a boolean'],
  ])('%j is not an object but %s', (annex, kind) => {
    const { features, refusals } = read(annex);
    expect(features.size).toBe(0);
    const reason = `annex in ${path} is not an object but ${kind}`;
    const hint = 'declare features as { "features": { NAME: RANGE } }';
    expect(refusals).toEqual([{ code: 'ANNEX_INVALID_CONFIG', reason, hint }]);
  });

  test('an unknown key does not affect the features', () => {
    const { refusals, features } = read({ feature: {}, mirrors: [], features: { beta: '1' } });
    expect(refusals).toHaveLength(2);
    expect(features.get('beta')?.refusal).toBeUndefined();
  });

  test('without a key nothing is declared, and nothing is invalid', () => {
    const { declaration } = readDeclaration({ path, manifest: { name: 'app' }, workspaces: [] });
    expect(declaration).toMatchObject({ refusals: [], importers: [] });
    expect(declaration.features.size).toBe(0);
  });
});

describe('fromOptionalPeers', () => {
  const peers = {
    peerDependencies: { beta: '^1.0.0', gamma: '^1.0.0', delta: 'latest' },
    peerDependenciesMeta: { beta: { optional: true }, delta: { optional: true } },
  };

  test('declares only optional peers, and names their own key', () => {
    const { features } = read({ fromOptionalPeers: true }, peers);
    expect([...features.keys()]).toEqual(['beta', 'delta']);
    expect(features.get('delta')?.refusal?.reason).toMatch(/^peerDependencies\["delta"\] in /);
  });

  test('does not change declared features', () => {
    const { features } = read({ fromOptionalPeers: true, features: { beta: '^2.0.0' } }, peers);
    expect(features.get('beta')).toMatchObject({ packages: { beta: '^2.0.0' } });
    expect(features.get('beta')?.refusal).toBeUndefined();
  });

  test('declares nothing when it is absent or invalid', () => {
    expect(read({}, peers).features.size).toBe(0);
    expect(read({ fromOptionalPeers: false }, peers)).toMatchObject({ refusals: [] });
    const { features, refusals } = read({ fromOptionalPeers: 'always' }, peers);
    expect(features.size).toBe(0);
    expect(refusals).toHaveLength(1);
  });
});
