/** What is declared beside features: each key, unknown keys, and optional peers. */
import { isBuiltin } from 'node:module';
import { describe, expect, test } from 'vitest';
import { isRange } from '../../../src/base/semver.ts';
import { readDeclaration } from '../../../src/settings/declaration.ts';

const surroundings = { isBuiltin, isRange, workspaces: ['@app/part', 'part'] };

/** Reads an `annex` key of a core called `app`. */
const read = (annex: unknown, manifest: object = {}) =>
  readDeclaration({ name: 'app', annex, ...manifest }, surroundings);

describe('the key as a whole', () => {
  test.each([null, [], 'features', 1, true])('%j is no object', (annex) => {
    const { features, problems } = read(annex);
    expect(features.size).toBe(0);
    const reason = expect.stringMatching(
      /^is not an object but (null|a list|a string|a number|a boo)/,
    );
    expect(problems).toEqual([{ key: 'annex', reason }]);
  });

  test.each([[[]], ['exa-js'], [1]])('features %j are no object', (features) => {
    expect(read({ features }).problems).toEqual([
      { key: 'annex.features', reason: 'is not an object' },
    ]);
  });

  test('an unknown key is named and does nothing', () => {
    const { problems, features } = read({ feature: {}, mirrors: [], features: { beta: '1' } });
    expect(problems.map(({ key }) => key)).toEqual(['annex.feature', 'annex.mirrors']);
    expect(features.get('beta')?.problem).toBeUndefined();
  });

  test('a feature in the place of a key is told where it belongs', () => {
    const [problem, ...more] = read({ 'exa-js': '^1.0.0' }).problems;
    expect(more).toEqual([]);
    expect(problem).toEqual({
      key: 'annex.exa-js',
      reason: expect.stringMatching(/does nothing; a feature belongs below annex\.features$/),
    });
  });

  test.each(['allowInstall', 'allow-installs', 'alowInstalls', 'allowinstalls'])(
    'the key %s counts as allowInstalls: false, whatever it says',
    (key) => {
      for (const value of [true, false, 'x']) {
        const { allowInstalls, problems } = read({ [key]: value, allowInstalls: true });
        expect(allowInstalls).toBe(false);
        expect(problems).toEqual([
          { key: `annex.${key}`, reason: expect.stringMatching(/taken for allowInstalls: false$/) },
        ]);
      }
    },
  );

  test.each(['block', 'blockd', 'Blocked', 'blocked_versions'])(
    'the key %s leaves open what is blocked',
    (key) => {
      const { unclear } = read({ [key]: ['axios'] });
      expect(unclear).toEqual({
        key: `annex.${key}`,
        reason: expect.stringMatching(/taken for blocked$/),
      });
    },
  );

  test('without a key nothing is declared and nothing is wrong', () => {
    const declaration = readDeclaration({ name: 'app' }, surroundings);
    expect(declaration).toMatchObject({ problems: [], importers: [], allowInstalls: undefined });
    expect(declaration.features.size).toBe(0);
  });

  test.each([
    [true, true],
    ['yes', true],
    [false, false],
    ['off', false],
  ])('allowInstalls %j is %j', (value, parsed) => {
    expect(read({ allowInstalls: value })).toMatchObject({ allowInstalls: parsed, problems: [] });
  });

  test.each(['perhaps', null, {}, 2, ''])('allowInstalls %j is taken as false', (value) => {
    const { allowInstalls, problems } = read({ allowInstalls: value });
    expect(allowInstalls).toBe(false);
    expect(problems).toEqual([
      { key: 'annex.allowInstalls', reason: 'is not a boolean; taken as false' },
    ]);
  });

  test('importers are absolute directories and package names; anything else is named', () => {
    const importers = ['/opt/plugins', '@langchain/community', 'plugins/', '../x', 5, 'No Good'];
    const { problems, ...declaration } = read({ importers });
    expect(declaration.importers).toEqual(['/opt/plugins', '@langchain/community']);
    expect(problems.map(({ key }) => key)).toEqual(
      [2, 3, 4, 5].map((index) => `annex.importers[${index}]`),
    );
    expect(read({ importers: '/opt' }).problems).toEqual([
      { key: 'annex.importers', reason: 'is not a list; the default applies' },
    ]);
  });
});

describe('fromOptionalPeers', () => {
  const peers = {
    peerDependencies: { beta: '^1.0.0', gamma: '^1.0.0', delta: 'latest' },
    peerDependenciesMeta: { beta: { optional: true }, delta: { optional: true } },
  };

  test('takes over optional peers alone, and names their own key', () => {
    const { features } = read({ fromOptionalPeers: true }, peers);
    expect([...features.keys()]).toEqual(['beta', 'delta']);
    expect(features.get('delta')?.problem?.key).toBe('peerDependencies["delta"]');
  });

  test('what is declared as a feature stays what it is', () => {
    const { features } = read({ fromOptionalPeers: true, features: { beta: '^2.0.0' } }, peers);
    expect(features.get('beta')).toMatchObject({ packages: { beta: '^2.0.0' } });
    expect(features.get('beta')?.problem).toBeUndefined();
  });

  test('without it they are nothing of ours; a value that is no boolean is named', () => {
    expect(read({}, peers).features.size).toBe(0);
    expect(read({ fromOptionalPeers: false }, peers)).toMatchObject({ problems: [] });
    const { features, problems } = read({ fromOptionalPeers: 'always' }, peers);
    expect(features.size).toBe(0);
    expect(problems).toEqual([{ key: 'annex.fromOptionalPeers', reason: expect.any(String) }]);
  });
});
