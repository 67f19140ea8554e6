/** A remembered failure of a host applies to every feature from it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { hostName } from '../../../src/base/store-layout.ts';
import { findRemembered, forget, remember } from '../../../src/status/failure-memory.ts';
import {
  alpha,
  ask,
  beta,
  callWith,
  find,
  HOST,
  options,
  refusal,
  SECRET,
  settings,
  unknown,
  writeNpmrc,
} from '../../support/memory-world.ts';
import { failurePath, failureRoot } from '../../support/store-paths.ts';

describe('a failed host', () => {
  beforeEach(() => remember(find(alpha), refusal, options));

  test('prevents attempts for other features from it', () => {
    expect(ask(beta)).toBe(HOST);
    expect(findRemembered(find(beta), {})).toMatchObject({
      failure: { feature: 'alpha', refusal },
    });
  });

  test('delays the next attempt for a feature until its own', () => {
    const path = failurePath(settings.store ?? '', hostName(HOST));
    const [failure] = JSON.parse(readFileSync(path, 'utf8'));
    const until = failure.until + 10_000;
    writeFileSync(path, JSON.stringify([{ ...failure, until }]));
    expect(findRemembered(find(alpha), {})).toEqual({
      failure: expect.objectContaining({ feature: 'alpha', until }),
      isStored: true,
    });
  });

  test('is remembered until the time that the registry named, for every feature from it', () => {
    forget(find(alpha), Number.POSITIVE_INFINITY);
    const retryAt = Date.now() + 3_600_000;
    remember(find(alpha), { ...refusal, retryAt }, options);
    for (const feature of [alpha, beta]) {
      expect(findRemembered(find(feature), {})?.failure.until).toBeGreaterThanOrEqual(retryAt);
    }
  });

  test('does not affect features from another host or through a proxy', () => {
    expect(ask(beta, { env: { npm_config_registry: 'http://other.corp/' } })).toBe('free');
    expect(ask(beta, { env: { HTTP_PROXY: 'http://proxy.corp' } })).toBe('free');
  });

  test('prevents attempts for a feature with packages from several hosts', () => {
    const env = {
      npm_config_registry: 'http://other.corp/',
      'npm_config_@corp:registry': `http://${HOST}/`,
    };
    callWith(env, () => remember(find(alpha), refusal, options));
    const both = { ...beta, packages: { beta: '*', '@corp/beta': '*' } };
    expect(ask(both, { env })).toBe(HOST);
    expect(ask(beta, { env })).toBe('free');
  });

  test('is cleared by a success, and so is the feature', () => {
    forget(find(beta), Number.POSITIVE_INFINITY);
    expect(ask(beta)).toBe('free');
    expect(ask(alpha)).toBe('its own');
    forget(find(alpha), Number.POSITIVE_INFINITY);
    expect(ask(alpha)).toBe('free');
    expect(readdirSync(failureRoot(settings.store ?? ''))).toEqual([]);
  });

  test('is not cleared by the success of an install that began before it', () => {
    forget(find(beta), Date.now() - 1_000);
    expect(ask(beta)).toBe(HOST);
  });

  test('lasts longer when the registry then names a later time', () => {
    const retryAt = Date.now() + 3_600_000;
    remember(find(beta), { ...refusal, retryAt }, options);
    expect(findRemembered(find(alpha), {})?.failure.until).toBeGreaterThanOrEqual(retryAt);
    remember(find(beta), { ...refusal, retryAt: Date.now() }, options);
    expect(findRemembered(find(alpha), {})?.failure.until).toBeGreaterThanOrEqual(retryAt);
  });

  test('is not remembered for a refusal that names no host', () => {
    forget(find(alpha), Number.POSITIVE_INFINITY);
    remember(find(alpha), unknown, options);
    expect([ask(alpha), ask(beta)]).toEqual(['its own', 'free']);
  });
});

test('records contain hosts, but no paths and no credentials', () => {
  writeNpmrc(`//registry.corp/:_authToken=${SECRET}\nproxy=http://me:${SECRET}@proxy.corp/`);
  const env = { npm_config_registry: `http://me:${SECRET}@${HOST}/npm` };
  callWith(env, () => remember(find(alpha), refusal, options));
  const store = settings.store ?? '';
  for (const name of ['alpha', hostName(HOST)]) {
    const text = readFileSync(failurePath(store, name), 'utf8');
    expect(text).toContain(HOST);
    expect(text).not.toMatch(/s3cr3t|\/npm|proxy/);
  }
});
