/** Packages of the core, whole or broken, resolve as without annex, whatever else is on the disk. */
import { beforeAll, describe, expect, test } from 'vitest';
import { brokenCopies, lackingCopies, wholeCopies } from '../data/core-copies.ts';
import { cjsPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { type Answers, type Form, type Probe, writeProbe } from '../support/probe.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { declare, plantShadows, SHADOW } from '../support/shadow.ts';

const copies = [...wholeCopies, ...lackingCopies, ...brokenCopies];
const names = copies.map(({ name }) => name);

let sandbox: Sandbox;
let probe: Probe;

beforeAll(async () => {
  sandbox = await createSandbox();
  sandbox.setCore({ features: declare(names) });
  sandbox.addPackage('app/node_modules', cjsPackage('dep', '1.0.0', 'core'));
  for (const { plant } of copies) plant(sandbox, `${sandbox.core}/node_modules`);
  plantShadows(sandbox, names);
  const specifiers = copies.flatMap(({ name, subpaths = [] }) => [
    name,
    ...subpaths.map((path) => `${name}/${path}`),
  ]);
  const few: Form[] = ['static import', 'require'];
  const questions = specifiers.flatMap((specifier) => [
    { from: 'app', specifier },
    { from: 'app/node_modules/dep', specifier, forms: few },
  ]);
  probe = writeProbe(sandbox, questions);
});

const env = () => ({ ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' });
const count = (answers: Answers, marker: string) =>
  Object.values(answers).filter((answer) => answer.marker?.startsWith(marker)).length;

describe.each(nodes)('G1: the core wins, $label', (node) => {
  let alone: Answers;
  let answers: Answers;
  beforeAll(async () => {
    const flags = ['--import', sandbox.loader];
    alone = await probe.run({ node: node.path });
    answers = await probe.run({ node: node.path, flags, env: env() });
  });

  test('Node alone loads some of them, fails for others, and sees no planted copy', () => {
    expect(count(alone, 'core')).toBeGreaterThan(80);
    expect(Object.values(alone).filter(({ error }) => error).length).toBeGreaterThan(400);
    expect(count(alone, SHADOW)).toBe(0);
  });

  test('G1: nothing changes under --import', () => {
    expect(answers).toEqual(alone);
  });

  test('G1: a subpath that core’s copy lacks never resolves elsewhere', () => {
    for (const { name } of lackingCopies) {
      const ofName = Object.entries(answers).filter(([key]) => key.includes(` | ${name}`));
      const seen = new Set(ofName.map(([, { marker }]) => marker ?? 'nothing'));
      expect(
        [...seen].filter((marker) => marker !== 'core'),
        name,
      ).toEqual(['nothing']);
    }
  });

  test.for([
    { title: 'under --require', flag: '--require' },
    { title: 'in a worker', flag: '--import', isWorker: true },
  ])('G1: nothing changes $title', async ({ flag, isWorker = false }) => {
    const flags = [flag, sandbox.loader];
    const others = await probe.run({ node: node.path, flags, isWorker, env: env() });
    expect(others).toEqual(alone);
  });

  test('G1: nothing changes with the preload in NODE_OPTIONS, from another directory', async () => {
    const others = await probe.run({
      node: node.path,
      cwd: 'elsewhere',
      env: { ...env(), NODE_OPTIONS: `--import=${sandbox.loader}` },
    });
    expect(others).toEqual(alone);
  });
});
