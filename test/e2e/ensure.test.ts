/** `ensure` installs without blocking, once for many callers, and rejects with an error that a program can act on. */
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { FORM, splitLines } from '../support/importer.ts';
import { nodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type RunOptions, type Sandbox } from '../support/sandbox.ts';
import { answerAfterTick, TICK } from '../support/ticks.ts';

const good = { alpha: '^1.0.0', 'search.beta': { packages: { beta: '^1.0.0' } } };
const all = { ...good, tagged: 'latest', outside: '^2.0.0' };

let registry: Registry;
beforeEach(async () => {
  registry = await startRegistry([
    esmPackage('alpha', '1.0.0', 'alpha'),
    esmPackage('beta', '1.0.0', 'beta'),
  ]);
});

async function openSandbox(features: object = good): Promise<Sandbox> {
  const sandbox = await createSandbox({ registry });
  sandbox.setCore({ features });
  return sandbox;
}

/** First lines of every program. */
const PRELUDE = `
import { AnnexError, ensure, isAvailable, status } from 'annex';
const attempt = async (feature) => {
  try {
    return await ensure(feature);
  } catch (error) {
    const { name, code, hint, message } = error;
    return { isOurs: error instanceof AnnexError, name, code, feature: error.feature, hint, message };
  }
};
const print = (data) => console.log(JSON.stringify(data));
`;

/** Runs a program, by default with the preload; returns its result and the lines on stderr. */
async function run(sandbox: Sandbox, body: string, options: RunOptions, hasLoader = true) {
  sandbox.write('app/main.mjs', PRELUDE + body);
  const flags = hasLoader ? ['--import', sandbox.loader] : [];
  const env = { ANNEX_STORE: sandbox.store, ...options.env };
  const { stdout, stderr, code } = await sandbox.run([...flags, 'main.mjs'], { ...options, env });
  if (code !== 0) throw new Error(stderr);
  const data = JSON.parse(stdout) as Record<string, unknown>[];
  return { data, lines: splitLines(stderr) };
}

describe.each(nodes)('$label', (node) => {
  const options = { node: node.path };

  test('G7: does not block the event loop, and makes one install for many callers', async () => {
    const sandbox = await openSandbox();
    const ticked = answerAfterTick(registry);
    const { data, lines } = await run(
      sandbox,
      `${TICK}
         const before = isAvailable('alpha');
         const all = await Promise.all(Array.from({ length: 10 }, () => attempt('alpha')));
         const { marker } = await import('alpha');
         print([{ before, after: isAvailable('alpha'), marker, all: all.map(({ where }) => where) }]);`,
      options,
    );
    expect(data).toEqual([
      {
        before: false,
        after: true,
        marker: 'alpha',
        all: Array.from({ length: 10 }, () => 'store'),
      },
    ]);
    await ticked;
    expect(lines).toHaveLength(2);
    expect(registry.requests.filter((line) => line.includes('.tgz'))).toHaveLength(1);
  });

  test('works by the name of the feature and of its package, with or without the loader', async () => {
    const sandbox = await openSandbox();
    const body = `print([await attempt('beta'), await attempt('search.beta'), { loader: status().loader }]);`;
    const without = await run(sandbox, body, options, false);
    expect(without.data).toMatchObject([
      { feature: 'search.beta', where: 'store', packages: { beta: { version: '1.0.0' } } },
      { feature: 'search.beta', where: 'store' },
      { loader: 'inactive' },
    ]);
    expect(without.lines[0]).toMatch(/^annex: the loader is not active/);
    expect(without.lines).toHaveLength(3);
    const asked = registry.requests.length;
    const within = await run(sandbox, body, options);
    expect(within.data).toMatchObject([{ where: 'store' }, { where: 'store' }, {}]);
    expect(within.lines).toEqual([]);
    expect(registry.requests).toHaveLength(asked);
  });

  test('G6: rejects with an AnnexError that names code, feature and remedy', async () => {
    const sandbox = await openSandbox(all);
    sandbox.addPackage('app/node_modules', esmPackage('outside', '1.0.0', 'core'));
    registry.fault({ kind: 'status', status: 404 });
    const { data, lines } = await run(
      sandbox,
      `print([await attempt('alpha'), await attempt('alpha'), await attempt('tagged'),
           await attempt('outside'), await attempt('undeclared')]);`,
      options,
    );
    const codes = [
      'INSTALL_FAILED',
      'INSTALL_FAILED',
      'INVALID_CONFIG',
      'CONFLICT',
      'INVALID_CONFIG',
    ];
    const named = ['alpha', 'alpha', 'tagged', 'outside', 'undeclared'];
    expect(data).toEqual(
      codes.map((code, index) => ({
        isOurs: true,
        name: 'AnnexError',
        code: `ANNEX_${code}`,
        feature: named[index],
        hint: expect.stringMatching(/./),
        message: expect.stringMatching(FORM),
      })),
    );
    expect(data[0]?.message).toMatch(/E404.*Next try at/);
    expect(registry.requests).toEqual(['GET /alpha']);
    expect(lines.filter((line) => line.startsWith('annex: installing'))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('annex: alpha unavailable'))).toHaveLength(1);
  });

  test('G6: is denied like an import, and starts nothing', async () => {
    const sandbox = await openSandbox(all);
    const env = { ANNEX_ALLOW_INSTALLS: 'false' };
    const body =
      "print([await attempt('alpha'), { is: isAvailable('alpha') }, ...status().features]);";
    const { data, lines } = await run(sandbox, body, { ...options, env });
    expect(data).toMatchObject([
      { isOurs: true, code: 'ANNEX_DENIED', message: expect.stringMatching(FORM) },
      { is: false },
      { feature: 'alpha', where: 'denied' },
      { feature: 'search.beta', where: 'denied' },
      { feature: 'tagged', where: 'denied', refusal: { code: 'ANNEX_INVALID_CONFIG' } },
      { feature: 'outside' },
    ]);
    expect(lines).toEqual([
      expect.stringMatching(/^annex: tagged unavailable/),
      expect.stringMatching(/^annex: alpha unavailable/),
    ]);
    expect(registry.requests).toEqual([]);
  });

  test('without a valid feature the reason is the declaration, not the loader', async () => {
    const sandbox = await openSandbox();
    sandbox.setCore({ features: { beta: 1 } });
    const { data, lines } = await run(sandbox, "print([await attempt('beta')]);", options);
    expect(data).toMatchObject([{ code: 'ANNEX_INVALID_CONFIG' }]);
    expect(lines).toEqual([expect.stringMatching(/^annex: beta unavailable/)]);
  });

  test('after a failure and a repair, the same process gets it without a restart', async () => {
    const sandbox = await openSandbox();
    const cli = join(sandbox.core, 'node_modules/annex/dist/cli/main.js');
    const { data } = await run(
      sandbox,
      `import { execFileSync } from 'node:child_process';
         const failed = await attempt('alpha');
         const env = { ...process.env, npm_config_registry: ${JSON.stringify(registry.url)} };
         execFileSync(process.execPath, [${JSON.stringify(cli)}, 'install', 'alpha'], { env });
         const found = await attempt('alpha');
         print([{ failed: failed.code, where: found.where, marker: (await import('alpha')).marker }]);`,
      { ...options, env: { npm_config_registry: 'http://127.0.0.1:1/' } },
    );
    expect(data).toEqual([{ failed: 'ANNEX_OFFLINE', where: 'store', marker: 'alpha' }]);
  });
});
