/** A remembered failure applies to the same feature in the same configuration. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { hostName } from '../../../src/base/store-layout.ts';
import type { Feature } from '../../../src/settings/feature.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { findRemembered, remember } from '../../../src/status/failure-memory.ts';
import { type Failure, listRemembered } from '../../../src/store/failures.ts';
import {
  alpha,
  ask,
  beta,
  callWith,
  find,
  HOST,
  options,
  refusal,
  root,
  SECRET,
  settings,
  unknown,
  writeLock,
  writeNpmrc,
} from '../../support/memory-world.ts';
import { failurePath } from '../../support/store-paths.ts';
import { removeTree } from '../../support/tree.ts';

describe('another configuration is tried at once:', () => {
  beforeEach(() => {
    writeLock(alpha, 'broken');
    remember(find(alpha), unknown, options);
    expect(ask(alpha)).toBe('its own');
  });

  test('a corrected lock', () => {
    writeLock(alpha, 'corrected');
    expect(ask(alpha)).toBe('free');
    writeLock(alpha, 'broken');
    expect(ask(alpha)).toBe('its own');
  });

  test('a removed lock', () => {
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
    callWith(env, () => remember(find(alpha), unknown, options));
    expect(ask(alpha, { env })).toBe('its own');
    expect(ask(alpha, { env: { [name]: value } })).toBe('free');
  });

  test('a variable in an .npmrc that is set now', () => {
    writeNpmrc(`//${HOST}/:_authToken=\${TOKEN}`);
    remember(find(alpha), unknown, options);
    expect(ask(alpha)).toBe('its own');
    expect(ask(alpha, { env: { TOKEN: SECRET } })).toBe('free');
  });

  test('a registry for a scope in an .npmrc', () => {
    writeNpmrc('@corp:registry=http://corp/');
    expect(ask(alpha)).toBe('free');
  });

  test('other blocked versions, in package.json and in the current operator’s file', () => {
    const item = { name: 'low', range: '*', spec: 'low', by: 'package.json' };
    const operatorFile = join(root, 'operator.json');
    writeFileSync(operatorFile, '{"blocked": []}');
    const other = { ...settings, operatorFile, blocked: [] };
    const findIn = (here: Settings) => findRemembered(find(alpha, here), {});
    expect(findIn({ ...settings, blocked: [item] })).toBeUndefined();
    expect(findIn(other)).toBeDefined();
    writeFileSync(operatorFile, '{"blocked": ["low"]}');
    expect(findIn(other)).toBeUndefined();
  });

  test('another time limit', () => {
    expect(ask(alpha, { timeout: 2000 })).toBe('free');
  });
});

describe('the same configuration is not tried', () => {
  beforeEach(() => remember(find(alpha), refusal, options));

  test('with other variables that do not concern registries', () => {
    const env = { npm_config_cache: '/x', PATH: '/y', LANG: 'C' };
    expect(ask(alpha, { env })).toBe('its own');
  });

  test('with other credentials, when the host does not answer', () => {
    expect(ask(alpha, { env: { 'npm_config_//registry.corp/:_authToken': SECRET } })).toBe(HOST);
    const env = (password: string) => ({
      npm_config_registry: `http://me:${password}@${HOST}/npm`,
      HTTP_PROXY: `http://me:${password}@proxy.corp`,
    });
    callWith(env('a'), () => remember(find(alpha), refusal, options));
    expect(ask(alpha, { env: env('b') })).toBe(HOST);
    expect(ask(alpha, { env: { HTTP_PROXY: 'http://proxy.corp' } })).toBe('free');
  });

  test('unless a retry is requested; later failures count', () => {
    const ignored = listRemembered(settings.store ?? '');
    expect(ask(alpha, { ignored })).toBe('free');
    expect(ask(beta, { ignored })).toBe('free');
    remember(find(alpha), refusal, { ...options, ignored });
    expect(ask(alpha, { ignored })).toBe('its own');
    expect(ask(beta, { ignored })).toBe(HOST);
  });

  test('with a clock that differs from that of the recording process', () => {
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
    remember(find(alpha), refusal, { ...options, ignored });
    expect(ask(alpha, { ignored })).toBe('its own');
  });
});
