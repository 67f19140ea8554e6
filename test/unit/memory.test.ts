/** Which tries a remembered failure says something about: the same feature in the same configuration, and other features from the same host. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { findRemembered, forget, remember } from '../../src/memory.ts';
import { digest } from '../../src/sidecar.ts';
import { type Failure, type Ignored, listRemembered } from '../../src/store/failures.ts';
import { hostName } from '../../src/store/layout.ts';
import type { Feature, Refusal, Settings } from '../../src/types.ts';
import { makeFeature } from '../support/feature.ts';
import { failurePath, failureRoot } from '../support/store-paths.ts';
import { removeTree } from '../support/tree.ts';

const alpha = makeFeature('alpha');
const beta = makeFeature('beta');
const HOST = 'registry.corp:4873';
const SECRET = 's3cr3t';
const refusal: Refusal = {
  code: 'ANNEX_OFFLINE',
  reason: 'no answer',
  hint: 'try later',
  host: HOST,
};
const { host: _, ...unknown } = refusal;

let root: string;
let settings: Settings;
beforeEach(() => {
  root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-memory-'));
  onTestFinished(() => removeTree(root));
  mkdirSync(join(root, 'store/v1'), { recursive: true });
  writeNpmrc('');
  settings = {
    core: { root, realRoot: root },
    store: join(root, 'store'),
    timeout: 1000,
    declaration: { blocked: [] },
    startEnv: {},
  } as unknown as Settings;
  const usual = process.env;
  onTestFinished(() => {
    process.env = usual;
  });
  process.env = { HOME: join(root, 'home'), npm_config_registry: `http://${HOST}/npm` };
});

/** Calls a function in this process with some variables more. */
function callWith<T>(env: Record<string, string>, run: () => T): T {
  const before = process.env;
  process.env = { ...before, ...env };
  try {
    return run();
  } finally {
    process.env = before;
  }
}

const writeNpmrc = (text: string): void => writeFileSync(join(root, '.npmrc'), text);

/** A lock of a feature, as far as reading it goes. */
function writeLock({ slug, packages, scripts }: Feature, note = ''): void {
  const dir = join(root, 'annex', slug);
  mkdirSync(dir, { recursive: true });
  const texts = { 'package.json': '{}', 'package-lock.json': `{"note":"${note}"}` };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(dir, name), text);
  const digests = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, digest(text)]),
  );
  const empty = { shared: {}, ids: {}, packages: {}, platforms: [], private: [], unshared: [] };
  const sidecar = { format: 2, specs: packages, scripts, digests, ...empty };
  writeFileSync(join(dir, 'annex.json'), JSON.stringify(sidecar));
}

const NOTHING: Ignored = new Set();
const options = { command: 'annex install', before: NOTHING };

/** Whether a feature is left alone, and for what: its own failure, or that of a host. */
function ask(feature: Feature, { env = {}, timeout = 1000, ignored = NOTHING } = {}): string {
  const here = { ...settings, timeout };
  const found = callWith(env, () => findRemembered(here, feature, undefined, ignored));
  return found === undefined ? 'free' : (found.host ?? 'its own');
}

