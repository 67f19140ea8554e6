/** Prometheus scrapes a server with annex, and its tools accept what annex prints. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { closeLater } from '../support/close.ts';
import { esmPackage } from '../support/fixtures.ts';
import { findPort } from '../support/free-port.ts';
import { repositoryRoot } from '../support/package.ts';
import { findProgram } from '../support/programs.ts';
import { openWorld, type World } from '../support/world.ts';

const example = join(repositoryRoot, 'examples/observability');
const hasPrometheus = ['prometheus', 'promtool'].every((name) => findProgram(name) !== undefined);
const why = hasPrometheus ? '' : ' (skipped: prometheus is not installed)';

/** Serves the metrics of the example on a port, after one install and one failure. */
const SERVER = `
import { createServer } from 'node:http';
import { ensure } from 'annex';
import { CONTENT_TYPE, countForPrometheus } from './prometheus.mjs';
const compose = countForPrometheus();
await ensure('alpha');
await ensure('lost').catch(() => {});
createServer((_, response) => {
  response.setHeader('content-type', CONTENT_TYPE);
  response.end(compose());
}).listen(Number(process.env.PORT), '127.0.0.1');
`;

describe.runIf(hasPrometheus)(`Prometheus${why}`, () => {
  let world: World;
  beforeAll(async () => {
    const packages = [esmPackage('alpha', '1.0.0', 'alpha')];
    const features = { alpha: '^1.0.0', lost: '^1.0.0' };
    world = await openWorld({ packages, annex: { features } });
  });

  const start = (command: string, args: string[], env: object, cwd: string): ChildProcess => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('close', resolve));
    closeLater(() => {
      child.kill('SIGKILL');
      return ended;
    });
    return child;
  };

  test('promtool accepts the rules of the example, and the text of annex list --metrics', async () => {
    const rules = spawnSync('promtool', ['check', 'rules', join(example, 'alerts.yml')]);
    expect(rules.status, String(rules.stderr)).toBe(0);
    const env = { ANNEX_STORE: join(world.sandbox.root, 'other', 'annex') };
    await world.sandbox.annex(['install', 'alpha'], { env });
    const { stdout, code } = await world.sandbox.annex(['list', '--metrics'], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^annex_entry_bytes\{feature="alpha"\} \d+$/m);
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: stdout });
    expect(checked.status, String(checked.stderr)).toBe(0);
  });

  test('only features whose installs take more than a minute are slow, however many of them fail', () => {
    const series = join(repositoryRoot, 'test/data/prometheus/rules.yml');
    const tested = spawnSync('promtool', ['test', 'rules', series]);
    expect(tested.status, `${tested.stdout}${tested.stderr}`).toBe(0);
  });

  test('it scrapes the example: states, versions and counters, and the rules fire on them', async () => {
    const { sandbox, registry } = world;
    for (const name of ['prometheus.mjs', 'alerts.yml']) {
      cpSync(join(example, name), join(sandbox.core, name));
    }
    sandbox.write('app/metrics-server.mjs', SERVER);
    const [port, own] = [await findPort(), await findPort()];
    const env = {
      ANNEX_STORE: sandbox.store,
      npm_config_registry: registry.url,
      npm_config_cache: join(sandbox.root, 'cache'),
      HOME: sandbox.home,
      PORT: String(port),
    };
    start(process.execPath, ['--import', sandbox.loader, 'metrics-server.mjs'], env, sandbox.core);
    const config = sandbox.write('prometheus.json', {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [join(sandbox.core, 'alerts.yml')],
      scrape_configs: [{ job_name: 'agent', static_configs: [{ targets: [`127.0.0.1:${port}`] }] }],
    });
    const data = join(sandbox.root, 'data');
    const flags = ['--web.listen-address', `127.0.0.1:${own}`, '--storage.tsdb.path', data];
    start('prometheus', ['--config.file', config, ...flags], {}, sandbox.root);

    // biome-ignore lint/suspicious/noExplicitAny: answers of Prometheus
    const ask = async (path: string): Promise<any> => {
      const answer = await fetch(`http://127.0.0.1:${own}/api/v1/${path}`).catch(() => undefined);
      return answer?.ok ? ((await answer.json()) as { data: unknown }).data : undefined;
    };
    const query = async (text: string): Promise<[object, string][]> => {
      const data = await ask(`query?query=${encodeURIComponent(text)}`);
      const found: { metric: Record<string, string>; value: [number, string] }[] =
        data?.result ?? [];
      return found.map(({ metric: { __name__, instance, job, ...labels }, value }) => [
        labels,
        value[1],
      ]);
    };
    await expect
      .poll(() => query('annex_feature_available'), { interval: 200 })
      .toEqual([
        [{ feature: 'alpha' }, '1'],
        [{ feature: 'lost' }, '0'],
      ]);
    expect(await query('annex_package_info{version!=""}')).toEqual([
      [{ feature: 'alpha', package: 'alpha', version: '1.0.0', where: 'store' }, '1'],
    ]);
    expect(await query('annex_installs_total')).toContainEqual([{ feature: 'alpha' }, '1']);
    expect(await query('annex_install_failures_total')).toEqual([
      [{ feature: 'lost', code: 'ANNEX_INSTALL_FAILED' }, '1'],
    ]);
    const {
      annex_installs: [installs],
    } = await ask('metadata?metric=annex_installs');
    expect(installs.type).toBe('counter');
    await expect
      .poll(
        async () =>
          (await ask('alerts'))?.alerts.map(
            ({ labels }: { labels: { alertname: string; feature: string } }) => [
              labels.alertname,
              labels.feature,
            ],
          ),
        { interval: 200 },
      )
      .toEqual([['AnnexFeatureUnavailable', 'lost']]);
  });
});
