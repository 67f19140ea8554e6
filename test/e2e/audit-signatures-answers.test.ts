/** `annex audit signatures`: what locks and registries can answer beside a valid signature. */
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { lock, lockBefore, node, readLock } from '../support/lock-files.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { makeSigner } from '../support/signing.ts';

const open = lockBefore({
  packages: [
    dependentPackage('kit', '1.0.0', 'kit', { part: '*' }),
    esmPackage('part', '2.0.0', 'part'),
  ],
  annex: { features: { kit: '^1.0.0' } },
});

const audit = async (sandbox: Sandbox) => {
  const { code, stdout } = await sandbox.annex(['audit', 'signatures', '--json']);
  return { code, ...JSON.parse(stdout) };
};

describe(node.label, () => {
  test('two locks with other tarballs of one version have a result each', async () => {
    const { sandbox, registry } = await open();
    await registry.add(esmPackage('part', '2.0.0', 'other bytes'));
    await registry.add(dependentPackage('more', '1.0.0', 'more', { part: '*' }));
    sandbox.setCore({ features: { kit: '^1.0.0', more: '^1.0.0' } });
    await lock(sandbox, 'more');
    registry.signer = makeSigner();
    const { code, signatures } = await audit(sandbox);
    expect(code).toBe(1);
    expect(signatures).toMatchObject([
      { name: 'kit', state: 'verified' },
      { name: 'more', state: 'verified' },
      { name: 'part', state: 'invalid', reason: 'the signature is not of the locked tarball' },
      { name: 'part', state: 'verified' },
    ]);
  });

  test('of long lists of versions only what is compared stays in memory', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `part-${index}`);
    const any = Object.fromEntries(names.map((name) => [name, '*']));
    const packages = names.map((name) => esmPackage(name, '1.0.0', name));
    const { sandbox, registry } = await open();
    await registry.add(...packages, dependentPackage('many', '1.0.0', 'many', any));
    sandbox.setCore({ features: { many: '^1.0.0' } });
    await lock(sandbox);
    registry.signer = makeSigner();
    for (const name of names) {
      const packument = (await (await fetch(`${registry.url}/${name}`)).json()) as object;
      const body = JSON.stringify({ ...packument, readme: '.'.repeat(7e6) });
      registry.fault({ kind: 'page', body }, new RegExp(`GET /${name}$`));
    }
    const env = { NODE_OPTIONS: '--max-old-space-size=64' };
    const { code, stderr } = await sandbox.annex(['audit', 'signatures'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test.each([/keys$/, /GET \/kit$/])(
    'a page in place of an answer fails, and nothing is recorded: %s',
    async (match) => {
      const { sandbox, registry } = await open();
      registry.signer = makeSigner();
      const { texts } = readLock(sandbox, 'kit');
      registry.fault({ kind: 'page', body: '<html>sign in</html>' }, match);
      const { code, error } = await audit(sandbox);
      expect({ code, error }).toMatchObject({
        code: 1,
        error: {
          code: 'ANNEX_INSTALL_FAILED',
          reason: expect.stringContaining('does not answer with a JSON object'),
        },
      });
      expect(readLock(sandbox, 'kit').texts).toEqual(texts);
    },
  );

  test.each([[['audit', 'signatures']], [['lock', '--check', '--online']]])(
    '%j asks nothing where npm is set to offline',
    async (args) => {
      const { sandbox, registry } = await open();
      sandbox.write('app/.npmrc', 'offline=true\n');
      const { code, stderr } = await sandbox.annex(args);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^annex: npm is set to offline, and .*\(ANNEX_OFFLINE\)/);
      expect(registry.requests).toEqual([]);
    },
  );
});
