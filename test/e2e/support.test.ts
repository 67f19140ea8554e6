/** Checks the support files of other tests: a mistake in them would let those pass. */
import { chmodSync, existsSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  cjsExportsPackage,
  cjsPackage,
  conditionsPackage,
  dualPackage,
  esmPackage,
  subpathPackage,
} from '../support/fixtures.ts';
import { createSandbox } from '../support/sandbox.ts';

test('Node loads every synthetic shape as its name says', async () => {
  const sandbox = await createSandbox({ linkAnnex: false });
  const shapes = [
    cjsPackage('cjs', '1.0.0', 'm'),
    cjsExportsPackage('closed', '1.0.0', 'm'),
    dualPackage('dual', '1.0.0', 'm'),
    subpathPackage('sub', '1.0.0', 'm'),
    conditionsPackage('cond', '1.0.0', 'm'),
  ];
  for (const shape of shapes) sandbox.addPackage('app/node_modules', shape);
  sandbox.write(
    'app/main.mjs',
    `import { createRequire } from 'node:module';
     const require = createRequire(import.meta.url);
     const hidden = await import('closed/internal.js').catch((error) => error.code);
     console.log(JSON.stringify([
       require('cjs/lib/extra.js').subpath, hidden,
       (await import('dual')).flavor, require('dual').flavor,
       (await import('sub/sub')).subpath, (await import('cond')).condition,
     ]));`,
  );
  const { stdout } = await sandbox.run(['--conditions', 'custom', 'main.mjs']);
  const reached = ['lib/extra.js', 'ERR_PACKAGE_PATH_NOT_EXPORTED', 'import', 'require', './sub'];
  expect(JSON.parse(stdout)).toEqual([...reached, 'custom']);
});

test('a program sees the scrubbed environment and its input; its exit code is a result', async () => {
  const sandbox = await createSandbox({ linkAnnex: false });
  const program = `process.stdin.pipe(process.stdout).on('error', () => {});
    console.error(Object.keys(process.env).sort().join()); process.exitCode = 3;`;
  const options = { input: 'hello', env: { ANNEX_LOG: 'debug', PATH: undefined } };
  const result = await sandbox.run(['-e', program], options);
  expect(result).toMatchObject({ code: 3, signal: null, stdout: 'hello' });
  expect(result.stderr.trim()).toBe(
    'ANNEX_LOG,HOME,npm_config_cache,npm_config_fetch_retry_mintimeout',
  );
});

test('a planted entry differs from a changed one, and a sealed one is removed', async () => {
  const sandbox = await createSandbox({ linkAnnex: false });
  const specs = { '@acme/alpha': '^1.0.0' };
  const packages = [esmPackage('@acme/alpha', '1.0.0', 'planted')] as const;
  const entry = sandbox.plantEntry({ feature: '@acme/Alpha', packages, specs });
  expect(entry).toMatch(/\/volume\/annex\/v1\/any\/acme-alpha\.[0-9a-f]{32}\.0$/);
  expect(statSync(entry).mode & 0o777).toBe(0o755);
  const before = sandbox.digest(sandbox.store);
  expect(sandbox.digest(sandbox.store)).toEqual(before);
  chmodSync(join(entry, 'node_modules'), 0o555);
  expect(sandbox.digest(sandbox.store)).not.toEqual(before);
  await sandbox.cleanup();
  expect(existsSync(sandbox.root)).toBe(false);
});

test('a digest contains links and does not follow them', async () => {
  const sandbox = await createSandbox({ linkAnnex: false });
  sandbox.write('outside/secret.txt', 'x');
  sandbox.write('inside/dir/file.txt', 'x');
  symlinkSync('../outside', join(sandbox.root, 'inside', 'link'));
  const digest = sandbox.digest('inside');
  expect(Object.keys(digest)).toEqual(['.', 'dir', 'dir/file.txt', 'link']);
  expect(digest.link).toBe('link ../outside');
});
