/** The image with Docker: build, run, restart and health check. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Docker, dockerProblem, startDocker } from '../support/docker.ts';
import { until } from '../support/podman.ts';

describe.skipIf(dockerProblem)(`Docker${dockerProblem ? `: ${dockerProblem}` : ''}`, () => {
  let engine: Docker;
  let image: string;
  beforeAll(async () => {
    engine = await startDocker();
    image = await engine.build();
  }, 1_200_000);
  afterAll(() => engine?.close());

  const start = (...args: string[]): Promise<string> => {
    const usual = ['--detach', '--network', 'none', '--health-interval', '500ms'];
    return engine.docker('run', ...usual, ...args);
  };
  // biome-ignore lint/suspicious/noExplicitAny: the engine's own shape
  const inspect = async (id: string): Promise<any> =>
    JSON.parse(await engine.docker('inspect', id))[0];
  const isHealthy = (id: string): Promise<true> =>
    until('it is healthy', async () => (await inspect(id)).State.Health.Status === 'healthy');
  const findGateway = async (id: string): Promise<number | undefined> => {
    const lines = (await engine.docker('top', id, '-eo', 'pid,args')).split('\n');
    const line = lines.find((one) => / node .*agent\.mjs gateway$/.test(one));
    return line === undefined ? undefined : Number.parseInt(line, 10);
  };

  test.concurrent('a container becomes healthy, with the loader active and a volume of the application', async () => {
    const id = await start('--volume', 'data:/opt/data', image);
    await isHealthy(id);
    const ask = "fetch('http://127.0.0.1:8080/backends').then((r) => r.text()).then(console.log)";
    const backends = JSON.parse(await engine.docker('exec', id, 'node', '-e', ask));
    expect(backends).toContainEqual({ feature: 'search.exa', where: 'missing' });
    const status = "const { status } = await import('annex'); console.log(status().loader)";
    const node = ['node', '--input-type=module', '-e', status];
    const loader = await engine.docker('exec', '--workdir', '/opt/app', id, ...node);
    expect(loader).toBe('sync');
    const stat = ['stat', '--format', '%u:%g %a', '/opt/data', '/opt/data/annex'];
    expect(await engine.docker('exec', id, ...stat)).toBe('10000:0 2775\n10000:0 2755');
  });

  test.concurrent('a gateway that dies is restarted in its container, and a container by its restart policy', async () => {
    const id = await start('--restart', 'on-failure', image);
    await isHealthy(id);
    const gateway = (await findGateway(id)) ?? 0;
    process.kill(gateway, 'SIGKILL');
    await until('another gateway runs', async () => {
      const found = await findGateway(id);
      return found !== undefined && found !== gateway;
    });
    const { RestartCount, State } = await inspect(id);
    expect(RestartCount).toBe(0);
    process.kill(State.Pid, 'SIGKILL');
    await until('the engine has started it again', async () => {
      const now = await inspect(id);
      return now.RestartCount === 1 && now.State.Running;
    });
    await isHealthy(id);
    await engine.docker('stop', '--time', '2', id);
    const ended = await inspect(id);
    expect(ended.State).toMatchObject({ Status: 'exited', ExitCode: 0 });
    expect(ended.RestartCount).toBe(1);
  });

  test.concurrent('a failed command is restarted as often as the policy says, and the container has its exit code', async () => {
    const id = await start('--restart', 'on-failure:1', image, 'sh', '-c', 'exit 3');
    await until('it was restarted', async () => (await inspect(id)).RestartCount === 1);
    expect(await engine.docker('wait', id)).toBe('3');
  });

  test.concurrent('a container whose gateway does not respond becomes unhealthy', async () => {
    const id = await start('--health-retries', '1', '--health-start-period', '0s', image);
    await isHealthy(id);
    process.kill((await findGateway(id)) ?? 0, 'SIGSTOP');
    await until('it is unhealthy', async () => {
      return (await inspect(id)).State.Health.Status === 'unhealthy';
    });
  });
});
