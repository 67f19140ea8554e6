/** Variables that an installer process inherits. */
import { describe, expect, test } from 'vitest';
import {
  listReferences,
  pickInstallerEnv,
  pickLentEnv,
  stripPreloads,
} from '../../../src/settings/installer-env.ts';

describe('NODE_OPTIONS without options that run code of the application or wait for a debugger', () => {
  test.each([
    ['--import /app/loader.mjs', ''],
    ['--import=/app/loader.mjs', ''],
    ['--require /app/a.cjs --require=/app/b.cjs -r /app/c.cjs', ''],
    ['--loader x --experimental-loader=y', ''],
    ['--import "/with space/a.mjs" --max-old-space-size=64', '--max-old-space-size=64'],
    ['"--import=/with space/a.mjs" --max-old-space-size=64', '--max-old-space-size=64'],
    ['--im"port"=/a.mjs', ''],
    ['"--import" "/with space/a.mjs"', ''],
    ['"--require=/a \\" b.cjs" --no-warnings', '--no-warnings'],
    ['--experimental_loader=x --no-warnings', '--no-warnings'],
    ['--inspect', ''],
    ['--inspect=0.0.0.0:9229', ''],
    ['--inspect-brk --inspect_brk=1 --inspect-wait --inspect-port=1', ''],
    ['--inspect-port 9229 --debug-port=9229', ''],
    ['--inspect-publish-uid=http', ''],
    ['--watch --watch-path=/app --watch-preserve-output', ''],
    ['--entry-url', ''],
    ['--permission --allow-fs-read=* --allow-fs-write /tmp --allow-child-process', ''],
    ['--experimental-permission --allow-worker --allow-addons --no-warnings', '--no-warnings'],
    ['--cpu-prof --cpu-prof-dir=/app --heap-prof --heap-prof-interval=5', ''],
    ['--trace-events-enabled --trace-event-categories=v8', ''],
    ['--trace-event-categories v8 --trace-event-file-pattern x.log --no-warnings', '--no-warnings'],
    ['', ''],
    ['   ', ''],
  ])('%s becomes %j', (options, left) => {
    expect(stripPreloads(options)).toBe(left);
  });

  test.each([
    '--max-old-space-size=64',
    '--max-http-header-size 8192',
    '--use-system-ca --dns-result-order=ipv4first',
    '--no-warnings --trace-warnings --trace-uncaught',
    '--disable-warning=DEP0040',
    '--openssl-config="/with space/openssl.cnf"',
    '-C custom --conditions=other',
  ])('%s does not change', (options) => {
    expect(stripPreloads(options)).toBe(options);
  });
});

/** Variables of an application that an installer must not get. */
const application = {
  DATABASE_URL: 'postgres://u:p@db/x',
  AWS_SECRET_ACCESS_KEY: 's',
  OPENAI_API_KEY: 's',
  NPM_TOKEN: 's',
  NODE_AUTH_TOKEN: 's',
  SECRET: 's',
  NODE_PATH: '/app/lib',
  NODE_V8_COVERAGE: '/app/coverage',
  NODE_COMPILE_CACHE: '/app/cache',
  NODE_TLS_REJECT_UNAUTHORIZED: '0',
  NODE_REPL_EXTERNAL_MODULE: '/app/repl.js',
  LD_PRELOAD: '/app/x.so',
  BASH_ENV: '/app/x.sh',
  PWD: '/app',
  npm_lifecycle_event: 'start',
  npm_package_json: '/app/package.json',
};

/** Variables that npm needs. */
const needed = {
  PATH: '/usr/bin',
  HOME: '/home/app',
  TMPDIR: '/tmp',
  XDG_CACHE_HOME: '/cache',
  HTTP_PROXY: 'http://proxy',
  https_proxy: 'http://proxy',
  no_proxy: 'localhost',
  NODE_EXTRA_CA_CERTS: '/ca.pem',
  SSL_CERT_FILE: '/ca.pem',
  npm_config_registry: 'https://registry.corp',
  NPM_CONFIG_CACHE: '/cache/npm',
  'npm_config_//registry.corp/:_authToken': 't',
  ANNEX_STORE: '/opt/data/annex',
  ANNEX_SEALED: '1',
};

describe('the environment of an installer', () => {
  test('has the variables that npm and annex need, and none of the application', () => {
    expect(pickInstallerEnv({ ...application, ...needed })).toEqual(needed);
  });

  test('npm settings that run code of the application are dropped, however they are spelled', () => {
    const dropped = {
      npm_config_node_options: '--import x',
      NPM_CONFIG_NODE_OPTIONS: '--import x',
      'npm_config_node-options': '--import x',
      npm_config_script_shell: '/app/sh',
      Npm_Config_Script_Shell: '/app/sh',
      'NPM_CONFIG_SCRIPT-SHELL': '/app/sh',
    };
    expect(pickInstallerEnv({ ...dropped, ...needed })).toEqual(needed);
  });

  test('the guard is never inherited: the process that starts an installer sets it', () => {
    expect(pickInstallerEnv({ ANNEX_INSTALLER: '1' })).toEqual({});
  });

  test('NODE_OPTIONS is stripped, and removed when nothing is left', () => {
    const options = '--import /app/l.mjs --max-old-space-size=64';
    expect(pickInstallerEnv({ NODE_OPTIONS: options })).toEqual({
      NODE_OPTIONS: '--max-old-space-size=64',
    });
    expect(pickInstallerEnv({ NODE_OPTIONS: '--import /app/l.mjs' })).toEqual({});
  });

  test('only variables that an .npmrc refers to are kept', () => {
    const env = { ...application, ...needed };
    expect(pickInstallerEnv(env, ['NPM_TOKEN', 'ABSENT'])).toEqual({ ...needed, NPM_TOKEN: 's' });
  });

  test('an .npmrc cannot bring the preloads back by referring to NODE_OPTIONS', () => {
    expect(pickInstallerEnv({ NODE_OPTIONS: '--import /app/l.mjs' }, ['NODE_OPTIONS'])).toEqual({});
  });
});

test('variables for workers include those for npm, the registry and a proxy, and no credentials', () => {
  const lent = {
    PATH: '/usr/bin',
    HOME: '/home/me',
    HTTP_PROXY: 'http://proxy.corp:8080',
    NODE_OPTIONS: '--use-openssl-ca',
    npm_config_registry: 'https://registry.corp/',
    'npm_config_@corp:registry': 'https://corp.registry/',
    npm_config_cafile: '/ca.pem',
  };
  const kept = {
    ...application,
    HTTPS_PROXY: 'http://me:secret@proxy.corp:8080',
    npm_config_proxy: 'http://me:secret@proxy.corp:8080',
    npm_config_noproxy: undefined,
    npm_config__auth: 's',
    npm_config__authToken: 's',
    npm_config__password: 's',
    npm_config_key: '-----BEGIN PRIVATE KEY-----',
    'npm_config_//registry.corp/:_authToken': 's',
    'npm_config_//registry.corp/:keyfile': '/key.pem',
    ANNEX_STORE: '/store',
  };
  expect(pickLentEnv({ ...kept, ...lent })).toEqual(lent);
});

test.each([
  [`//registry.corp/:_authToken=\${NPM_TOKEN}`, ['NPM_TOKEN']],
  [`registry=https://\${HOST}/\${PATH_2?}`, ['HOST', 'PATH_2']],
  [`# \${COMMENTED}\nx=$PLAIN\ny=\${}`, ['COMMENTED']],
  ['', []],
])('%j refers to %j', (npmrc, names) => {
  expect(listReferences(npmrc)).toEqual(names);
});
