/** npm's settings as annex reads them, compared with `npm config list`. */
import { describe, expect, test } from 'vitest';
import { readNpmSettings } from '../../src/registry/npm-settings.ts';
import { createSandbox } from '../support/sandbox.ts';

describe('a setting has the value that npm config lists', () => {
  interface Case {
    env?: Record<string, string>;
    core?: string[];
    user?: string[];
    global?: string[];
  }
  const cases: Record<string, Case> = {
    'when nothing is set': {},
    'when the environment is stronger': {
      env: { NPM_CONFIG_REGISTRY: 'http://env.example', npm_config_https_proxy: 'http://p:1' },
      core: ['registry=http://core.example/', 'https-proxy=http://q:1'],
    },
    'when the core is stronger': {
      core: ['registry=http://core.example/', 'maxsockets=3', 'offline', 'fetch-timeout=7'],
      user: ['registry=http://user.example/', 'maxsockets=4', 'offline=false', 'fetch-timeout=8'],
    },
    'when the user is stronger': {
      user: ['registry=http://user.example/', 'strict-ssl=false', 'proxy=http://u:1'],
      global: ['registry=http://global.example/', 'strict-ssl=true', 'proxy=http://g:1'],
    },
    'when the machine sets it': {
      global: [
        'registry=http://global.example/path',
        'cache=/var/npm',
        'noproxy=a,b',
        'before=2020-01-01',
      ],
    },
    'when it is set to nothing': {
      env: { npm_config_registry: '', npm_config_proxy: 'null' },
      core: ['proxy=http://core:1', 'offline=', 'https-proxy=null', 'strict-ssl='],
      user: ['https-proxy=http://user:1', 'registry=http://user.example/'],
    },
    'when it is not valid': {
      core: ['registry=nonsense', 'proxy=proxy.example:8080'],
      user: ['registry=http://user.example', 'proxy=http://user:1'],
    },
    'when it is a number': { core: ['offline=1', 'strict-ssl=0', 'maxsockets=0x10'] },
    'when it is a word': { core: ['offline=yes', 'strict-ssl=no'] },
    'when it is false': { core: ['proxy=false', 'offline=false'], user: ['proxy=http://user:1'] },
    'when it is null': { core: ['strict-ssl=null', 'offline=null', 'maxsockets=null'] },
    'when it is in quotes': { core: ['registry="http://core.example"', "proxy='http://q:1'"] },
    'when it is a path of the home': { core: ['cache=~/own'] },
    'when it is a variable': {
      env: { MY_HOST: 'core.example' },
      core: [
        'registry=http://$' + '{MY_HOST}/',
        'cache=/$' + '{NOT_SET?}/x',
        'noproxy=$' + '{NOT_SET}',
      ],
    },
    'when the user has another file': {
      env: { npm_config_userconfig: '~/other' },
      user: ['registry=http://user.example'],
    },
    'when it is in a section': { core: ['[part]', 'registry=http://part.example'] },
    'when it is set twice': { core: ['registry=http://a.example', 'registry=http://b.example'] },
    'when a file has a mark and other line ends': {
      core: ['\ufeffoffline=true\r', 'registry=http://core.example\r', '# proxy=http://p:1'],
    },
    'when spaces are around it': {
      core: ['  registry  =  http://core.example  ', ' offline = true '],
    },
    'when it is a list': { core: ['noproxy[]=a.example', 'noproxy[]=b.example'] },
  };

  test.concurrent.for(Object.entries(cases))('%s', async ([_, given]) => {
    const sandbox = await createSandbox({ linkAnnex: false });
    sandbox.write('app/.npmrc', (given.core ?? []).join('\n'));
    sandbox.write('home/.npmrc', (given.user ?? []).join('\n'));
    sandbox.write('home/other', 'registry=http://other.example');
    const globalConfig = sandbox.write('etc/npmrc', (given.global ?? []).join('\n'));
    const env: Record<string, string> = {
      PATH: process.env.PATH ?? '',
      HOME: sandbox.home,
      npm_config_globalconfig: globalConfig,
      // It would send a request to the registry, which some of these settings make impossible.
      npm_config_update_notifier: 'false',
      ...given.env,
    };
    const hidden = { npm_config_cache: undefined, npm_config_registry: undefined };
    const { stdout } = await sandbox.exec('npm', ['config', 'list', '--json'], {
      env: { ...hidden, ...env },
    });
    const npm = JSON.parse(stdout) as Record<string, string | null>;
    const own = readNpmSettings(sandbox.core, env);
    const slash = (url: unknown): string => String(url).replace(/\/?$/, '/');
    const proxy = npm['https-proxy'] || npm.proxy || undefined;
    expect({
      registry: own.registryFor('alpha'),
      strictSsl: own.strictSsl,
      offline: own.offline,
      cache: own.cache,
      maxSockets: own.maxSockets,
      timeout: own.idleTimeout,
      proxy: own.proxyFor('http://a.example/')?.replace(/\/?$/, '/'),
      hasReleaseAge: own.hasReleaseAge,
    }).toEqual({
      registry: slash(npm.registry),
      // npm checks for false itself, and treats any other word as true.
      strictSsl: npm['strict-ssl'] !== (false as unknown),
      offline: Boolean(npm.offline),
      cache: npm.cache,
      maxSockets: npm.maxsockets ?? 15,
      // npm's default of five minutes is too long for an install that blocks a program.
      timeout: npm['fetch-timeout'] === (300_000 as unknown) ? 30_000 : npm['fetch-timeout'],
      proxy: String(npm.noproxy).includes('a.example') ? undefined : proxy && slash(proxy),
      hasReleaseAge: npm.before !== null,
    });
  });
});
