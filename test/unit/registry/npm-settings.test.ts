/** npm's settings for fetching: proxies, settings that only npm supports, limits, and the places of files. */
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type NpmSettings, readNpmSettings } from '../../../src/registry/npm-settings.ts';
import { readNpmrc } from '../../../src/registry/npmrc.ts';
import { removeTree } from '../../support/tree.ts';

function makeHome(npmrc = ''): string {
  const home = mkdtempSync(join(realpathSync(tmpdir()), 'annex-npmrc-'));
  onTestFinished(() => removeTree(home));
  writeFileSync(join(home, '.npmrc'), npmrc);
  return home;
}

const read = (npmrc = '', env: Record<string, string> = {}, node?: string): NpmSettings => {
  const home = makeHome(npmrc);
  return readNpmSettings(home, { HOME: home, ...env }, node);
};

describe('the proxy of a URL', () => {
  const https = 'https://registry.example/a';
  const http = 'http://registry.example/a';
  test.each<[string, Record<string, string>, string, string | undefined]>([
    ['', {}, https, undefined],
    ['https-proxy=http://s:1', {}, https, 'http://s:1'],
    ['https-proxy=http://s:1', {}, http, 'http://s:1'],
    ['proxy=http://p:1', {}, https, 'http://p:1'],
    ['proxy=http://p:1\nhttps-proxy=http://s:1', {}, http, 'http://s:1'],
    ['proxy=http://p:1', { HTTPS_PROXY: 'http://e:1' }, https, 'http://p:1'],
    ['proxy=null', { HTTPS_PROXY: 'http://e:1' }, https, 'http://e:1'],
    ['', { https_proxy: 'http://e:1' }, https, 'http://e:1'],
    ['', { HTTP_PROXY: 'http://e:1' }, https, undefined],
    ['', { HTTP_PROXY: 'http://e:1' }, http, 'http://e:1'],
    ['', { HTTP_PROXY: 'http://e:1', HTTPS_PROXY: 'http://s:1' }, http, 'http://s:1'],
    ['', { PROXY: 'http://e:1' }, http, 'http://e:1'],
    ['', { ALL_PROXY: 'http://e:1' }, http, undefined],
    ['', { npm_config_https_proxy: 'http://n:1' }, http, 'http://n:1'],
  ])('%j with %j is for %s %s', (npmrc, env, url, expected) => {
    expect(read(npmrc, env).proxyFor(url)).toBe(expected);
  });

  test.each<[string, string, boolean]>([
    ['registry.example', 'https://registry.example/', true],
    ['example', 'https://registry.example/', true],
    ['.example', 'https://registry.example/', true],
    ['other.example, registry.example', 'https://registry.example/', true],
    ['gistry.example', 'https://registry.example/', false],
    ['registry.example', 'https://example/', false],
    ['registry.example:443', 'https://registry.example/', false],
    ['*', 'https://registry.example/', false],
    ['127.0.0.1', 'http://127.0.0.1:8080/', true],
    ['', 'https://registry.example/', false],
  ])('is not used with no_proxy %j for %s: %s', (list, url, isBypassed) => {
    const direct = isBypassed ? undefined : 'http://p:1';
    expect(read('proxy=http://p:1', { NO_PROXY: list }).proxyFor(url)).toBe(direct);
    expect(read(`proxy=http://p:1\nnoproxy=${list}`).proxyFor(url)).toBe(direct);
  });

  test('is decided by noproxy alone when that is set', () => {
    const settings = read('proxy=http://p:1\nnoproxy=a.example', { NO_PROXY: 'b.example' });
    expect(settings.proxyFor('http://b.example/')).toBe('http://p:1');
  });
});

describe('a setting that only npm supports', () => {
  const url = 'https://registry.example/api/a.tgz';
  test.each<[string, string, string]>([
    [
      'a client certificate of the registry',
      '//registry.example/:certfile=/c\n//registry.example/:keyfile=/k',
      'client certificate',
    ],
    [
      'one beside a token',
      '//registry.example/:_authToken=t\n//registry.example/:certfile=/c\n//registry.example/:keyfile=/k',
      'client certificate',
    ],
    ['a client certificate for all', 'cert=PEM\nkey=PEM', 'client certificate'],
    ['a local address', 'local-address=10.0.0.1', 'local address'],
    ['a sign-in without a registry', '_auth=eDp5', 'without naming the registry'],
    ['a SOCKS proxy', 'proxy=socks5://p:1', 'without an http:// address'],
    ['a proxy over https', 'proxy=https://p:1', 'without an http:// address'],
    ['a proxy that is no address', 'proxy=p.example:1', 'without an http:// address'],
  ])('%s', (_, npmrc, reason) => {
    expect(read(npmrc).indirect(url)).toContain(reason);
  });

  test.each<[string, string]>([
    ['nothing', ''],
    ['a certificate of another host', '//other.example/:certfile=/c\n//other.example/:keyfile=/k'],
    ['a certificate without a key', '//registry.example/:certfile=/c'],
    ['a SOCKS proxy for other hosts', 'proxy=socks5://p:1\nnoproxy=registry.example'],
    ['a token', '//registry.example/:_authToken=t'],
  ])('is not %s', (_, npmrc) => {
    expect(read(npmrc).indirect(url)).toBeUndefined();
  });

  test.each<[string, boolean]>([
    ['20.19.0', false],
    ['22.20.9', false],
    ['22.21.0', true],
    ['23.11.1', false],
    ['24.4.9', false],
    ['24.5.0', true],
    ['25.0.0', true],
    ['26.10.0', true],
  ])('a proxy on Node %s can be used directly: %s', (node, isDirect) => {
    const reason = read('proxy=http://p:1', {}, node).indirect(url);
    expect(reason).toBe(isDirect ? undefined : `Node ${node} cannot use a proxy by itself`);
  });
});

