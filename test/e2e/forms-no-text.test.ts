/** Specifiers that are not strings, and parents that are URL objects: Node's own behaviour and errors. */
import { beforeAll, describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const asked = [
  ...['5', 'null', 'undefined', 'Symbol("x")', '{}', '""', '"\\0"'].flatMap((what) => [
    `Module._load(${what})`,
    `Module._load(${what}, null, true)`,
    `Module._resolveFilename(${what})`,
    `require(${what})`,
    `require.resolve(${what})`,
    `require.resolve(${what}, { paths: [import.meta.dirname] })`,
    `import(${what})`,
    `import.meta.resolve(${what})`,
    `createRequire(${what})`,
  ]),
  ...['5', '[]', '"."', '{}', 'null'].flatMap((paths) => [
    `require.resolve("./there.cjs", { paths: ${paths} })`,
    `require.resolve("declared", { paths: ${paths} })`,
  ]),
  ...['5', 'null', '{}', '{ paths: 5 }', '{ paths: "x" }'].map(
    (parent) => `Module._resolveFilename("./there.cjs", ${parent})`,
  ),
  'import.meta.resolve("absent", new URL("x/y.js", import.meta.url))',
  'import.meta.resolve("./there.cjs", new URL(import.meta.url))',
  'import.meta.resolve("./there.cjs", 5)',
  'import.meta.resolve("./there.cjs", {})',
  'import("file://%")',
  'import("file:///%00")',
  'import("file://host/x")',
  'import("//host/x")',
];

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await createSandbox();
  sandbox.setCore({ features: { declared: '*', alpha: '*' } });
  sandbox.plantEntry({
    feature: 'alpha',
    packages: [esmPackage('alpha', '1.0.0', 'store')],
    specs: { alpha: '*' },
  });
  sandbox.write('app/there.cjs', `exports.marker = 'there';`);
  sandbox.write(
    'app/odd.mjs',
    `import Module, { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const attempt = async (ask) => {
  try { const value = await ask(); return String(value?.default?.marker ?? value?.marker ?? value); }
  catch (error) { return [error.code, String(error.message ?? error), String(error.cause)].join(); }
};
const answers = {};
for (const [text, ask] of [${asked.map((text) => `[${JSON.stringify(text)}, () => ${text}]`)}]) {
  answers[text] = await attempt(ask);
}
console.log(JSON.stringify(answers));`,
  );
});

describe.each(nodes)('$label', (node) => {
  const run = async (flags: string[]) => {
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const meta = node.major < 22 ? ['--experimental-import-meta-resolve'] : [];
    const args = [...flags, '--no-warnings', ...meta, 'odd.mjs'];
    const { stdout, stderr } = await sandbox.run(args, { node: node.path, env });
    expect(stderr).toBe('');
    return JSON.parse(stdout) as Record<string, string>;
  };

  test('annex throws nothing where Node throws its own error', async () => {
    const alone = await run([]);
    expect(Object.keys(alone)).toHaveLength(asked.length);
    const answers = await run(['--import', sandbox.loader]);
    // Node 20 passes a URL object to its hooks thread as an empty object.
    const isKnown = (text: string): boolean => node.major < 22 && text.includes('new URL(');
    for (const text of asked.filter((each) => !isKnown(each))) {
      expect.soft(answers[text], text).toBe(alone[text]);
    }
  });

  test.runIf(node.major >= 22)('a parent that is a URL object works like a string', async () => {
    sandbox.write(
      'app/urls.mjs',
      `console.log(['alpha', './there.cjs'].map((name) => import.meta.resolve(name, new URL(import.meta.url)) ===
          import.meta.resolve(name)).join());`,
    );
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const args = ['--import', sandbox.loader, '--experimental-import-meta-resolve', 'urls.mjs'];
    const { stdout, stderr } = await sandbox.run(args, { node: node.path, env });
    expect(stdout, stderr).toBe('true,true\n');
  });
});
