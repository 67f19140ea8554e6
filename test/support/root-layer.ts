/** A core with a baked layer that only root can change, and a program that imports from it as a plain user. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect } from 'vitest';
import { type Baking, useBaking } from './baking.ts';
import type { Imported, Imports } from './importer.ts';
import { listEntries } from './lock-files.ts';
import { PLAIN_USER } from './user.ts';

/** Writes down what annex opens, in every thread. Node's own loader reads in another way. */
const COUNTER = `
const fs = require('node:fs');
const { openSync } = fs;
fs.openSync = (path, ...rest) => {
  if (path !== process.env.COUNTED) fs.appendFileSync(process.env.COUNTED, path + '\\n');
  return openSync(path, ...rest);
};
require('node:module').syncBuiltinESMExports();
`;

const { uid, gid } = PLAIN_USER;
/** Starts a program as a plain user. */
export const AS_USER = ['setpriv', '--reuid', `${uid}`, '--regid', `${gid}`, '--clear-groups'];

/** The world of a test, and what its tests do with the entry of `other`. */
export interface RootLayer {
  at: Baking;
  findEntry: () => string;
  /** Its only module. */
  findFile: () => string;
  /** Changes that file, as only root can: its marker is CHANGED. */
  change: () => void;
  /** Runs the program, as a plain user by default. Returns what it imported, and the files of the entry that annex read. */
  load: (
    env?: Record<string, string>,
    before?: string[],
  ) => Promise<{ other: Imported | undefined; read: string[] }>;
  /** Runs the program, and expects that it does not find the package. */
  expectRefused: (env?: Record<string, string>, before?: string[]) => Promise<void>;
  /** Variables that name an operator's file. */
  configure: (config: object) => Record<string, string>;
}

/** Sets a fresh core up before each test; `bakeLocked` fills its layer. */
export function useRootLayer(node: string): RootLayer {
  const at = useBaking();
  const findEntry = (): string =>
    listEntries({ store: at.layer }).find((dir) => dir.includes('/other.')) ?? '';
  const findFile = (): string => join(findEntry(), 'node_modules/other/index.js');

  const change = (): void => {
    const file = findFile();
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"other"', '"CHANGED"'));
  };

  const load: RootLayer['load'] = async (env = {}, before = AS_USER) => {
    const { sandbox } = at;
    const counter = sandbox.write('counter.cjs', COUNTER);
    const counted = sandbox.write('counted.txt', '');
    chmodSync(counted, 0o666);
    const [command = '', ...args] = before;
    const program = ['--require', counter, '--import', sandbox.loader, 'main.mjs', 'other'];
    const ended = await sandbox.exec(command, [...args, node, ...program], {
      node,
      env: {
        COUNTED: counted,
        ANNEX_STORE: `${delimiter}${at.layer}`,
        ANNEX_SEALED: '1',
        ANNEX_ALLOW_INSTALLS: '0',
        ...env,
      },
    });
    expect(ended.code, ended.stderr).toBe(0);
    const { other } = JSON.parse(ended.stdout) as Imports['imported'];
    const entry = findEntry();
    const opened = new Set(readFileSync(counted, 'utf8').split('\n'));
    const read = [...opened].filter((path) => path.startsWith(`${entry}/`));
    return { other, read: read.map((path) => path.slice(entry.length + 1)) };
  };

  const expectRefused: RootLayer['expectRefused'] = async (env, before) => {
    const { other } = await load(env, before);
    expect(other?.marker).toBeUndefined();
    expect(other?.code).toBe('ERR_MODULE_NOT_FOUND');
  };

  const configure = (config: object) => ({ ANNEX_CONFIG: at.sandbox.write('annex.json', config) });

  return { at, findEntry, findFile, change, load, expectRefused, configure };
}
