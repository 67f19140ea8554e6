/** Texts of modules that say what ran, and whose requests observe.mjs makes. */

/** The ways in which a module requests another. */
export const WAYS_OF_MODULES = [
  'import',
  'require',
  'require.resolve',
  'import.meta.resolve',
] as const;

/** A request of a module. */
export interface ModuleRequest {
  way: (typeof WAYS_OF_MODULES)[number];
  specifier: string;
}

/** What determines the text of a file. */
export interface TextOptions {
  /** The type of the nearest package.json. */
  scope: string | undefined;
  requests: ModuleRequest[];
  /** Whether a relative specifier names a file of the package. */
  isThere: (specifier: string) => boolean;
  /** Whether CommonJS also runs as an ES module, and says so. */
  isPolyglot: boolean;
  /** Whether CommonJS makes its first request when it is loaded. */
  isEager: boolean;
}

/** The text of a file: it says what ran, and offers its requests to observe.mjs. */
export function writeText(path: string, options: TextOptions): string {
  if (path.endsWith('.json')) return `{ "probe": { "id": "<${path}>", "file": "/", "later": {} } }`;
  return path.endsWith('.mjs') || (!path.endsWith('.cjs') && options.scope === 'module')
    ? writeModule(`'<<${path}>>'`, options)
    : writeScript(`'<${path}>'`, options);
}

/**
 * Whether a difference is that foreign code ran: CommonJS with the text of another file, and on a Node that watches every
 * load also ES modules and JSON.
 *
 * @param difference from tamper-round.ts
 */
export function isForeign(difference: string, isWatched: boolean): boolean {
  if (isWatched && difference.includes('EVIL')) return true;
  // An ES module has two brackets.
  const [, id, path] = /^ran <([^<>]+)> (.+)$/.exec(difference) ?? [];
  return id !== undefined && id !== path && path !== '/as-a-module';
}

const writeLater = (requests: ModuleRequest[]): string =>
  requests
    .map(({ way, specifier }) => {
      const text = JSON.stringify(specifier);
      const attributes = specifier.endsWith('.json') ? ", { with: { type: 'json' } }" : '';
      const call = way === 'import' ? `import(${text}${attributes})` : `${way}(${text})`;
      return `    ${JSON.stringify(`${way} ${specifier}`)}: () => ${call},\n`;
    })
    .join('');

function writeModule(id: string, { requests, isThere }: TextOptions): string {
  const isStatic = ({ way, specifier }: ModuleRequest): boolean =>
    way === 'import' && /\.[cm]?js$/.test(specifier) && isThere(specifier);
  const [first] = requests.filter(isStatic);
  const early = first === undefined ? '' : `import ${JSON.stringify(first.specifier)};\n`;
  return `${early}import { createRequire } from 'node:module';
globalThis.probe.ran(import.meta.url, ${id});
const require = createRequire(import.meta.url);
export const probe = {
  id: ${id},
  file: import.meta.url,
  later: {
${writeLater(requests)}  },
};
`;
}

function writeScript(id: string, { requests, isPolyglot, isEager }: TextOptions): string {
  const later = requests.filter(({ way }) => way !== 'import.meta.resolve');
  const eager = later.filter(({ way }) => way === 'require').slice(0, isEager ? 1 : 0);
  const calls = eager.map(({ specifier }) => {
    const text = JSON.stringify(specifier);
    return `  globalThis.probe.eager(__filename, ${text}, () => require(${text}));\n`;
  });
  const body = `  exports.probe = { id: ${id}, file: __filename, later: {
${writeLater(later)}  } };
${calls.join('')}`;
  if (!isPolyglot) return `globalThis.probe.ran(__filename, ${id});\n{\n${body}}\n`;
  return `const isScript = typeof __filename === 'string';
globalThis.probe.ran(isScript ? __filename : '/as-a-module', ${id});
if (isScript) {
${body}}
`;
}
