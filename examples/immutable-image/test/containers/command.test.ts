/** The image's command wrapper: arguments, stdin and terminal. */
import { describe, expect, inject, test } from 'vitest';
import { openTerminal, runContainer, runToEnd } from '../support/container.ts';
import { containerProblem, until } from '../support/podman.ts';

const image = inject('image');

describe.skipIf(containerProblem)(
  `the command${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    test.each([
      ['an executable runs', ['echo', 'a  b', '"$HOME"', "it's"], 0, `a  b "$HOME" it's\n`, ''],
      ['as the user', ['/bin/sh', '-c', 'id -u; echo $HOME; exit 7'], 7, '10000\n/home/app\n', ''],
      ['a signal gives 128 plus its number', ['sh', '-c', 'kill -9 $$'], 137, '', 'Killed'],
      ['a subcommand goes to agent', ['worker', 'frob'], 2, '', 'agent worker add|remove'],
      ['an unknown word is an error', ['frob', 'x'], 2, '', "no command 'frob'\nusage: "],
    ])('%s: %j', async (_fact, args, code, stdout, stderr) => {
      const result = await runToEnd({ image, args });
      expect(result).toMatchObject({ code, stdout, stderr: expect.stringContaining(stderr) });
      expect(result.stderr).not.toContain('init: ');
    });

    test('an empty word, a missing path and an option go to agent', async () => {
      const container = await runContainer({ image, args: ['sleep', '60'] });
      const command = '/usr/local/lib/agent/command';
      try {
        for (const [word, said] of [
          ['', 'usage: agent gateway'],
          ['/bin/frob', "no command '/bin/frob'"],
          ['/opt', "no command '/opt'"],
          ['--version', "no command '--version'"],
        ] as const) {
          const stderr = expect.stringContaining(said);
          const result = await container.exec([command, word]);
          expect(result, word).toMatchObject({ code: 2, stdout: '', stderr });
        }
      } finally {
        await container.remove();
      }
    });

    test('no variable makes a command run as root', async () => {
      const env = { AGENT_CANNOT_DROP: '1', AGENT_EXEC_AS_ROOT: '1' };
      const result = await runToEnd({ image, args: ['id', '-u'], env });
      expect(result).toMatchObject({ code: 0, stdout: '10000\n' });
    });

    test('an unknown search backend is a configuration error', async () => {
      const env = { SEARCH_BACKEND: 'constructor' };
      const stderr = expect.stringMatching(
        /^agent: 'constructor' is no search backend; there are /m,
      );
      const result = await runToEnd({ image, args: ['search', 'otters'], env });
      expect(result).toMatchObject({ code: 78, stdout: '', stderr });
    });

    test('passes stdin on', async () => {
      const input = 'one\ntwo';
      expect(await runToEnd({ image, args: ['cat'], input })).toMatchObject({
        code: 0,
        stdout: input,
      });
    });

    test('a shell in a terminal has job control, Ctrl-C ends its command, and its exit code is passed on', async () => {
      const terminal = openTerminal({ image, args: ['sh'] });
      await terminal.type('$ ', 'tty; sleep 60\n');
      await terminal.type('/dev/pts/0', '\x03');
      await terminal.type('$ ', 'echo "after $?"; exit 3\n');
      const { code, screen } = await terminal.end();
      expect(screen).toContain('after 130');
      expect(screen).not.toContain('job control');
      expect(code).toBe(3);
    });

    test('Ctrl-C in a terminal ends a command', async () => {
      const args = ['sh', '-c', 'echo started; exec sleep 60'];
      const terminal = openTerminal({ image, args });
      await terminal.type('started', '\x03');
      expect((await terminal.end()).code).toBe(130);
    });

    test('Ctrl-C in a terminal ends the gateway', async () => {
      const terminal = openTerminal({ image });
      await terminal.type('listening', '\x03');
      const { code, screen } = await terminal.end();
      expect(screen).not.toContain('finish');
      expect(code).toBe(143);
    });

    test.each([
      ['a command that handles SIGTERM keeps its exit code', 'trap "exit 9" TERM', 9],
      ['a command without a handler ends with 143', 'trap - TERM', 143],
      ['a command that ignores SIGTERM does not keep the container alive', 'trap "" TERM', 143],
    ])('%s', async (_fact, trap, code) => {
      const script = `${trap}; echo up; while :; do sleep 0.05; done`;
      const container = await runContainer({ image, args: ['sh', '-c', script] });
      try {
        await until('it runs', async () => (await container.logs()).includes('up'));
        await container.stop(60);
        expect(await container.wait()).toBe(code);
      } finally {
        await container.remove();
      }
    });

    test('with another PID 1 the gateway runs without supervision and warns once', async () => {
      const init = ['--init', '--init-path', '/usr/bin/catatonit'];
      const container = await runContainer({ image, options: init });
      try {
        await container.ready();
        const logs = await container.logs();
        expect(logs.match(/^init: .*/gm)).toEqual([
          'init: not PID 1 (--init, or a shared PID namespace): nothing is supervised or restarted',
        ]);
        await container.stop(2);
        expect(await container.wait()).toBe(0);
      } finally {
        await container.remove();
      }
    });
  },
);
