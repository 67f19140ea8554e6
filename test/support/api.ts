/** A sandbox for programs that use annex's own interface. */
import { join } from 'node:path';
import { expect } from 'vitest';
import type { NodeUnderTest } from './nodes.ts';
import type { Registry } from './registry.ts';
import { createSandbox, type RunOptions, type Sandbox } from './sandbox.ts';

/** Sandbox, and a way to run programs. */
export interface ApiWorld {
  sandbox: Sandbox;
  /**
   * Runs the body of a module as `main.mjs`, which sets keys of `result`, with the store set.
   * @param options `flags` of Node instead of the preload
   * @returns the result, and the lines on stderr
   */
  runProgram(
    body: string,
    options?: RunOptions & { flags?: string[] },
    // biome-ignore lint/suspicious/noExplicitAny: the program decides on the shape
  ): Promise<{ result: any; lines: string[] }>;
}

/** First lines of every program; `describeError` gives the facts of a thrown value. */
export const prelude = `
import { AnnexError, ensure, isAvailable, load, status } from 'annex';
const describeError = (error) => {
  const { name, code, feature, specifier, hint, message } = error;
  const isOurs = error instanceof AnnexError && error instanceof Error;
  return { isOurs, name, code, feature, specifier, hint, message };
};
const attempt = (promise) => promise.then((value) => ({ value }), (error) => ({ error: describeError(error) }));
const importMarker = (name) => import(name).then(({ marker }) => marker, ({ code }) => code);
const result = {};
`;

/** Opens one for the running test, and removes it afterwards. */
export async function openApi(
  node: NodeUnderTest,
  registry: Registry,
  features: object,
): Promise<ApiWorld> {
  const sandbox = await createSandbox({ registry });
  sandbox.setCore({ features });
  return {
    sandbox,
    runProgram: async (body, { env, flags = ['--import', sandbox.loader], ...rest } = {}) => {
      const print = 'console.log(JSON.stringify(result));';
      const main = sandbox.write(join(sandbox.core, 'main.mjs'), `${prelude}${body}\n${print}`);
      const { code, stdout, stderr } = await sandbox.run([...flags, main], {
        node: node.path,
        ...rest,
        env: { ANNEX_STORE: sandbox.store, ...env },
      });
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      return { result: JSON.parse(stdout), lines: stderr.trimEnd().split('\n').filter(Boolean) };
    },
  };
}
