/** Symbolic links change nothing: pnpm's layout, a linked core and store, --preserve-symlinks, unusual names. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage, dependentPackage, dualPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { type Answers, keyOf, loading, type Question, writeProbe } from '../support/probe.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { plantShadows, SHADOW } from '../support/shadow.ts';

const ODD = 'o d#%41?ü';
const inStore = ['y', 'z', 'hoisted', 'dependent'];
const names = [...inStore, 'x', 'missing'];
const features = { ...Object.fromEntries(names.map((name) => [name, '^1.0.0'])), decoy: '*' };

/** A package of pnpm's store inside node_modules, and the packages beside it. */
const PNPM = 'app/node_modules/.pnpm';
const inPnpm = `${PNPM}/x@1.0.0/node_modules/x`;

let sandbox: Sandbox;

function link(from: string, to: string): void {
  const path = join(sandbox.root, from);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(to, path);
}

function plantPnpm(): void {
  for (const name of ['x', 'y', 'hoisted']) {
    const modules = `${PNPM}/${name}@1.0.0/node_modules`;
    sandbox.addPackage(modules, dualPackage(name, '1.0.0', 'core'));
  }
  link('app/node_modules/x', '.pnpm/x@1.0.0/node_modules/x');
  link(`${PNPM}/x@1.0.0/node_modules/y`, '../../y@1.0.0/node_modules/y');
  link(`${PNPM}/node_modules/hoisted`, '../hoisted@1.0.0/node_modules/hoisted');
}

beforeAll(async () => {
  sandbox = await createSandbox();
  sandbox.setCore({ features });
  plantPnpm();
  plantShadows(sandbox, ['missing'], { hasEntry: false, claim: 'z' });
  const packages = [
    dependentPackage('dependent', '1.0.0', 'store', { inner: '*' }),
    cjsPackage('inner', '1.0.0', 'inner'),
  ] as const;
  sandbox.plantEntry({ feature: 'dependent', packages, specs: { dependent: '*' } });
  for (const name of ['x', 'y', 'z', 'hoisted']) {
    const marker = name === 'x' ? `${SHADOW} store` : 'store';
    const pkg = dualPackage(name, '1.5.0', marker);
    sandbox.plantEntry({ feature: name, packages: [pkg], specs: { [name]: '^1.0.0' } });
  }
  link('linked-app', 'app');
  link('linked-volume', 'volume');
  link(`${ODD}/volume`, '../volume');
});

const ask = (from: string, specifiers: string[]): Question[] =>
  specifiers.map((specifier) => ({ from, specifier }));

/** Result of the loading forms: one marker, or the differences between them. */
function markerOf(answers: Answers, from: string, specifier: string): string {
  const markers = loading.map((form) => {
    const { marker, error } = answers[keyOf(from, form, specifier)] ?? {};
    return marker ?? error?.cause?.code ?? error?.code?.replace(/^ERR_MODULE/, 'MODULE') ?? 'none';
  });
  return [...new Set(markers)].join(' or ');
}

const PRESERVE = ['--preserve-symlinks', '--preserve-symlinks-main'];

interface Case {
  title: string;
  main?: string;
  flags?: string[];
  store?: string;
  /** The loaded marker by directory and specifier. */
  loads: Record<string, Record<string, string>>;
}

const asCore = { x: 'core', y: 'store', z: 'store', hoisted: 'store', dependent: 'store' };
const cases: Case[] = [
  {
    title: 'pnpm’s layout: a package sees the links beside it, the core its own links',
    loads: {
      app: { ...asCore, 'x/sub': 'ERR_PACKAGE_PATH_NOT_EXPORTED', missing: 'ANNEX_DENIED' },
      [inPnpm]: { x: 'core', y: 'core', hoisted: 'core', z: 'store', missing: 'ANNEX_DENIED' },
      [`${PNPM}/y@1.0.0/node_modules/y`]: { x: 'core', hoisted: 'core', z: 'store' },
    },
  },
  {
    title: 'a program started through a link',
    main: 'linked-app/probe.mjs',
    loads: { app: asCore, 'linked-app': { ...asCore, missing: 'ANNEX_DENIED' } },
  },
  {
    title: 'a program started through a link under --preserve-symlinks',
    main: 'linked-app/probe.mjs',
    flags: PRESERVE,
    loads: { 'linked-app': { ...asCore, missing: 'ANNEX_DENIED' }, app: asCore },
  },
  {
    title: 'pnpm’s layout under --preserve-symlinks',
    flags: PRESERVE,
    loads: { app: asCore, 'app/node_modules/x': { x: 'core', y: 'store', z: 'store' } },
  },
  {
    title: 'a store behind a link',
    store: 'linked-volume/annex',
    loads: { app: { ...asCore, missing: 'ANNEX_DENIED' } },
  },
  {
    title: 'a store behind a link under --preserve-symlinks',
    store: 'linked-volume/annex',
    flags: PRESERVE,
    loads: { app: { ...asCore, missing: 'ANNEX_DENIED' } },
  },
  {
    title: 'names that must be escaped in a URL',
    store: `${ODD}/volume/annex`,
    loads: { [`app/${ODD}`]: { ...asCore, missing: 'ANNEX_DENIED' } },
  },
];

describe.each(nodes)('$label', (node) => {
  test.for(cases)('$title', async ({ main, flags = [], store = 'volume/annex', loads }) => {
    const questions = Object.entries(loads).flatMap(([from, expected]) =>
      ask(from, Object.keys(expected)),
    );
    const probe = writeProbe(sandbox, questions, main);
    const env = { ANNEX_STORE: join(sandbox.root, store), ANNEX_ALLOW_INSTALLS: '0' };
    const preload = ['--import', sandbox.loader];
    const answers = await probe.run({ node: node.path, flags: [...flags, ...preload], env });
    const alone = await probe.run({ node: node.path, flags });
    expect(JSON.stringify(answers)).not.toContain(SHADOW);
    for (const [key, answer] of Object.entries(alone)) {
      if (answer.error === undefined) expect(answers[key], key).toEqual(answer);
    }
    for (const [from, expected] of Object.entries(loads)) {
      const seen = Object.keys(expected).map((name) => [name, markerOf(answers, from, name)]);
      expect(Object.fromEntries(seen), from).toEqual(expected);
    }
  });

  test('createRequire of a path through a link is the core’s', async () => {
    const program = `import { createRequire } from 'node:module';
        const require = createRequire(process.argv[2] + '/linked-app/any.js');
        console.log(JSON.stringify([require('x').marker, require('z').marker]));`;
    sandbox.write('app/linked.mjs', program);
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const flags = ['--import', sandbox.loader];
    const run = await sandbox.run([...flags, 'linked.mjs', sandbox.root], {
      node: node.path,
      env,
    });
    expect(JSON.parse(run.stdout)).toEqual(['core', 'store']);
  });
});
