/** Supervision in the image: it runs as the application's user without a way to root, restarts services, and stops quickly. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Container, createVolume, runContainer } from '../support/container.ts';
import { type ImageRegistry, startImageRegistry } from '../support/network.ts';
import { containerProblem, until } from '../support/podman.ts';

const image = inject('image');
const user = '10000';
/** Lists pid, state, user and name of each other process. */
const LIST = `for p in /proc/[0-9]*; do
  [ "$p" = /proc/$$ ] || echo "\${p#/proc/} $(stat -c %u $p) $(cut -d ' ' -f 2,3 $p/stat)"
done 2>/dev/null`;
const GATEWAY = 's6-svstat -o pid /tmp/agent/gateway';
const CORE =
  'find /opt/app /etc /init /usr/local/bin/agent /usr/local/lib/agent -xdev -type f -exec sha256sum {} + | sort | sha256sum';

describe.skipIf(containerProblem)(
  `services${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    let container: Container;
    const sh = async (script: string, as = user): Promise<string> => {
      const { code, stdout, stderr } = await container.exec(['sh', '-c', script], { user: as });
      return code === 0 ? stdout : `${code}: ${stdout}${stderr}`;
    };
    const processes = async (): Promise<string[]> => (await sh(LIST, '0')).trim().split('\n');
    /** Waits until the gateway has a new pid and responds. */
    const restarted = async (pid: string): Promise<void> => {
      await until('another gateway', async () => {
        const now = await sh(GATEWAY);
        return /^[1-9]/.test(now) && now !== pid;
      });
      await container.ready();
    };

    beforeAll(async () => {
      container = await runContainer({ image });
      await container.ready();
    });
    afterAll(() => container?.remove());

    test('nothing runs as root, and the dashboard ended once and stays down', async () => {
      const all = (await processes()).filter((line) => / \((?:s6|node|MainThread)/.test(line));
      expect(all.length).toBeGreaterThanOrEqual(4);
      expect(all.filter((line) => !line.includes(' 10000 '))).toEqual([]);
      const ask =
        's6-svstat -o up,wantedup /tmp/agent/dashboard && s6-svdt /tmp/agent/dashboard | wc -l';
      expect(await sh(ask)).toBe('false false\n1\n');
    });

    test('the user controls the gateway', async () => {
      const before = await sh(GATEWAY);
      expect(await sh('s6-svc -r -wR -T 5000 /tmp/agent/gateway')).toBe('');
      await restarted(before);
    });

    test('the gateway responds to an invalid path and to a request that is too long', async () => {
      const before = await sh(GATEWAY);
      expect((await container.request('//')).status).toBe(404);
      const message = { chat: 'oc_1', text: 'x'.repeat(100_000) };
      expect((await container.request('/messages', message)).status).toBe(413);
      expect(await sh(GATEWAY)).toBe(before);
    });

    test('the user can register, query, stop, start and remove a worker', async () => {
      const script = 'echo "$0|$1" >/tmp/said; exec sleep 600';
      const args = ['agent', 'worker', 'add', 'mine', 'sh', '-c', script, "it's", 'a  b'];
      expect(await container.exec(args, { user })).toMatchObject({
        code: 0,
        stdout: 'mine runs\n',
      });
      expect(await sh('until [ -s /tmp/said ]; do sleep 0.02; done; cat /tmp/said')).toBe(
        "it's|a  b\n",
      );
      expect(await sh('agent worker status mine')).toMatch(/^up /);
      expect(await sh('agent worker add mine true')).toContain('mine is registered');
      expect(await sh('agent worker stop mine && agent worker status mine')).toMatch(/^down /);
      expect(await sh('agent worker start mine && agent worker status mine')).toMatch(/^up /);
      expect(await sh('agent worker remove mine')).toBe('mine is gone\n');
      expect(await sh('ls -A /tmp/agent /tmp/agent/.registered')).not.toContain('mine');
      expect((await processes()).filter((line) => line.includes('(sleep)'))).toEqual([]);
    });

    test('a worker with a configuration error is parked; a failed one is restarted', async () => {
      await sh("agent worker add parked sh -c 'exit 78'; agent worker add failing sh -c 'exit 1'");
      const deaths = (name: string): Promise<number> =>
        sh(`s6-svdt /tmp/agent/${name} | wc -l`).then(Number);
      await until('it is tried again', async () => (await deaths('failing')) > 1);
      expect(await deaths('parked')).toBe(1);
      expect(await sh('agent worker remove parked && agent worker remove failing')).toContain(
        'gone',
      );
    });

    test('rejects a path as the name of a worker', async () => {
      const names = ['../core', '.hidden', '/opt/app', 'a/b', ''];
      for (const name of names) {
        const add = ['agent', 'worker', 'add', name, 'true'];
        const { code, stderr } = await container.exec(add, { user });
        expect({ code, stderr }, name).toMatchObject({
          code: 2,
          stderr: expect.stringContaining('is not a name'),
        });
      }
    });

    test('links planted where s6 writes do not lead into the core', async () => {
      const before = await sh(CORE, '0');
      const gateway = await sh(GATEWAY);
      const planted = [
        'ln -sfn /opt/app/package.json supervise/status.new',
        'ln -sfn /opt/app/package.json supervise/death_tally.new',
        'ln -sfn /opt/app/bin event/ftrig1:@4000000000000000000000000:aaaaaa',
      ];
      await sh(`cd /tmp/agent/gateway && ${planted.join(' && ')}; kill -9 $(${GATEWAY})`);
      const refused = 'unable to write status file: Permission denied';
      await until('s6 tried', async () => (await container.logs()).includes(refused));
      expect(await sh(CORE, '0')).toBe(before);
      await sh('rm /tmp/agent/gateway/supervise/*.new; s6-svc -k /tmp/agent/gateway');
      await restarted(gateway);
    });

    test('a killed gateway is restarted, and so are all services after kill -9 -1', async () => {
      const first = await sh(GATEWAY);
      await sh(`kill -9 ${first}`);
      await restarted(first);
      const second = await sh(GATEWAY);
      await sh('kill -9 -1');
      await restarted(second);
      expect((await container.inspect()).State.Running).toBe(true);
    });

    test('100 orphan processes are reaped', async () => {
      await sh('i=0; while [ $i -lt 100 ]; do i=$((i + 1)); (sleep 0.1 &) ; done', user);
      await until('they are gone', async () => {
        const left = (await processes()).filter((line) => / \(sleep\) | Z$/.test(line));
        return left.length === 0;
      });
    });

    test('still nothing runs as root', async () => {
      const all = await processes();
      const own = all.filter((line) => / \((?:s6|node|MainThread)/.test(line));
      expect(own.filter((line) => !line.includes(' 10000 '))).toEqual([]);
    });
  },
);

describe.skipIf(containerProblem)(
  `the end of a container${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    let registry: ImageRegistry;
    beforeAll(async () => {
      registry = await startImageRegistry();
    });
    afterAll(() => registry?.close());

    test('it stops within 2 s during an install, beside a worker that ignores SIGTERM, with exit code 0', async () => {
      const volume = createVolume();
      const { env, network } = registry;
      const container = await runContainer({ image, volume: volume.path, env, network });
      try {
        await container.ready();
        const script = "trap '' TERM; echo deaf >&2; while :; do sleep 0.1; done";
        await container.exec(['agent', 'worker', 'add', 'deaf', 'sh', '-c', script]);
        await registry.fault({ ms: 4000 });
        container.request('/search?q=otters').catch(() => {});
        await until('it installs', async () => {
          const logs = await container.logs();
          return logs.includes('installing search.exa') && logs.includes('deaf');
        });
        await container.stop(2);
        expect(await container.wait()).toBe(0);
      } finally {
        await container.remove();
        volume.remove();
        await registry.reset();
      }
    });

    test('DASHBOARD=1 starts the dashboard; a gateway with a configuration error is parked and does not end the container', async () => {
      const container = await runContainer({ image, env: { DASHBOARD: '1', PORT: 'abc' } });
      try {
        const ask = "fetch('http://127.0.0.1:8081').then((r) => r.text()).then(console.log)";
        const page = await until('the page', async () => {
          const { code, stdout } = await container.exec(['node', '-e', ask], { user });
          return code === 0 && stdout;
        });
        expect(page).toContain('search.firecrawl');
        const svstat =
          's6-svstat -o up,wantedup /tmp/agent/gateway; s6-svdt /tmp/agent/gateway | wc -l';
        const { stdout } = await container.exec(['sh', '-c', svstat]);
        expect(stdout).toBe('false false\n1\n');
        expect(await container.logs()).toContain("agent: 'abc' is not a port");
        await container.stop(2);
        expect(await container.wait()).toBe(78);
      } finally {
        await container.remove();
      }
    });

    test('an uncaught error of a backend ends its request, not the gateway', async () => {
      const volume = createVolume();
      writeFileSync(
        join(volume.path, 'backends.mjs'),
        `export const chooseSearcher = () => 'search.exa';
export const listBackends = () => [];
export const connect = async () => () => {
  setImmediate(() => { throw new Error('thrown by a timer'); });
  return new Promise(() => {});
};`,
      );
      const options = ['-v', `${volume.path}/backends.mjs:/opt/app/src/backends.mjs:ro`];
      const container = await runContainer({ image, options });
      try {
        await container.ready();
        for (let round = 0; round < 2; round += 1) {
          expect(await container.request('/search?q=otters')).toMatchObject({
            status: 502,
            body: { feature: 'search.exa', error: 'thrown by a timer' },
          });
          expect((await container.request('/health')).status).toBe(200);
        }
        const deaths = await container.exec(['s6-svdt', '/tmp/agent/gateway']);
        expect(deaths).toMatchObject({ code: 0, stdout: '' });
      } finally {
        await container.remove();
        volume.remove();
      }
    });

    test('SIGKILL gives exit code 137', async () => {
      const container = await runContainer({ image });
      try {
        await container.kill('KILL');
        expect(await container.wait()).toBe(137);
      } finally {
        await container.remove();
      }
    });
  },
);
