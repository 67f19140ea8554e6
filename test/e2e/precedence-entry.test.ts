/** Entries are closed: a file in an entry resolves as if the entry were alone. */
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage, dualPackage, subpathPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import {
  type Answer,
  type Answers,
  type Probe,
  type ProbeOptions,
  type Question,
  writeProbe,
} from '../support/probe.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { declare, plantShadows, SHADOW, shadowPackage } from '../support/shadow.ts';

/** Optional dependencies that the entry lacks, planted above it: whole, and broken in every way. */
const broken: Record<string, string> = {
  'absent-unparsable': '{',
  'absent-null': 'null',
  'absent-exports': '{"exports":{}}',
  'absent-condition': '{"exports":{"browser":"./any.mjs"}}',
  'absent-target': '{"exports":"../../outside.js"}',
  'absent-main': '{"main":"./gone.js"}',
};
const absent = ['absent', '@absent/scoped', ...Object.keys(broken)];
const other = 'other-feature';

const alpha: PackageFixture = {
  ...dualPackage('alpha', '1.0.0', 'entry', {
    imports: {
      '#file': './index.mjs',
      '#helper': 'helper',
      '#gone': './gone.mjs',
      '#absent': 'absent',
      '#other': other,
      '#core': 'core-only',
      '#builtin': 'node:path',
    },
  }),
};
const packages = [
  alpha,
  cjsPackage('helper', '1.0.0', 'entry'),
  subpathPackage('@entry/scoped', '1.0.0', 'entry'),
] as const;
const plain = [
  ...['alpha', 'alpha/sub', 'helper', 'helper/lib/extra.js', 'helper/gone', '@entry/scoped/sub'],
  ...absent.flatMap((name) => [name, `${name}/sub`]),
  ...[other, 'decoy', 'core-only', 'core-only/sub', 'app', 'undeclared', '@entry/absent'],
];
const internal = Object.keys(alpha.manifest?.imports ?? {});

let entry: string;
let crowded: { sandbox: Sandbox; probe: Probe };
let lonely: { sandbox: Sandbox; probe: Probe };

async function build(): Promise<{ sandbox: Sandbox; probe: Probe }> {
  const sandbox = await createSandbox();
  const dir = sandbox.plantEntry({ feature: 'alpha', packages, specs: { alpha: '^1.0.0' } });
  entry = relative(sandbox.root, dir);
  const from = ['alpha', 'helper'].map((name) => join(entry, 'node_modules', name));
  const questions: Question[] = [
    ...from.flatMap((dir) => plain.map((specifier) => ({ from: dir, specifier }))),
    ...internal.map((specifier) => ({ from: from[0] ?? '', specifier })),
  ];
  return { sandbox, probe: writeProbe(sandbox, questions) };
}

beforeAll(async () => {
  [crowded, lonely] = [await build(), await build()];
  const { sandbox } = crowded;
  const names = [...absent, other, 'core-only'];
  sandbox.setCore({ features: { alpha: '^1.0.0', ...declare(names) } }, { exports: './voice.mjs' });
  plantShadows(sandbox, names, { claim: 'absent' });
  sandbox.addPackage('app/node_modules', cjsPackage('core-only', '1.0.0', `${SHADOW} core`));
  for (const [name, text] of Object.entries(broken)) {
    sandbox.write(`volume/node_modules/${name}/package.json`, text);
    sandbox.write(`volume/annex/v1/node_modules/${name}/package.json`, text);
    sandbox.write(`volume/annex/v1/any/node_modules/${name}/package.json`, text);
  }
  sandbox.addPackage('volume/node_modules', shadowPackage('undeclared', 'volume'));
  // The last folders that `require` searches.
  for (const place of ['home/.node_modules', 'node-path']) {
    for (const name of ['absent', other]) sandbox.addPackage(place, shadowPackage(name, place));
    sandbox.write(join(place, 'absent-exports/package.json'), broken['absent-exports'] ?? '');
  }
});

/**
 * The answers without the path of the sandbox. Of the errors of #internal specifiers only the
 * code: Node names their targets, which only Node knows.
 */
function place(answers: Answers, { root }: Sandbox): Answers {
  const text = JSON.stringify(answers, (key, value: unknown) => {
    const { error } = (value ?? {}) as Answer;
    return key.includes('#') && error !== undefined ? { error: { code: error.code } } : value;
  });
  return JSON.parse(text.replaceAll(root, '')) as Answers;
}

describe.each(nodes)('$label', (node) => {
  let alone: Answers;
  beforeAll(async () => {
    alone = place(await lonely.probe.run({ node: node.path }), lonely.sandbox);
  });
  const run = async (options: ProbeOptions, env: Record<string, string> = {}) => {
    const { sandbox, probe } = crowded;
    const { store, loader } = sandbox;
    const answers = await probe.run({
      node: node.path,
      flags: ['--import', loader],
      env: { ANNEX_STORE: store, ANNEX_ALLOW_INSTALLS: '0', ...env },
      ...options,
    });
    return place(answers, sandbox);
  };

  test('Node alone finds the closure and fails for everything else', () => {
    const found = Object.values(alone).filter(({ error }) => error === undefined);
    expect(found.length).toBeGreaterThan(50);
    expect(Object.keys(alone).length - found.length).toBeGreaterThan(300);
  });

  test('a file in an entry sees its closure alone', async () => {
    expect(await run({})).toEqual(alone);
  });

  test('a file in an entry sees its closure alone, under --require', async () => {
    const flags = ['--require', crowded.sandbox.loader];
    expect(await run({ flags, cwd: 'elsewhere' })).toEqual(alone);
  });

  test('a file in an entry sees its closure alone, in a worker', async () => {
    expect(await run({ isWorker: true })).toEqual(alone);
  });

  test('a file in an entry sees its closure alone, whatever NODE_PATH holds', async () => {
    const NODE_PATH = join(crowded.sandbox.root, 'node-path');
    expect(await run({}, { NODE_PATH })).toEqual(alone);
  });
});
