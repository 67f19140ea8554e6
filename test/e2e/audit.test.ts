/** `annex audit`: npm's own report over the versions in use. */
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { copyLocks } from '../support/lock-files.ts';
import {
  audit,
  both,
  common,
  declare,
  list,
  locked,
  registry,
  run,
  sandbox,
  ship,
} from '../support/report-world.ts';

describe('annex audit', () => {
  test('without an advisory it exits with 0', async () => {
    copyLocks(locked, sandbox);
    expect(await run('audit')).toMatchObject({
      code: 0,
      stdout: 'found 0 vulnerabilities\n',
      stderr: '',
    });
  });

  test('an advisory on a package of the lock is reported, with exit code 1', async () => {
    copyLocks(locked, sandbox);
    registry.advise('alpha', '<2');
    const { code, stdout } = await run('audit', 'kit');
    expect(code).toBe(1);
    expect(stdout).toContain('alpha is broken - https://advisories.invalid/1001\n');
    expect(await audit()).toEqual({ code: 1, stderr: '', found: ['alpha', 'kit'] });
  });

  test('an advisory on a package of an entry is reported', async () => {
    declare(both);
    expect((await run('install', '--all')).code).toBe(0);
    registry.advise('alpha', '*');
    registry.advise('@acme/other.js', '3.0.0');
    const { code, found } = await audit();
    expect(code).toBe(1);
    expect(new Set(found)).toEqual(new Set(['@acme/other.js', 'alpha', 'kit']));
    expect(await audit('@acme/other.js')).toMatchObject({ code: 1, found: ['@acme/other.js'] });
  });

  test.each(['locked', 'installed'])(
    "a shared dependency counts at core's present version: %s",
    async (how) => {
      if (how === 'locked') copyLocks(locked, sandbox);
      else expect((await run('install', 'kit')).code).toBe(0);
      registry.advise('common', '1.7.0');
      expect(await audit()).toEqual({ code: 0, stderr: '', found: [] });
      ship(common('1.7.0'));
      expect((await audit()).found).toContain('common');
      // A matter of the core, and of another version in the lock.
      registry.advise('deep', '*');
      expect((await audit()).found).not.toContain('deep');
      expect(registry.audited).toEqual([
        { alpha: ['1.0.0'], common: ['1.2.0'], kit: ['1.0.0'] },
        ...[1, 2].map(() => ({ alpha: ['1.0.0'], common: ['1.7.0'], kit: ['1.0.0'] })),
      ]);
    },
  );

  test('a feature that core ships is left out with a line, even if it is locked and installed', async () => {
    declare(both);
    copyLocks(locked, sandbox);
    expect((await run('install', '--all')).code).toBe(0);
    ship(esmPackage('@acme/other.js', '3.1.0', 'of core'));
    const dependencies = { common: '*', '@acme/other.js': '*' };
    sandbox.setCore({ features: both }, { name: '@acme/app', dependencies });
    registry.advise('@acme/other.js', '*');
    const { code, found, stderr } = await audit();
    expect({ code, found }).toEqual({ code: 0, found: [] });
    expect(stderr).toBe(
      "annex: @acme/other.js is left out: the application ships it, and npm reports it from the application's own lock\n",
    );
    expect(registry.audited.flatMap((asked) => Object.keys(asked))).not.toContain('@acme/other.js');
  });

  test('a feature that cannot be read is named, with exit code 1', async () => {
    declare({ ...both, bad: 'latest' });
    copyLocks(locked, sandbox, 'kit');
    const { code, found, stderr } = await audit();
    expect({ code, found }).toEqual({ code: 1, found: [] });
    expect(stderr).toMatch(
      /^annex: @acme\/other\.js is left out: it is neither locked nor installed$/m,
    );
    expect(stderr).toMatch(
      /^annex: bad is left out: annex\.features\["bad"\] in .* which is a tag, /m,
    );
    sandbox.write('app/annex/kit/package.json', '{}');
    const other = await run('audit', 'kit');
    expect(other).toMatchObject({ code: 1, stdout: '' });
    expect(other.stderr).toMatch(/^annex: kit is left out: .*kit\/package\.json is not the file/m);
  });

  test('no setting of npm leaves anything out; offline the exit code is 1', async () => {
    copyLocks(locked, sandbox);
    registry.advise('alpha', '*');
    sandbox.write('app/.npmrc', 'workspaces=false\nomit[]=optional\naudit=false\n');
    expect(await audit()).toEqual({ code: 1, stderr: '', found: ['alpha', 'kit'] });
    expect((await list()).purls).toContain('pkg:npm/alpha@1.0.0');
    sandbox.write('app/.npmrc', 'offline=true\n');
    const { code, stdout, stderr } = await run('audit');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^annex: npm is set to offline, and .*\(ANNEX_OFFLINE\)/);
  });

  test('it signs in as the core does, and does not print the token', async () => {
    copyLocks(locked, sandbox);
    const host = new URL(registry.url).host;
    sandbox.write('app/.npmrc', `//${host}/:_authToken=\${TOKEN}\n`);
    registry.fault({ kind: 'status', status: 401, times: 2 }, /^POST/);
    const env = { TOKEN: 'sEcReT' };
    const refused = await sandbox.annex(['audit'], { env });
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).not.toContain('sEcReT');
    expect(refused.stderr).toMatch(/answered 401 for advisories .*Now: give npm a valid token/);
    expect((await sandbox.annex(['audit'], { env })).code).toBe(0);
    const posts = registry.requests.flatMap((line, index) =>
      line.startsWith('POST') ? [registry.authorizations[index]] : [],
    );
    expect(posts).toEqual(['Bearer sEcReT', 'Bearer sEcReT', 'Bearer sEcReT']);
  });

  test.each([404, 405, 501])(
    'a registry that has no advisories (%i) is named in one line, with the remedy',
    async (status) => {
      copyLocks(locked, sandbox);
      // The second run of npm links it again.
      sandbox.write('app/.npmrc', 'audit=false\n');
      registry.fault({ kind: 'status', status }, /^POST/);
      const { host } = new URL(registry.url);
      const reason = `registry ${host} has no advisories: it answered ${status}`;
      const hint =
        'ask the public registry: npm_config_registry=https://registry.npmjs.org npx annex audit';
      expect(await run('audit')).toMatchObject({
        code: 1,
        stdout: '',
        stderr: `annex: ${reason} (ANNEX_INVALID_CONFIG). Now: ${hint}\n`,
      });
      const { code, stdout } = await run('audit', '--json');
      expect(code).toBe(1);
      expect(JSON.parse(stdout).error).toEqual({ code: 'ANNEX_INVALID_CONFIG', reason, hint });
    },
  );

  test('a registry that fails or is not there is named as well', async () => {
    copyLocks(locked, sandbox);
    registry.fault({ kind: 'status', status: 503 }, /^POST/);
    const { host } = new URL(registry.url);
    const failed = await run('audit');
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toMatch(
      /^annex: registry \S+ answered 503 for advisories \(ANNEX_OFFLINE/,
    );
    await registry.stop();
    const { code, stdout, stderr } = await run('audit');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^annex: registry \S+ cannot be reached \(ECONNREFUSED\) \(ANNEX_OFFLINE\)\. Now: check the network/,
    );
    expect(stderr).toContain(host);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
