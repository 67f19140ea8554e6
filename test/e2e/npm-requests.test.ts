/** Requests that annex sends to registries, compared with those of npm under the same settings. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createFetcher } from '../../src/registry/fetch.ts';
import { readNpmSettings } from '../../src/registry/npm-settings.ts';
import { esmPackage } from '../support/fixtures.ts';
import { packFixture } from '../support/package.ts';
import { type Registry, type RegistryOptions, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Requests to a registry, with their credentials. */
const listAsked = (registry: Registry): string[] => {
  const asked = registry.requests.map((line, i) => `${line} ${registry.authorizations[i]}`);
  registry.requests.length = 0;
  registry.authorizations.length = 0;
  return asked;
};

/** An environment as of an installer: only the variables that npm needs. */
const envOf = (sandbox: Sandbox, env: Record<string, string>): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  HOME: sandbox.home,
  npm_config_cache: join(sandbox.root, 'cache'),
  npm_config_update_notifier: 'false',
  npm_config_audit: 'false',
  ...env,
});

describe('annex sends the same requests for a locked closure as npm ci', () => {
  interface Case {
    /** Lines of the core's .npmrc; HOST is the registry's. */
    npmrc: string[];
    registry?: RegistryOptions;
    name?: string;
    /** Its URL in the lock; URL is that of the registry. */
    resolved?: string;
    env?: Record<string, string>;
    user?: string[];
  }
  const cases: Record<string, Case> = {
    'without a sign-in': { npmrc: ['registry=URL/'] },
    'with a token': { npmrc: ['registry=URL', '//HOST/:_authToken=t0ken'] },
    'with a token for another port': { npmrc: ['registry=URL', '//127.0.0.1/:_authToken=t0ken'] },
    'with a key that does not end in a slash': {
      npmrc: ['registry=URL', '//HOST:_authToken=t0ken'],
    },
    'with user and password': {
      npmrc: ['registry=URL', '//HOST/:username=me', `//HOST/:_password=${base64('pässwort=')}`],
    },
    'with a user alone': { npmrc: ['registry=URL', '//HOST/:username=me'] },
    'with _auth': { npmrc: ['registry=URL', `//HOST/:_auth=${base64('me:word')}`] },
    'with _auth and a token': {
      npmrc: ['registry=URL', `//HOST/:_auth=${base64('me:word')}`, '//HOST/:_authToken=t0ken'],
    },
    'with a token for the host and one for the path': {
      registry: { base: '/api/npm' },
      npmrc: ['registry=URL/', '//HOST/:_authToken=host', '//HOST/api/npm/:_authToken=path'],
    },
    'with a token for a path above': {
      registry: { base: '/api/npm' },
      npmrc: ['registry=URL/', '//HOST/api/:_authToken=above'],
    },
    'with a token for half a name': {
      registry: { base: '/api/npm' },
      npmrc: ['registry=URL/', '//HOST/ap:_authToken=half', '//HOST/ap/:_authToken=half'],
    },
    'with a token for the registry and the tarball elsewhere on its host': {
      npmrc: ['registry=URL/api/npm/', '//HOST/api/npm/:_authToken=t0ken'],
    },
    "with a token for the scope's registry and the tarball elsewhere on its host": {
      name: '@acme/alpha',
      npmrc: ['@acme:registry=URL/api/npm/', '//HOST/api/npm/:_authToken=t0ken'],
    },
    "with a token for another scope's registry on its host": {
      name: '@acme/alpha',
      npmrc: ['@other:registry=URL/api/npm/', '//HOST/api/npm/:_authToken=t0ken'],
    },
    'with a token in a variable': {
      npmrc: ['registry=URL', '//HOST/:_authToken=$' + '{MY_TOKEN}'],
      env: { MY_TOKEN: 'from-env' },
    },
    'with a token in a variable that is not set': {
      npmrc: ['registry=URL', '//HOST/:_authToken=$' + '{MY_TOKEN}'],
    },
    'with a token in an optional variable': {
      npmrc: ['registry=URL', '//HOST/:_authToken=a$' + '{MY_TOKEN?}b'],
    },
    'with an escaped variable': {
      npmrc: ['registry=URL', '//HOST/:_authToken=\\\\$' + '{MY_TOKEN}'],
      env: { MY_TOKEN: 'from-env' },
    },
    'with a host in a variable': {
      npmrc: ['registry=URL', '//$' + '{MY_HOST}:_authToken=t0ken'],
      env: { MY_HOST: '127.0.0.1' },
    },
    "with the user's token": { npmrc: ['registry=URL'], user: ['//HOST/:_authToken=user'] },
    "with the core's token before the user's": {
      npmrc: ['registry=URL', '//HOST/:_authToken=core'],
      user: ['//HOST/:_authToken=user'],
    },
    'with the token of the environment': {
      npmrc: ['registry=URL', '//HOST/:_authToken=core'],
      env: { 'npm_config_//HOST/:_authToken': 'env' },
    },
    'with a quoted token and a comment': {
      npmrc: ['registry=URL', '//HOST/:_authToken="t0 ken" ; mine'],
    },
    'locked at the public registry': {
      registry: { base: '/api/npm' },
      npmrc: ['registry=URL', '//HOST/api/:_authToken=t0ken'],
      resolved: 'https://registry.npmjs.org/alpha/-/alpha-1.0.0.tgz',
    },
    'scoped, locked at the public registry': {
      name: '@acme/alpha',
      npmrc: ['registry=URL', '@acme:registry=http://127.0.0.1:9/'],
      resolved: 'https://registry.npmjs.org/@acme/alpha/-/alpha-1.0.0.tgz',
    },
    'locked at a host that is always replaced': {
      npmrc: ['registry=URL', 'replace-registry-host=always'],
      resolved: 'http://127.0.0.1:9/alpha/-/alpha-1.0.0.tgz',
    },
    'locked at a host that is replaced': {
      npmrc: ['registry=URL', 'replace-registry-host=old.example'],
      resolved: 'http://old.example/alpha/-/alpha-1.0.0.tgz',
    },
    'with the registry of the environment': {
      npmrc: ['registry=http://127.0.0.1:9/'],
      resolved: 'https://registry.npmjs.org/alpha/-/alpha-1.0.0.tgz',
      env: { NPM_CONFIG_REGISTRY: 'URL' },
    },
  };

  test.concurrent.for(Object.entries(cases))('%s', async ([_, given], { onTestFinished }) => {
    const { name = 'alpha', resolved = `URL/${name}/-/alpha-1.0.0.tgz` } = given;
    const pkg = esmPackage(name, '1.0.0', 'alpha');
    const registry = await startRegistry([pkg], given.registry);
    const sandbox = await createSandbox({ linkAnnex: false });
    const origin = new URL(registry.url);
    const fill = (text: string): string =>
      text.replaceAll('URL', registry.url).replaceAll('HOST', origin.host);
    const { integrity } = packFixture(pkg);
    const locked = { name, version: '1.0.0', integrity, resolved: fill(resolved) };
    sandbox.write('app/.npmrc', given.npmrc.map(fill).join('\n'));
    sandbox.write('home/.npmrc', (given.user ?? []).map(fill).join('\n'));
    const dependencies = { [name]: '1.0.0' };
    sandbox.write('app/package.json', { name: 'app', version: '1.0.0', dependencies });
    sandbox.write('app/package-lock.json', {
      name: 'app',
      version: '1.0.0',
      lockfileVersion: 3,
      packages: {
        '': { name: 'app', version: '1.0.0', dependencies },
        [`node_modules/${name}`]: { version: '1.0.0', resolved: locked.resolved, integrity },
      },
    });
    const filled = Object.entries(given.env ?? {}).map(([key, value]) => [fill(key), fill(value)]);
    const env = envOf(sandbox, Object.fromEntries(filled));
    const npm = await sandbox.exec('npm', ['ci', '--fetch-retries=0'], { env });
    const byNpm = listAsked(registry);
    const cold = { ...env, npm_config_cache: join(sandbox.root, 'cold') };
    const fetcher = createFetcher(
      readNpmSettings(sandbox.core, cold),
      AbortSignal.timeout(30_000),
      sandbox.root,
    );
    onTestFinished(() => fetcher.close());
    await fetcher.fetchTarball(locked);
    expect({ asked: listAsked(registry), code: npm.code }).toEqual({ asked: byNpm, code: 0 });
    expect(byNpm).toHaveLength(1);
  });
});
