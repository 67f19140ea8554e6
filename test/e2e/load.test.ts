/** load(): an install and an import in one call, as the application itself would import. */
import { describe, expect, test } from 'vitest';
import { openApi } from '../support/api.ts';
import { dualPackage, esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { startRegistry } from '../support/registry.ts';

const features = { alpha: '^1.0.0', beta: '^1.0.0', semver: '*', lost: '^1.0.0' };

const open = async (node: (typeof nodes)[number]) => {
  const registry = await startRegistry([
    esmPackage('alpha', '1.2.0', 'registry'),
    dualPackage('beta', '1.0.0', 'registry'),
  ]);
  return openApi(node, registry, features);
};

describe.each(nodes)('$label', (node) => {
  test('a missing feature is installed, and imported with the conditions of import', async () => {
    const { runProgram } = await open(node);
    const { result } = await runProgram(`
      const [alpha, beta] = await Promise.all([load('alpha'), load('beta')]);
      result.marker = alpha.marker;
      result.flavor = beta.flavor;
      result.isSame = alpha === (await import('alpha'));`);
    expect(result).toEqual({ marker: 'registry', flavor: 'import', isSame: true });
  });

  test("the application's own copy wins, also where annex is installed beside another one", async () => {
    const { sandbox, runProgram } = await open(node);
    sandbox.addPackage('app/node_modules', esmPackage('semver', '99.0.0', 'core'));
    const { result } = await runProgram("result.marker = (await load('semver')).marker;");
    expect(result).toEqual({ marker: 'core' });
  });

  test('a failed install rejects with the AnnexError, and a name that is not declared too', async () => {
    const { runProgram } = await open(node);
    const { result } = await runProgram(`
      const fail = (name) => load(name).catch((error) => [error instanceof AnnexError, error.code]);
      result.lost = await fail('lost');
      result.path = await fail('./main.mjs');`);
    expect(result).toEqual({
      lost: [true, 'ANNEX_INSTALL_FAILED'],
      path: [true, 'ANNEX_INVALID_CONFIG'],
    });
  });

  test('without an active loader it rejects with the AnnexError after the install', async () => {
    const { runProgram } = await open(node);
    const { result } = await runProgram(
      "const { error } = await attempt(load('alpha')); result.error = error;",
      { flags: [] },
    );
    expect(result.error).toMatchObject({ isOurs: true, feature: 'alpha', specifier: 'alpha' });
    expect(result.error.message).toBe(
      'annex: alpha unavailable (ANNEX_INVALID_CONFIG): the loader is not active, so imports of this process do not see the store' +
        ". The feature is installed. Now: start with --import annex/loader.mjs, or import 'annex/register' first",
    );
  });

  test('an argument that is not a string is a TypeError that names it', async () => {
    const { runProgram } = await open(node);
    const { result } = await runProgram(`
      const fail = (promise) => promise.catch(({ name, message }) => name + ': ' + message);
      result.errors = [await fail(load()), await fail(ensure(['alpha', 'beta']))];`);
    expect(result.errors).toEqual([
      'TypeError: the argument "specifier" is a string, not undefined',
      `TypeError: the argument "feature" is a string, not [ 'alpha', 'beta' ]`,
    ]);
  });
});
