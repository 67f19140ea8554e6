/** The programming interface when a feature is unavailable: error code, reason, and what keeps working. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openApi, prelude } from '../support/api.ts';
import { esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { type Registry, startRegistry } from '../support/registry.ts';

const range = '^1.0.0';
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry([]);
});

describe.each(nodes)('$label', (node) => {
  test('an undeclared name is refused without a network request, even with a copy in the store', async () => {
    const { sandbox, runProgram } = await openApi(node, registry, { alpha: range });
    sandbox.plantEntry({
      feature: 'beta',
      packages: [esmPackage('beta', '1.0.0', 'planted')],
      specs: { beta: range },
    });
    const asked = registry.requests.length;
    const { result, lines } = await runProgram(
      `result.available = ['beta', '', '__proto__', undefined].map(isAvailable);
         result.beta = await attempt(ensure('beta'));
         result.marker = await importMarker('beta');`,
    );
    expect(result).toMatchObject({
      available: [false, false, false, false],
      beta: {
        error: {
          isOurs: true,
          name: 'AnnexError',
          code: 'ANNEX_INVALID_CONFIG',
          feature: 'beta',
        },
      },
      marker: 'ERR_MODULE_NOT_FOUND',
    });
    expect(result.beta.error.message).toBe(
      `annex: beta unavailable (ANNEX_INVALID_CONFIG): it is not declared in ${sandbox.core}/package.json. ` +
        'Declared: alpha; other features unaffected. Now: declare it: npx annex add beta',
    );
    expect(lines).toEqual([]);
    expect(registry.requests).toHaveLength(asked);
  });

  test('a package of the core is available in its range; outside of it core wins and ensure reports that', async () => {
    const { sandbox, runProgram } = await openApi(node, registry, {
      alpha: range,
      beta: '^2.0.0',
    });
    for (const name of ['alpha', 'beta']) {
      sandbox.addPackage('app/node_modules', esmPackage(name, '1.0.0', 'core'));
    }
    const features = { alpha: range, beta: '^2.0.0' };
    sandbox.setCore({ features }, { dependencies: { alpha: '*', beta: '*' } });
    sandbox.plantEntry({
      feature: 'beta',
      packages: [esmPackage('beta', '2.0.0', 'planted')],
      specs: { beta: '^2.0.0' },
    });
    const { result } = await runProgram(
      `result.available = ['alpha', 'beta'].map(isAvailable);
         result.alpha = await ensure('alpha');
         result.beta = await attempt(ensure('beta'));
         result.markers = await Promise.all(['alpha', 'beta'].map(importMarker));
         result.where = status().features.map(({ where }) => where);`,
    );
    expect(result).toMatchObject({
      available: [true, false],
      alpha: { where: 'core', packages: { alpha: { version: '1.0.0' } } },
      beta: { error: { isOurs: true, code: 'ANNEX_CONFLICT', feature: 'beta' } },
      markers: ['core', 'core'],
      where: ['core', 'core outside range'],
    });
    expect(result.beta.error.message).toMatch(
      /core ships beta 1\.0\.0 .* \^2\.0\.0 is declared; core wins\. .* Now: /,
    );
  });

  test('denied: ensure, import and require give one reason, and installed features still load', async () => {
    const { sandbox, runProgram } = await openApi(node, registry, { alpha: range, beta: range });
    sandbox.plantEntry({
      feature: 'alpha',
      packages: [esmPackage('alpha', '1.0.0', 'planted')],
      specs: { alpha: range },
    });
    const before = sandbox.digest(sandbox.store);
    const asked = registry.requests.length;
    const { result } = await runProgram(
      `import { createRequire } from 'node:module';
         result.alpha = [(await ensure('alpha')).where, isAvailable('alpha'), await importMarker('alpha')];
         result.ensured = await attempt(ensure('beta'));
         const imported = await import('beta').catch((thrown) => thrown);
         result.imported = { code: imported.code, cause: describeError(imported.cause), message: imported.message };
         try { createRequire(import.meta.url)('beta'); } catch (error) {
           result.required = { code: error.code, cause: describeError(error.cause), message: error.message };
         }
         result.status = status().features[1];`,
      { env: { ANNEX_ALLOW_INSTALLS: '0' } },
    );
    const refusal = { isOurs: true, name: 'AnnexError', code: 'ANNEX_DENIED', feature: 'beta' };
    expect(result).toMatchObject({
      alpha: ['store', true, 'planted'],
      ensured: { error: refusal },
      imported: { code: 'ERR_MODULE_NOT_FOUND', cause: { ...refusal, specifier: 'beta' } },
      required: { code: 'MODULE_NOT_FOUND', cause: { ...refusal, specifier: 'beta' } },
      status: { feature: 'beta', where: 'denied', refusal: { code: 'ANNEX_DENIED' } },
    });
    const { message } = result.ensured.error;
    expect(message).toMatch(
      /^annex: beta unavailable \(ANNEX_DENIED\): .*ANNEX_ALLOW_INSTALLS\. Other features unaffected\. Now: .+$/,
    );
    for (const { message: text, cause } of [result.imported, result.required]) {
      expect(text.split('\n').at(-1), 'G6: one line on top of what Node says').toBe(cause.message);
      expect(cause.message).toBe(message.replace('. Other', ', asked by main.mjs. Other'));
    }
    expect(registry.requests).toHaveLength(asked);
    expect(sandbox.digest(sandbox.store)).toEqual(before);
  });

  test('outside of any application it reports that, and only ensure throws', async () => {
    const { sandbox } = await openApi(node, registry, { alpha: range });
    sandbox.write('home/node_modules/.keep', '');
    const main = sandbox.write(
      'home/main.mjs',
      prelude.replace("'annex'", `'${join(repositoryRoot, 'dist', 'index.js')}'`) +
        `console.log(JSON.stringify([status(), isAvailable('alpha'), await attempt(ensure('alpha'))]));`,
    );
    const { stdout, stderr } = await sandbox.run([main], { node: node.path, cwd: 'home' });
    expect(JSON.parse(stdout)).toMatchObject([
      { loader: 'inactive', stores: [], features: [] },
      false,
      { error: { isOurs: true, code: 'ANNEX_INVALID_CONFIG' } },
    ]);
    expect(stderr).toBe('');
    expect(existsSync(sandbox.store)).toBe(false);
  });
});
