/** Runs the code blocks of a document as its reader would, in a sandbox that is the root of their file system. */
import { cpSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { BLOCKS_NOT_RUN } from '../data/blocks-not-run.ts';
import { listCode } from './documents.ts';
import type { RunResult } from './process.ts';
import type { Registry } from './registry.ts';
import { createSandbox, type RunOptions, type Sandbox } from './sandbox.ts';
import { asPlainUser } from './user.ts';

/**
 * Tests a document: every block has a function here that runs it, or a reason in `BLOCKS_NOT_RUN`. The blocks run in order.
 *
 * @example runPage('docs/api.md', { '--import: sh': (code) => reader.shell(code) });
 */
export function runPage(
  page: string,
  runs: Record<string, (code: string, context: TestContext) => unknown>,
): void {
  const blocks = listCode(page);
  describe(page, () => {
    test('every block of code is run, or listed with the reason why not', () => {
      const known = [...Object.keys(runs), ...Object.keys(BLOCKS_NOT_RUN[page] ?? {})];
      expect([...blocks.keys()].sort()).toEqual(known.sort());
    });

    for (const [id, code] of blocks) {
      const run = runs[id];
      if (run !== undefined) test(id, (context) => run(code, context) as Promise<void>);
    }
  });
}

/** What lines of a Dockerfile made: variables, and the last directory. */
export interface Image {
  env: Record<string, string>;
  cwd: string;
}

/** A reader with an application and a registry. */
export interface Reader {
  sandbox: Sandbox;
  /** Moves absolute paths of a text into the sandbox: `/opt/app` is `ROOT/opt/app`. */
  place(text: string): string;
  /** Runs a script with `sh -e`, in the application by default, where `annex` is in PATH. */
  shell(script: string, options?: RunOptions): Promise<RunResult>;
  /** The same, and expects that it succeeds. Returns its stdout. */
  succeed(script: string, options?: RunOptions): Promise<string>;
  /** Types an answer on a terminal on which a script runs, and expects that it succeeds. Returns the output. */
  answer(script: string, answer: string): Promise<string>;
  /**
   * Runs lines of a Dockerfile with `ROOT/source` as the context. The user `node` is a plain user; `USER` and what only an
   * engine reads are left out.
   */
  build(lines: string, options?: RunOptions): Promise<Image>;
}

/** Opens an empty application, in which `annex` is installed from the registry if it has a package.json. */
export async function openReader(registry: Registry, manifest?: object): Promise<Reader> {
  const sandbox = await createSandbox({ registry, linkAnnex: false });
  const { root, core } = sandbox;
  for (const directory of ['tmp', 'opt', 'data']) mkdirSync(join(root, directory));
  // The root itself is in /tmp, and no path is moved twice.
  const place = (text: string): string =>
    text
      .replaceAll(root, 'ROOT')
      .replace(/(?<![\w.$})/~-])\/(?:app|data|opt|tmp)(?=\/|[\s"':;,]|$)/gm, 'ROOT$&')
      .replaceAll('ROOT', root);

  const shell: Reader['shell'] = (script, options = {}) => {
    const env = {
      PATH: [
        join(core, 'node_modules', '.bin'),
        dirname(options.node ?? process.execPath),
        process.env.PATH,
      ].join(delimiter),
      NO_COLOR: '1',
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      ...options.env,
    };
    return sandbox.exec('sh', ['-e', '-c', place(script)], { ...options, env });
  };

  const succeed: Reader['succeed'] = async (script, options) => {
    const result = await shell(script, options);
    expect(result, `${script}\n${result.stdout}${result.stderr}`).toMatchObject({ code: 0 });
    return result.stdout;
  };

  if (manifest !== undefined) {
    sandbox.write('app/package.json', { name: 'app', version: '1.0.0', ...manifest });
    await succeed('npm install annex');
  }
  return {
    sandbox,
    place,
    shell,
    succeed,
    answer: (script, answer) => {
      const file = sandbox.write('tmp/script.sh', place(script));
      return succeed(`printf '${answer}\\n' | script -qec 'sh -e ${file}' /dev/null`);
    },
    build: async (lines, options) => {
      const env: Record<string, string> = {};
      const owner = `-o ${asPlainUser.uid ?? process.getuid?.()} -g ${process.getgid?.()}`;
      let cwd = root;
      for (const line of place(lines).trim().split('\n')) {
        const [, instruction, rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
        const words = rest.split(' ');
        if (instruction === 'WORKDIR') cwd = resolve(cwd, rest);
        if (instruction === 'ENV') {
          for (const word of words) env[word.split('=', 1)[0] ?? ''] = word.replace(/^.*?=/, '');
        }
        if (instruction === 'RUN') {
          const script = rest.replace('-o node -g root', owner).replace('-o node', owner);
          await succeed(script, { ...options, cwd, env });
        }
        if (instruction === 'COPY') {
          const [from = '', to = ''] = words;
          cpSync(join(root, 'source', from), resolve(cwd, to), { recursive: true });
        }
        mkdirSync(cwd, { recursive: true });
      }
      return { env, cwd };
    },
  };
}
