/** Real packages from the real registry: the first import installs each, and it then works without account or network. */
import { execFileSync } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BACKENDS, fileOf } from '../support/backends.ts';
import { readMachineEnvironment } from '../support/machine.ts';
import { repositoryRoot } from '../support/package.ts';
import { dropSlowness } from '../support/process.ts';
import { createSandbox, type RunResult, type Sandbox } from '../support/sandbox.ts';

/** A closed port. */
const NOWHERE = { npm_config_registry: 'http://127.0.0.1:9' };

let sandbox: Sandbox;
const times: Record<string, string>[] = [];

beforeAll(async () => {
  sandbox = await createSandbox();
  const ranges = Object.entries(BACKENDS).map(([name, { range }]) => [name, range]);
  sandbox.setCore({ features: Object.fromEntries(ranges) });
  for (const [name, { program }] of Object.entries(BACKENDS)) {
    sandbox.write(`app/${fileOf(name)}`, program);
  }
});
afterAll(async () => {
  await sandbox.cleanup();
  console.table(times);
});

/** Runs the program of a package; `env` overrides other variables. */
function use(name: string, node: string, env: Record<string, string> = {}): Promise<RunResult> {
  return sandbox.run(['--import', 'annex/loader.mjs', fileOf(name)], {
    node,
    env: { ...readMachineEnvironment(), ANNEX_STORE: sandbox.store, ...env },
  });
}

/** Uses a package for the first time on a Node: it is installed, and nothing else is printed. */
async function useFirst(name: string, node: string): Promise<void> {
  const run = await use(name, node);
  expect(run).toMatchObject({ code: 0, stdout: `${BACKENDS[name]?.prints}\n` });
  const lines = dropSlowness(run.stderr).split('\n');
  expect(lines.filter((line) => !line.includes('its install script was not run'))).toEqual([
    expect.stringContaining(
      `annex: installing ${name} (${name}@${BACKENDS[name]?.range}, not locked) into `,
    ),
    expect.stringMatching(`^annex: installed ${name} \\d+\\.\\d+\\.\\d+ in `),
    '',
  ]);
  const [, version = '', seconds = '', size = ''] =
    / (\S+) in (\S+) s \((.+)\)$/m.exec(run.stderr) ?? [];
  times.push({ package: name, version, node: nameOf(node), seconds, size });
}

/** The version of a binary, from the name of its directory. */
const nameOf = (node: string): string =>
  node === process.execPath ? process.version : basename(dirname(dirname(node)));

/** Uses an installed package: nothing is printed, and the registry is unreachable. */
async function useAgain(name: string, node: string): Promise<void> {
  const stdout = `${BACKENDS[name]?.prints}\n`;
  expect(await use(name, node, NOWHERE)).toMatchObject({ code: 0, stdout, stderr: '' });
}

test.each(Object.keys(BACKENDS))(
  '%s: the first import installs it, the second run is silent and needs no registry',
  async (name) => {
    const before = sandbox.digest('app');
    await useFirst(name, process.execPath);
    await useAgain(name, process.execPath);
    expect(sandbox.digest('app')).toEqual(before);
  },
);

describe('one store for every Node', () => {
  /** The directories of the entries of a feature: `any`, or the ABI. */
  const findPlaces = (slug: string): string[] => {
    const paths = Object.keys(sandbox.digest('volume/annex/v1')).map((path) => path.split('/'));
    return paths.flatMap(([abi, entry, ...rest]) =>
      abi !== undefined && entry?.startsWith(`${slug}.`) && rest.length === 0 ? [abi] : [],
    );
  };
  const nodes = execFileSync(process.execPath, [join(repositoryRoot, 'scripts', 'nodes.mjs')], {
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');

  test('plain JavaScript is installed once for all', async () => {
    for (const node of nodes) await useAgain('exa-js', node);
    expect(findPlaces('exa-js')).toEqual(['any']);
  });

  test('packages bound to an ABI are installed once for each', async () => {
    const known = new Set([process.versions.modules]);
    for (const node of nodes) {
      const abi = execFileSync(node, ['-p', 'process.versions.modules'], {
        encoding: 'utf8',
      }).trim();
      await (known.has(abi) ? useAgain('sharp', node) : useFirst('sharp', node));
      known.add(abi);
    }
    const abis = findPlaces('sharp').map((place) => /^node(\d+)-/.exec(place)?.[1]);
    expect(new Set(abis)).toEqual(known);
    expect(abis).toHaveLength(known.size);
    expect(known.size).toBeGreaterThan(1);
    await useAgain('sharp', process.execPath);
  });
});