describe('another configuration is tried at once', () => {
  beforeEach(() => {
    writeLock(alpha, 'broken');
    remember(settings, alpha, unknown, options);
    expect(ask(alpha)).toBe('its own');
  });

  test('a lock that was mended', () => {
    writeLock(alpha, 'mended');
    expect(ask(alpha)).toBe('free');
    writeLock(alpha, 'broken');
    expect(ask(alpha)).toBe('its own');
  });

  test('no lock any more', () => {
    removeTree(join(root, 'annex'));
    expect(ask(alpha)).toBe('free');
  });

  test.each<[string, Partial<Feature>]>([
    ['ranges', { packages: { alpha: '^1.0.1' } }],
    ['packages', { packages: { alpha: '^1.0.0', beta: '*' } }],
    ['scripts', { scripts: ['alpha'] }],
    ['conflicts', { conflicts: 'nest' }],
    ['share', { share: false }],
    ['name, with the same slug', { name: 'Alpha' }],
  ])('other %s', (_what, change) => {
    expect(ask({ ...alpha, ...change })).toBe('free');
  });

  test.each([
    ['npm_config_registry', 'http://other.corp/'],
    ['npm_config_registry', `http://${HOST}/other`],
    ['npm_config_https_proxy', 'http://proxy.corp'],
    ['HTTPS_PROXY', 'http://proxy.corp'],
    ['no_proxy', 'registry.corp'],
    ['npm_config_offline', 'true'],
    ['npm_config_cafile', '/etc/corp.pem'],
    ['npm_config_min_release_age', '0'],
  ])('with %s=%s', (name, value) => {
    expect(ask(alpha, { env: { [name]: value } })).toBe('free');
  });

  test.each([
    ['npm_config_//registry.corp/:_authToken', 'other'],
    ['npm_config_//other.corp/:_password', 'other'],
    ['npm_config_https_proxy', 'http://me:other@proxy.corp'],
    ['npm_config_registry', `http://me:other@${HOST}/npm`],
    ['HTTP_PROXY', 'http://me:other@proxy.corp'],
  ])('signed in by another %s', (name, value) => {
    const env = { [name]: value.replace('other', 'one') };
    callWith(env, () => remember(settings, alpha, unknown, options));
    expect(ask(alpha, { env })).toBe('its own');
    expect(ask(alpha, { env: { [name]: value } })).toBe('free');
  });

  test('a variable that is set by now, to which an .npmrc refers', () => {
    writeNpmrc(`//${HOST}/:_authToken=\${TOKEN}`);
    remember(settings, alpha, unknown, options);
    expect(ask(alpha)).toBe('its own');
    expect(ask(alpha, { env: { TOKEN: SECRET } })).toBe('free');
  });

  test('a registry in an .npmrc, of a scope too', () => {
    writeNpmrc('@corp:registry=http://corp/');
    expect(ask(alpha)).toBe('free');
  });

  test('what is blocked, in package.json and in the operator’s file as it is now', () => {
    const item = { name: 'low', range: '*', spec: 'low', by: 'package.json' };
    const declaration = { ...settings.declaration, blocked: [item] };
    const operatorFile = join(root, 'operator.json');
    writeFileSync(operatorFile, '{"blocked": []}');
    const other = { ...settings, operatorFile, blocked: [] };
    const find = (here: Settings) => findRemembered(here, alpha, undefined, NOTHING);
    expect(find({ ...settings, declaration })).toBeUndefined();
    expect(find(other)).toBeDefined();
    writeFileSync(operatorFile, '{"blocked": ["low"]}');
    expect(find(other)).toBeUndefined();
  });

  test('more time', () => {
    expect(ask(alpha, { timeout: 2000 })).toBe('free');
  });
});

