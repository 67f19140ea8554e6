/** An installer gets the environment of the thread that starts it, as it is at that moment. */
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { annexVersion } from '../support/package.ts';
import { openWorld, type World } from '../support/world.ts';

const TOKEN = 'of-the-application';

/** Requests a feature in one way, after the application has set the token. */
const MAIN = `
import { createRequire } from 'node:module';
import { getEnvironmentData, isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { ensure } from 'annex';
const ways = {
  import: () => import('alpha'),
  require: () => createRequire(import.meta.url)('alpha'),
  ensure: () => ensure('alpha'),
};
const ask = async (way) => {
  try { await ways[way](); return 'installed'; } catch ({ code, cause }) { return cause?.code ?? code; }
};
if (!isMainThread) {
  const { environment, settings } = { environment: process.env, settings: getEnvironmentData('annex.settings@${annexVersion}') };
  parentPort.postMessage([await ask(workerData), environment.REGISTRY_TOKEN, JSON.stringify(settings)]);
} else {
  const [way, thread] = process.argv.slice(2);
  Object.assign(process.env, { REGISTRY_TOKEN: '${TOKEN}', ANNEX_ALLOW_INSTALLS: '0', npm_config_later: '${TOKEN}' });
  if (thread === 'main') console.log(await ask(way));
  else {
    const env = thread === 'worker' ? process.env : {};
    const worker = new Worker(new URL(import.meta.url), { workerData: way, env });
    worker.on('message', (answers) => console.log(answers.join('\\n')));
  }
}`;

const WAYS = ['import', 'require', 'ensure'];

describe.each(nodes)('$label', ({ path: node }) => {
  /** A core whose .npmrc refers to a variable that only the application itself sets. */
  async function open(): Promise<World> {
    const pkg = esmPackage('alpha', '1.0.0', 'alpha');
    const world = await openWorld({
      packages: [pkg],
      annex: { features: { alpha: '^1.0.0' } },
    });
    const host = new URL(world.registry.url).host;
    world.sandbox.write('app/.npmrc', `//${host}/:_authToken=\${REGISTRY_TOKEN}\n`);
    world.sandbox.write('app/main.mjs', MAIN);
    return world;
  }

  function run({ sandbox, registry }: World, way: string, thread: string) {
    const env = {
      ANNEX_STORE: sandbox.store,
      'npm_config_//registry.corp/:_authToken': 'of-the-start',
      HTTPS_PROXY: 'http://me:of-the-start@proxy.corp:8080',
      NO_PROXY: '127.0.0.1',
      npm_config_registry: registry.url,
    };
    return sandbox.run(['--import', sandbox.loader, 'main.mjs', way, thread], { node, env });
  }

  test.concurrent.for(
    WAYS.flatMap((way) => ['main', 'worker'].map((thread) => [way, thread] as const)),
  )(
    '%s in the %s thread signs in with the token that the application has set',
    async ([way, thread]) => {
      const world = await open();
      const { code, stdout, stderr } = await run(world, way, thread);
      expect({ code, stderr, stdout }).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^installed\n/),
      });
      const { authorizations } = world.registry;
      expect(new Set(authorizations)).toEqual(new Set([`Bearer ${TOKEN}`]));
    },
  );

  test.concurrent.for(WAYS)(
    '%s in a worker with an empty environment installs without secrets',
    async (way) => {
      const world = await open();
      const { code, stdout, stderr } = await run(world, way, 'bare worker');
      const [outcome, token, settings] = stdout.split('\n');
      expect({ code, outcome, token, stderr }).toMatchObject({
        code: 0,
        outcome: 'installed',
        token: '',
      });
      expect(JSON.parse(settings ?? '')).toMatchObject({ startEnv: { HOME: world.sandbox.home } });
      expect(settings).not.toMatch(/of-the-/);
      expect(world.registry.authorizations.join()).not.toContain('of-the-');
    },
  );
});
