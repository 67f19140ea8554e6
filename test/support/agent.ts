/** How a monitoring agent is started, before annex or after it. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Main } from '../data/clients.ts';
import { repositoryRoot } from './package.ts';

/** A way to start an agent. */
export interface Way {
  /** Flags of Node. */
  flags?: readonly string[];
  /** What the program loads before anything else. */
  first?: string;
  /** Programs for which the way is documented. */
  mains: readonly Main[];
}

/** An agent. */
export interface Agent {
  packages: readonly string[];
  /** Its settings; none of them lets it talk to another machine. */
  env: Record<string, string>;
  /** Files of the application, by name. */
  files: Record<string, string>;
  /** A module that exports `record`, which returns the names of the spans of a function. */
  record: string;
  /** By title; the first is tested on every Node, the others on the newest. */
  ways: Record<string, Way>;
}

/** Programs of ways that are documented for ES modules, for CommonJS, and for both. */
export const ESM: readonly Main[] = ['main.mjs'];
export const CJS: readonly Main[] = ['main.cjs'];
export const BOTH: readonly Main[] = [...ESM, ...CJS];

/** Outside the application: npm would remove a copy of annex that it does not declare. */
const loader = join(repositoryRoot, 'loader.mjs');

/** Arguments of Node for one way to start an agent. */
export interface Orders {
  plain: string[];
  annexFirst: string[];
  annexLast: string[];
}

/** Arguments for the agent alone, and with annex before it and after it. */
export function order({ flags = [], first }: Way, main: Main): Orders {
  if (first === undefined) {
    // Node preloads what --require names before what --import names.
    const annex = [flags.includes('--require') ? '--require' : '--import', loader];
    return {
      plain: [...flags, main],
      annexFirst: [...annex, ...flags, main],
      annexLast: [...flags, ...annex, main],
    };
  }
  const plain = nameStart(first, main, false);
  return {
    plain: [plain],
    annexFirst: ['--import', loader, plain],
    annexLast: [nameStart(first, main, true)],
  };
}

/** Programs that load an agent first, by name. */
export function listStarts({ ways }: Agent): Record<string, string> {
  const starts = Object.values(ways).flatMap(({ first, mains }) =>
    mains.flatMap((main) =>
      first === undefined
        ? []
        : [false, true].map((isAnnex) => [
            nameStart(first, main, isAnnex),
            writeStart(first, main, isAnnex),
          ]),
    ),
  );
  return Object.fromEntries(starts);
}

const nameStart = (first: string, main: Main, isAnnex: boolean): string =>
  `start-${first.replaceAll(/\W+/g, '-')}${isAnnex ? '-annex' : ''}-${main}`;

function writeStart(first: string, main: Main, isAnnex: boolean): string {
  const isESM = main === 'main.mjs';
  const register = join(repositoryRoot, 'dist', isESM ? 'register.js' : 'register.cjs');
  const annex = isESM ? pathToFileURL(register).href : register;
  return [first, ...(isAnnex ? [annex] : []), `./${main}`]
    .map((name) => (isESM ? `import '${name}';\n` : `require('${name}');\n`))
    .join('');
}
