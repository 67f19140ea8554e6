/** Failures are remembered by all processes of a store, for as long as the backoff lasts. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn, splitLines } from '../support/importer.ts';
import { lockBefore } from '../support/lock-files.ts';
import { makeGate, type Registry, startRegistry } from '../support/registry.ts';
import type { Sandbox } from '../support/sandbox.ts';

const names = ['alpha', 'beta', '@corp/gamma'];
const features = Object.fromEntries(names.map((name) => [name, '^1.0.0']));
const EIGHT = Array.from({ length: 8 }, (_, index) => index);

const packages = names.map((name) => esmPackage(name, '1.0.0', name));

const open = lockBefore({ packages, annex: { features } });
let registry: Registry;
let sandbox: Sandbox;
beforeEach(async () => {
  ({ registry, sandbox } = await open());
});

const host = () => new URL(registry.url).host;
const failures = () => join(sandbox.store, 'v1', 'failures');

/** No delay between two tries. */
const usual = () => ({ ANNEX_STORE: sandbox.store, npm_config_fetch_retry_mintimeout: '1' });

function load(wanted: string[], env: Record<string, string> = {}) {
  return importIn(sandbox, wanted, { env: { ...usual(), ...env } });
}

/** Runs a program that calls ensure; returns its output and the lines on stderr. */
async function call(body: string, env: Record<string, string> = {}) {
  const text = `import { ensure } from 'annex';
    const attempt = (...args) => ensure(...args).then(({ where }) => where, ({ message }) => message);
    ${body}`;
  const program = sandbox.write(`app/call-${text.length}.mjs`, text);
  const { stdout, stderr } = await sandbox.run(['--import', sandbox.loader, program], {
    env: { ...usual(), ...env },
  });
  return { said: splitLines(stdout), lines: splitLines(stderr) };
}

const countTries = (lines: string[]): number =>
  lines.filter((line) => line.startsWith('annex: installing')).length;

describe('an unreachable registry', () => {
  test('eight processes make one attempt, and a ninth gets its reason', async () => {
    await registry.stop();
    const runs = await Promise.all(EIGHT.map(() => load(['alpha'])));
    for (const { imported } of runs) {
      expectRefused(imported.alpha, 'ANNEX_OFFLINE', /ECONNREFUSED.*Next try at/, 'alpha');
    }
    expect(countTries(runs.flatMap(({ lines }) => lines))).toBe(1);
    const { imported, lines } = await load(['alpha']);
    expectRefused(imported.alpha, 'ANNEX_OFFLINE', /ECONNREFUSED.*Next try at/, 'alpha');
    expect(lines).toEqual([imported.alpha?.cause?.message]);
  });

  test('after the delay one of eight processes retries, and the next delay is longer', async () => {
    registry.fault({ kind: 'status', status: 503 });
    await load(['alpha']);
    for (const name of readdirSync(failures())) {
      const path = join(failures(), name);
      const [record] = JSON.parse(readFileSync(path, 'utf8'));
      const past = { at: record.at - 60_000, until: record.until - 60_000 };
      writeFileSync(path, JSON.stringify([{ ...record, ...past }]));
    }
    const runs = await Promise.all(EIGHT.map(() => load(['alpha'])));
    for (const { imported } of runs) expectRefused(imported.alpha, 'ANNEX_OFFLINE', /503/, 'alpha');
    expect(countTries(runs.flatMap(({ lines }) => lines))).toBe(1);
    for (const name of readdirSync(failures())) {
      const [record] = JSON.parse(readFileSync(join(failures(), name), 'utf8'));
      expect({ name, attempts: record.attempts }).toEqual({ name, attempts: 2 });
      expect(record.until - record.at).toBeGreaterThanOrEqual(48_000);
    }
  });

  test('the process that failed has the same delay as the store', async () => {
    registry.fault({ kind: 'status', status: 503 });
    const { said, lines } = await call(`
      import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
      console.log(await attempt('alpha'));
      for (const name of readdirSync('${failures()}')) {
        const path = '${failures()}/' + name;
        const [record] = JSON.parse(readFileSync(path, 'utf8'));
        writeFileSync(path, JSON.stringify([{ ...record, until: Date.now() - 1 }]));
      }
      console.log(await attempt('alpha'));`);
    expect(said).toEqual([expect.stringMatching(/503/), expect.stringMatching(/503/)]);
    expect(countTries(lines)).toBe(2);
  });

  test('another feature from the same host is not tried, and its error says why; one from another host is', async () => {
    const other = await startRegistry(packages);
    sandbox.write('app/.npmrc', `@corp:registry=${other.url}\n`);
    await registry.stop();
    const first = await load(['alpha', 'beta', '@corp/gamma']);
    expectRefused(first.imported.alpha, 'ANNEX_OFFLINE', /ECONNREFUSED/, 'alpha');
    const message = new RegExp(`${host()} failed for alpha: .*ECONNREFUSED.*Next try at`);
    expectRefused(first.imported.beta, 'ANNEX_OFFLINE', message, 'beta');
    expect(first.imported.beta?.cause?.hint).toMatch(/, then npx annex install beta$/);
    expect(first.imported['@corp/gamma']?.marker).toBe('@corp/gamma');
    expect(countTries(first.lines)).toBe(2);
    const list = await sandbox.annex(['list'], { env: usual() });
    expect(list.stdout).toMatch(/^beta .* failed .*failed for alpha/m);
  });

  test('a success with that host clears it', async () => {
    registry.fault({ kind: 'status', status: 503 });
    await load(['alpha']);
    registry.fault(undefined);
    expectRefused(
      (await load(['beta'])).imported.beta,
      'ANNEX_OFFLINE',
      /failed for alpha/,
      'beta',
    );
    const retried = await sandbox.annex(['install', 'beta'], { env: usual() });
    expect(retried.code).toBe(0);
    expect(readdirSync(failures())).toEqual(['alpha.json']);
    const { imported } = await load(['@corp/gamma', 'alpha']);
    expect(imported['@corp/gamma']?.marker).toBe('@corp/gamma');
    expectRefused(imported.alpha, 'ANNEX_OFFLINE', /503/, 'alpha');
  });

  test('a command tries it once, for however many features', async () => {
    await registry.stop();
    for (const time of ['first', 'second']) {
      const { code, stderr } = await sandbox.annex(['install', '--all'], { env: usual() });
      expect({ time, code }).toEqual({ time, code: 1 });
      const lines = splitLines(stderr);
      expect(countTries(lines)).toBe(1);
      for (const name of names.slice(1)) {
        expect(stderr).toMatch(new RegExp(`^annex: ${name} unavailable .*failed for alpha`, 'm'));
      }
    }
  });

  test('features that fail side by side are one failure of the host', async () => {
    const { until, letGo } = makeGate();
    registry.fault({ kind: 'status', status: 503, until });
    const running = Promise.all(names.map((name) => load([name])));
    await expect.poll(() => registry.requests.length).toBe(names.length);
    letGo();
    await running;
    const [file = ''] = readdirSync(failures()).filter((name) => name.startsWith('@'));
    expect(JSON.parse(readFileSync(join(failures(), file), 'utf8'))).toMatchObject([
      { attempts: 1 },
    ]);
  });

  test('another registry is tried at once, and the failure with the first one stays', async () => {
    const dead = { npm_config_registry: 'http://127.0.0.1:1/' };
    await load(['alpha'], dead);
    const again = await load(['beta'], dead);
    expectRefused(again.imported.beta, 'ANNEX_OFFLINE', /127\.0\.0\.1:1 failed for alpha/, 'beta');
    expect((await load(['beta'])).imported.beta?.marker).toBe('beta');
    const still = await load(['alpha'], dead);
    expectRefused(still.imported.alpha, 'ANNEX_OFFLINE', /ECONNREFUSED/, 'alpha');
    expect(still.lines).toEqual([still.imported.alpha?.cause?.message]);
  });
});

