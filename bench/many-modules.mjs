/** Writes an application of 2,000 small modules in many directories and a few packages, as ES modules or as CommonJS. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Files of the application: file `n` imports up to five others and perhaps a package. */
const OWN = 1500;
/** Packages in node_modules: an index that imports all other files of the package. */
const PACKAGES = 10;
const FILES_OF_PACKAGE = 50;

/** The number of modules that a program loads with `main` of `writeModules`. */
export const MODULES = OWN + PACKAGES * FILES_OF_PACKAGE;

/**
 * @param {string} app directory whose package.json has the type of the modules
 * @param {boolean} isModule whether to write ES modules
 * @returns {string} the specifier, relative to the application, of the module that loads all others
 */
export function writeModules(app, isModule) {
  const file = (n) => join(app, 'src', `area-${n % 8}`, `part-${n % 40}`, `module-${n}.js`);
  for (let n = 0; n < OWN; n++) {
    const others = [3 * n + 1, 3 * n + 2, 3 * n + 3, n + 8, n + 41].filter((other) => other < OWN);
    const specifiers = others.map((other) => toSpecifier(file(n), file(other), isModule));
    if (n % 3 === 0) specifiers.push(`package-${(n / 3) % PACKAGES}`);
    if (n % 5 === 0) specifiers.push('node:path');
    write(file(n), compose(n, specifiers, isModule));
  }
  for (let index = 0; index < PACKAGES; index++) {
    const home = join(app, 'node_modules', `package-${index}`);
    const name = `package-${index}`;
    const manifest = { name, version: '1.0.0', type: isModule ? 'module' : 'commonjs' };
    const entry = isModule ? { exports: './index.js' } : { main: 'index.js' };
    write(join(home, 'package.json'), JSON.stringify({ ...manifest, ...entry }));
    const parts = Array.from({ length: FILES_OF_PACKAGE - 1 }, (_, n) =>
      join(home, 'lib', `file-${n}.js`),
    );
    const main = join(home, 'index.js');
    const all = parts.map((part) => toSpecifier(main, part, isModule));
    write(main, compose(OWN + index, all, isModule));
    for (const [n, part] of parts.entries()) {
      write(part, compose(OWN + PACKAGES + n, [], isModule));
    }
  }
  return './src/area-0/part-0/module-0.js';
}

/** ES modules name the extension, CommonJS leaves it out. */
function toSpecifier(from, to, isModule) {
  const path = relative(dirname(from), to);
  const specifier = path.startsWith('.') ? path : `./${path}`;
  return isModule ? specifier : specifier.replace(/\.js$/, '');
}

/** The text of a module, of 1 to 2 kB. */
function compose(n, specifiers, isModule) {
  const imports = specifiers.map((specifier, index) =>
    isModule
      ? `import { ${specifier === 'node:path' ? 'join' : 'others'} as other${index} } from '${specifier}';`
      : `const other${index} = require('${specifier}');`,
  );
  const names = specifiers.map((_, index) => `other${index}`);
  const functions = Array.from({ length: 2 + (n % 3) }, (_, index) =>
    [
      `/** Reads option ${index} of module ${n}, and applies its default when it is not set. */`,
      `function readOption${index}(options, key = 'option-${index}') {`,
      '  const value = options === undefined ? undefined : options[key];',
      `  if (value === undefined) return { key, value: ${n + index}, isDefault: true };`,
      `  if (typeof value !== 'number') throw new TypeError(\`\${key} of module ${n} is no number\`);`,
      '  return { key, value, isDefault: false };',
      '}',
    ].join('\n'),
  );
  const list = Array.from({ length: 2 + (n % 3) }, (_, index) => `readOption${index}`).join(', ');
  const exported = isModule
    ? `export { ${list} };\nexport const others = [${names.join(', ')}].length;`
    : `module.exports = { ${list}, others: [${names.join(', ')}].length };`;
  return `${[...imports, ...functions, exported].join('\n')}\n`;
}

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