describe('the same configuration is not', () => {
  beforeEach(() => remember(settings, alpha, refusal, options));

  test('whatever has nothing to do with places', () => {
    const env = { npm_config_cache: '/x', PATH: '/y', LANG: 'C' };
    expect(ask(alpha, { env })).toBe('its own');
  });

  test('where the host does not answer, whoever signs in', () => {
    expect(ask(alpha, { env: { 'npm_config_//registry.corp/:_authToken': SECRET } })).toBe(HOST);
    const env = (password: string) => ({
      npm_config_registry: `http://me:${password}@${HOST}/npm`,
      HTTP_PROXY: `http://me:${password}@proxy.corp`,
    });
    callWith(env('a'), () => remember(settings, alpha, refusal, options));
    expect(ask(alpha, { env: env('b') })).toBe(HOST);
    expect(ask(alpha, { env: { HTTP_PROXY: 'http://proxy.corp' } })).toBe('free');
  });

  test('unless somebody asks for it anew; what others find out after that counts', () => {
    const ignored = listRemembered(settings.store ?? '');
    expect(ask(alpha, { ignored })).toBe('free');
    expect(ask(beta, { ignored })).toBe('free');
    remember(settings, alpha, refusal, { ...options, before: ignored });
    expect(ask(alpha, { ignored })).toBe('its own');
    expect(ask(beta, { ignored })).toBe(HOST);
  });

  test('whatever the clock says of whoever remembered it', () => {
    for (const name of ['alpha', hostName(HOST)]) {
      const path = failurePath(settings.store ?? '', name);
      const ahead = 10 * 60_000;
      const later = (failure: Failure) => ({
        ...failure,
        at: failure.at + ahead,
        until: failure.until + ahead - 60_000,
      });
      writeFileSync(path, JSON.stringify(JSON.parse(readFileSync(path, 'utf8')).map(later)));
    }
    expect([ask(alpha), ask(beta)]).toEqual(['its own', HOST]);
    const ignored = listRemembered(settings.store ?? '');
    expect([ask(alpha, { ignored }), ask(beta, { ignored })]).toEqual(['free', 'free']);
    remember(settings, alpha, refusal, { ...options, before: ignored });
    expect(ask(alpha, { ignored })).toBe('its own');
  });
});

describe('a host', () => {
  beforeEach(() => remember(settings, alpha, refusal, options));

  test('other features from it are left alone too', () => {
    expect(ask(beta)).toBe(HOST);
    expect(findRemembered(settings, beta, undefined, NOTHING)).toMatchObject({
      failure: { feature: 'alpha', refusal },
    });
  });

  test('that may not be tried for longer is what the next try of the feature waits for', () => {
    const path = failurePath(settings.store ?? '', hostName(HOST));
    const [failure] = JSON.parse(readFileSync(path, 'utf8'));
    const until = failure.until + 10_000;
    writeFileSync(path, JSON.stringify([{ ...failure, until }]));
    expect(findRemembered(settings, alpha, undefined, NOTHING)).toEqual({
      failure: expect.objectContaining({ feature: 'alpha', until }),
      isStored: true,
    });
  });

  test('those from elsewhere are not, nor are those asked through a proxy', () => {
    expect(ask(beta, { env: { npm_config_registry: 'http://other.corp/' } })).toBe('free');
    expect(ask(beta, { env: { HTTP_PROXY: 'http://proxy.corp' } })).toBe('free');
  });

  test('a feature with packages from several is left alone when one of them failed', () => {
    const env = {
      npm_config_registry: 'http://other.corp/',
      'npm_config_@corp:registry': `http://${HOST}/`,
    };
    callWith(env, () => remember(settings, alpha, refusal, options));
    const both = { ...beta, packages: { beta: '*', '@corp/beta': '*' } };
    expect(ask(both, { env })).toBe(HOST);
    expect(ask(beta, { env })).toBe('free');
  });

  test('a success clears it, and the feature', () => {
    forget(settings, beta);
    expect(ask(beta)).toBe('free');
    expect(ask(alpha)).toBe('its own');
    forget(settings, alpha);
    expect(ask(alpha)).toBe('free');
    expect(readdirSync(failureRoot(settings.store ?? ''))).toEqual([]);
  });

  test('a refusal that names none is of the feature alone', () => {
    forget(settings, alpha);
    remember(settings, alpha, unknown, options);
    expect([ask(alpha), ask(beta)]).toEqual(['its own', 'free']);
  });
});

test('what is written names hosts, and neither paths nor credentials', () => {
  writeNpmrc(`//registry.corp/:_authToken=${SECRET}\nproxy=http://me:${SECRET}@proxy.corp/`);
  const env = { npm_config_registry: `http://me:${SECRET}@${HOST}/npm` };
  callWith(env, () => remember(settings, alpha, refusal, options));
  const store = settings.store ?? '';
  for (const name of ['alpha', hostName(HOST)]) {
    const text = readFileSync(failurePath(store, name), 'utf8');
    expect(text).toContain(HOST);
    expect(text).not.toMatch(/s3cr3t|\/npm|proxy/);
  }
});
