/** The rows of bench:overhead: what runs in each, what is compared with what, and the goals. */
import { join } from 'node:path';
import { MODULES } from './many-modules.mjs';
import { FEATURES, ONE_FILE } from './setting.mjs';

/**
 * @typedef {{ args: string[], cwd: string, env?: Record<string, string> }} Program arguments of Node
 * @typedef {{ of: string, over: string, label: string, unit: 'time' | 'MB' | 'us',
 *   goal?: { ratio?: number, ms?: number, MB?: number, us?: number } }} Comparison of two programs of the row
 * @typedef {{ id: string, programs: Record<string, Program>, compare: Comparison[], group?: string }} Row
 */

/** Rows whose geometric mean is a comparison of its own, by group. */
export const GROUPS = {
  warm: [
    {
      of: 'annex',
      over: 'plain',
      label: 'warm import, six packages, geometric mean',
      goal: { ratio: 1.1 },
    },
    {
      of: 'off',
      over: 'plain',
      label: 'the same, `"verify": "off"`',
      goal: { ratio: 1.03 },
    },
  ],
};

/** The rows, each created only if it is asked for. */
const MAKERS = {
  start: (world) => {
    const main = world.idle();
    return {
      programs: preloads(world, world.app, main),
      compare: [
        time('annex', 'empty', 'start, over an empty preload', { ratio: 1.04, ms: 3 }),
        time('annex', 'none', 'start, over no preload'),
      ],
    };
  },
  esm: (world) => many(world, 'esm', `${MODULES} ES modules`, 1.03),
  cjs: (world) => many(world, 'cjs', `${MODULES} CommonJS modules`, 1.04),
  ...Object.fromEntries(
    Object.keys(FEATURES).map((name) => [
      `warm ${name}`,
      (world) => {
        const { annex, plain, off } = imports(world, name, 'once');
        const goal = name === 'sharp' ? { ratio: 1.25 } : undefined;
        return {
          group: 'warm',
          programs: { annex, plain, off },
          compare: [
            time('annex', 'plain', `warm import of ${name}`, goal),
            time('off', 'plain', 'the same, `"verify": "off"`'),
          ],
        };
      },
    ]),
  ),
  ...Object.fromEntries(
    Object.keys(ONE_FILE).map((name) => [
      `small ${name}`,
      (world) => {
        const { annex, plain } = imports(world, name, 'once');
        const label = `warm import of one small file, ${name}`;
        return { programs: { annex, plain }, compare: [time('annex', 'plain', label, { ms: 5 })] };
      },
    ]),
  ),
  again: (world) => {
    const { annex, plain } = imports(world, 'exa-js', 'again');
    const label = 'second import() of a feature';
    const compare = [{ of: 'annex', over: 'plain', label, unit: 'us', goal: { us: 5 } }];
    return { programs: { annex, plain }, compare };
  },
  memory: (world) => {
    const { annex, empty } = preloads(world, world.app, world.idle(), ['--expose-gc']);
    const label = 'memory, over an empty preload';
    const compare = [{ of: 'annex', over: 'empty', label, unit: 'MB', goal: { MB: 1 } }];
    return { programs: { annex, empty }, compare };
  },
  scale: (world) => {
    const { dir, large, few } = world.stores();
    const program = (store) => ({
      args: ['--import', world.loader(dir), 'main.js'],
      cwd: dir,
      env: { ANNEX_STORE: store },
    });
    const label = 'an unlocked feature, 10,000 entries over one';
    return {
      programs: { large: program(large), few: program(few) },
      compare: [time('large', 'few', label, { ratio: 1.05 })],
    };
  },
};

/** Names of all rows. */
export const ROWS = Object.keys(MAKERS);

/** @returns {Row[]} */
export const makeRows = (world, ids) => ids.map((id) => ({ id, ...MAKERS[id](world) }));

const time = (of, over, label, goal) => ({ of, over, label, unit: 'time', goal });

/** A program of an application without a preload, with an empty one, and with annex. */
function preloads(world, cwd, main, flags = []) {
  return {
    annex: { args: [...flags, '--import', world.loader(cwd), main], cwd },
    empty: { args: [...flags, '--import', join(cwd, 'empty.mjs'), main], cwd },
    none: { args: [...flags, main], cwd },
  };
}

function many(world, kind, label, ratio) {
  return {
    programs: preloads(world, world.many(kind), 'main.js'),
    compare: [
      time('annex', 'empty', `${label}, over an empty preload`, { ratio }),
      time('annex', 'none', 'the same, over no preload'),
    ],
  };
}

/** The import of an installed feature, with and without verification, and of the same package in node_modules. */
function imports(world, name, program) {
  const { plain, [program]: main } = world.feature(name);
  const annex = { args: ['--import', world.loader(world.app), main], cwd: world.app };
  const off = { ...annex, env: { ANNEX_CONFIG: join(world.base, 'off.json') } };
  return { annex, off, plain: { args: [main], cwd: plain } };
}
