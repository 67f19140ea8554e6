/** A remembered failure of a host holds for every feature from it. */
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

describe('a host', () => {
  beforeEach(() => remember(find(alpha), refusal, options));

  test('other features from it are left alone too', () => {
    expect(ask(beta)).toBe(HOST);
    expect(findRemembered(find(beta), {})).toMatchObject({
      failure: { feature: 'alpha', refusal },
    });
  });

  test('that may not be tried for longer is what the next try of the feature waits for', () => {
    const path = failurePath(settings.store ?? '', hostName(HOST));
    const [failure] = JSON.parse(readFileSync(path, 'utf8'));
    const until = failure.until + 10_000;
    writeFileSync(path, JSON.stringify([{ ...failure, until }]));
    expect(findRemembered(find(alpha), {})).toEqual({
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
    callWith(env, () => remember(find(alpha), refusal, options));
    const both = { ...beta, packages: { beta: '*', '@corp/beta': '*' } };
    expect(ask(both, { env })).toBe(HOST);
    expect(ask(beta, { env })).toBe('free');
  });

  test('a success clears it, and the feature', () => {
    forget(find(beta));
    expect(ask(beta)).toBe('free');
    expect(ask(alpha)).toBe('its own');
    forget(find(alpha));
    expect(ask(alpha)).toBe('free');
    expect(readdirSync(failureRoot(settings.store ?? ''))).toEqual([]);
  });

  test('a refusal that names none is of the feature alone', () => {
    forget(find(alpha));
    remember(find(alpha), unknown, options);
    expect([ask(alpha), ask(beta)]).toEqual(['its own', 'free']);
  });
});

test('what is written names hosts, and neither paths nor credentials', () => {
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