describe('a missing package', () => {
  test('is not a failure of its host', async () => {
    registry.fault({ kind: 'status', status: 404 }, /alpha/);
    const { imported } = await load(['alpha', 'beta']);
    expectRefused(imported.alpha, 'ANNEX_INSTALL_FAILED', /404/, 'alpha');
    expect(imported.beta?.marker).toBe('beta');
  });
});

describe('a lock', () => {
  test('is tried at once after a repair, also by running processes', async () => {
    const path = join(sandbox.core, 'annex', 'alpha', 'annex.json');
    const good = readFileSync(path, 'utf8');
    const wrong = good.replace(/("listing": ")[0-9a-f]{12}/, '$1000000000000');
    writeFileSync(path, wrong);
    const { said } = await call(
      `import { writeFileSync } from 'node:fs';
       console.log(await attempt('alpha'));
       console.log(await attempt('alpha'));
       writeFileSync(${JSON.stringify(path)}, ${JSON.stringify(good)});
       console.log(await attempt('alpha'));`,
    );
    const refused = expect.stringMatching(/ANNEX_INTEGRITY.*Next try at/);
    expect(said).toEqual([refused, refused, 'store']);
  });
});

describe('ensure with retry', () => {
  test('retries a failed feature, and one from a failed host, at once', async () => {
    registry.fault({ kind: 'status', status: 503 });
    await load(['alpha']);
    registry.fault(undefined);
    const { said, lines } = await call(
      `for (const options of [{}, { retry: false }, { retry: true }]) {
         console.log(await attempt('alpha', options));
       }
       console.log(await attempt('beta', { retry: true }));`,
    );
    const refused = expect.stringMatching(/ANNEX_OFFLINE.*Next try at/);
    expect(said).toEqual([refused, refused, 'store', 'store']);
    expect(lines.filter((line) => line.startsWith('annex: alpha unavailable'))).toHaveLength(1);
    expect(countTries(lines)).toBe(2);
    expect(readdirSync(failures())).toEqual([]);
  });

  test('also retries in the process that failed, and a new failure is remembered as the first', async () => {
    registry.fault({ kind: 'status', status: 503 });
    const { said, lines } = await call(
      `console.log(await attempt('alpha'));
       console.log(await attempt('alpha', { retry: true }));
       console.log(await attempt('alpha'));`,
    );
    expect(said).toEqual([1, 2, 3].map(() => expect.stringMatching(/503.*Next try at/)));
    expect(countTries(lines)).toBe(2);
    const [record] = JSON.parse(readFileSync(join(failures(), 'alpha.json'), 'utf8'));
    expect(record).toMatchObject({ attempts: 1 });
  });

  test('does not open a closed gate', async () => {
    const { said } = await call(`console.log(await attempt('alpha', { retry: true }));`, {
      ANNEX_ALLOW_INSTALLS: 'false',
    });
    expect(said).toEqual([expect.stringMatching(/ANNEX_DENIED/)]);
    expect(registry.requests).toEqual([]);
  });
});
