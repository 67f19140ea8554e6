/** Requests many specifiers from many files in every way, in one run of Node. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { listEntry } from './entry.ts';
import type { RunOptions, Sandbox } from './sandbox.ts';

/** The ways in which a program can ask for a module. */
export const forms = [
  'import()',
  'static import',
  'import.meta.resolve',
  'createRequire()()',
  'createRequire().resolve',
  'require',
  'require.resolve',
  'import() in CommonJS',
] as const;

export type Form = (typeof forms)[number];

/** The forms that load the module, and so identify the copy. */
export const loading: readonly Form[] = [
  'import()',
  'static import',
  'createRequire()()',
  'require',
  'import() in CommonJS',
];

/** A specifier requested by a file in a directory. */
export interface Question {
  /** The directory of the importing file, relative to the sandbox. */
  from: string;
  specifier: string;
  /** All by default. */
  forms?: readonly Form[];
}

/** Node's error with all its visible properties. */
export interface ProbeError {
  code?: string;
  name: string;
  message: string;
  /** Names of its own enumerable properties. */
  keys: string[];
  /** Its stack, up to the first frame. */
  head: string;
  requireStack?: string[];
  path?: string;
  url?: string;
  cause?: { code?: string; message: string; feature?: string; specifier?: string; hint?: string };
}

/** Answer to one question: the facts of the loaded copy, a path, or an error. */
export interface Answer {
  marker?: string;
  version?: string;
  flavor?: string;
  condition?: string;
  subpath?: string;
  seen?: Record<string, string>;
  path?: string;
  error?: ProbeError;
}

/** By `FROM | FORM | SPECIFIER`. */
export type Answers = Record<string, Answer>;

/** The key of one answer. */
export const keyOf = (from: string, form: Form, specifier: string): string =>
  `${from} | ${form} | ${specifier}`;

/**
 * The parts of answers that do not depend on the place of a package: the facts of the copy, its path below node_modules,
 * the code of an error.
 */
export function forgetPlace(answers: Answers): Answers {
  const forget = ({ path, error, ...facts }: Answer): Answer | { error: { code?: string } } => {
    if (error !== undefined) return { error: { ...(error.code && { code: error.code }) } };
    return path === undefined ? facts : { path: path.replace(/^.*\/node_modules\//, '') };
  };
  const all = Object.entries(answers).map(([key, answer]) => [key, forget(answer)] as const);
  return Object.fromEntries(all) as Answers;
}

/** A probe program in a sandbox. */
export interface Probe {
  /** Runs it and returns its answers; throws when there are none, or when the loader prints other lines than why a feature is unavailable. */
  run(options?: ProbeOptions): Promise<Answers>;
}

/** Options of a probe. */
export interface ProbeOptions extends RunOptions {
  /** Flags of Node. */
  flags?: readonly string[];
  /** Whether it runs in a worker. */
  isWorker?: boolean;
  /** User to switch to before the requests; needs root. */
  user?: number;
}

const ESM_VOICE = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
export const ask = {
  'import()': (specifier) => import(specifier),
  'import.meta.resolve': (specifier) => import.meta.resolve(specifier),
  'createRequire()()': (specifier) => require(specifier),
  'createRequire().resolve': (specifier) => require.resolve(specifier),
};
`;

const CJS_VOICE = `exports.ask = {
  require: (specifier) => require(specifier),
  'require.resolve': (specifier) => require.resolve(specifier),
  'import() in CommonJS': (specifier) => import(specifier),
};
`;

const isCommonJs = (form: Form): boolean =>
  form === 'require' || form === 'require.resolve' || form === 'import() in CommonJS';

/**
 * Writes the program and the importing files: \`voice.mjs\`, \`voice.cjs\` and one file for each static
 * import in each directory.
 *
 * @param main path of the program, relative to the sandbox; it determines the core
 */
export function writeProbe(
  sandbox: Sandbox,
  questions: readonly Question[],
  main = 'app/probe.mjs',
): Probe {
  const at = (path: string) => pathToFileURL(join(sandbox.root, path)).href;
  const program = resolve(sandbox.root, main);
  mkdirSync(join(program, '..'), { recursive: true });
  copyFileSync(fileURLToPath(new URL('probe.mjs', import.meta.url)), program);
  const listed = questions.flatMap(({ from, specifier, forms: some = forms }, index) => {
    sandbox.write(join(from, 'voice.mjs'), ESM_VOICE);
    sandbox.write(join(from, 'voice.cjs'), CJS_VOICE);
    const fixed = `static-${index}.mjs`;
    sandbox.write(join(from, fixed), `export * as default from ${JSON.stringify(specifier)};\n`);
    return some.map((form) => {
      const file = isCommonJs(form) ? 'voice.cjs' : 'voice.mjs';
      const voice = at(join(from, form === 'static import' ? fixed : file));
      return { key: keyOf(from, form, specifier), voice, form, specifier };
    });
  });
  // Importing files in an entry belong to it.
  for (const from of new Set(questions.map(({ from }) => from))) {
    const [, entry] =
      /^(.*\/v1\/[^/]+\/[^/]+)\/node_modules(?:\/|$)/.exec(join(sandbox.root, from)) ?? [];
    if (entry !== undefined) listEntry(entry);
  }
  const list = sandbox.write(`${main}.questions.json`, JSON.stringify(listed));
  return {
    run: async ({ flags = [], isWorker = false, user, env, ...options } = {}) => {
      const thread = isWorker ? ['worker'] : [];
      const become = user === undefined ? {} : { PROBE_USER: String(user) };
      const { code, stdout, stderr } = await sandbox.run([...flags, program, list, ...thread], {
        ...options,
        env: { ...env, ...become },
      });
      if (code !== 0 || stdout === '') throw new Error(`the probe ended with ${code}: ${stderr}`);
      if (/annex: (?!.* unavailable \()/.test(stderr))
        throw new Error(`the loader complained: ${stderr}`);
      return JSON.parse(stdout) as Answers;
    },
  };
}