describe('limits', () => {
  test.each<[string, Partial<NpmSettings>]>([
    ['', { idleTimeout: 30_000, maxSockets: 15 }],
    ['', { retries: 2, retryFactor: 10, retryMinimum: 10_000, retryMaximum: 60_000 }],
    ['fetch-timeout=600000', { idleTimeout: 600_000 }],
    ['fetch-timeout=0', { idleTimeout: 0 }],
    ['fetch-timeout=-1', { idleTimeout: 0 }],
    ['fetch-timeout=Infinity', { idleTimeout: 30_000 }],
    ['fetch-retry-mintimeout=5', { retryMinimum: 5 }],
    ['fetch-retry-maxtimeout=120000', { retryMaximum: 120_000 }],
    ['fetch-retry-factor=0', { retryFactor: 1 }],
    ['fetch-retries=0', { retries: 0 }],
    ['fetch-retries=5', { retries: 5 }],
    ['fetch-retry-mintimeout=many', { retryMinimum: 10_000 }],
    ['maxsockets=0', { maxSockets: 1 }],
    ['offline=0', { offline: true }],
    ['offline=false', { offline: false }],
    ['strict-ssl=0', { strictSsl: true }],
    ['strict-ssl=false', { strictSsl: false }],
    ['min-release-age=3', { hasReleaseAge: true }],
    ['before=null', { hasReleaseAge: false }],
  ])('%j', (npmrc, expected) => {
    expect(read(npmrc)).toMatchObject(expected);
  });
});

describe('files', () => {
  const write = (root: string, path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };

  test("npm's own file and the machine's are where Node is installed", () => {
    const root = makeHome();
    write(root, 'node/etc/npmrc', 'a=machine\nb=machine');
    write(root, 'node/lib/node_modules/npm/npmrc', 'b=own\nc=own');
    const { levels, globalConfig } = readNpmrc(root, { HOME: root }, join(root, 'node'));
    expect(Object.assign({}, ...levels.toReversed())).toEqual({
      a: 'machine',
      b: 'machine',
      c: 'own',
    });
    expect(globalConfig).toBe(join(root, 'node/etc/npmrc'));
  });

  test("npm's own file can move the machine's elsewhere", () => {
    const root = makeHome();
    write(root, 'usr/local/etc/npmrc', 'a=machine');
    write(root, 'usr/lib/node_modules/npm/npmrc', `prefix=${join(root, 'usr/local')}`);
    const { globalConfig } = readNpmrc(root, { HOME: root }, join(root, 'usr'));
    expect(globalConfig).toBe(join(root, 'usr/local/etc/npmrc'));
  });

  test('an unreadable or invalid file sets nothing', () => {
    const home = makeHome('\u0000\u0001 = = [\n[[x\n=\n');
    mkdirSync(join(home, 'core/.npmrc'), { recursive: true });
    const settings = readNpmSettings(join(home, 'core'), { HOME: home });
    expect(settings.registryFor('alpha')).toMatch(/^https:/);
  });

  test('a key of Object.prototype sets nothing', () => {
    const settings = read('__proto__=x\nconstructor=x\n[__proto__]\nregistry=http://evil.example/');
    expect(settings.registryFor('alpha')).not.toContain('evil');
    expect(settings.registryFor('@constructor/x')).not.toContain('evil');
  });
});

test('the registry of a scope ends in a slash, and applies to that scope only', () => {
  const settings = read('registry=http://a.example\n@acme:registry=http://b.example/npm');
  expect(settings.registryFor('alpha')).toBe('http://a.example/');
  expect(settings.registryFor('@acme/alpha')).toBe('http://b.example/npm/');
  expect(settings.registryFor('@acme2/alpha')).toBe('http://a.example/');
});
