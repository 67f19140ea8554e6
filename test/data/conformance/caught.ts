/** Programs that catch errors of resolution, and look at all of them. */
import { FAILING, FAILURES } from './failures.ts';
import { askingModule, askingScript, type Case } from './program.ts';

const limits = [0, 1, 3, 50, 'Infinity'].map(
  (limit): Case => ({
    title: `stacks: a limit of ${limit} frames`,
    files: {
      'main.mjs': `Error.stackTraceLimit = ${limit};\n${askingModule(`import('no-such-package')`, `require('no-such-package')`, `require('./far.cjs')`, `import('./far.cjs')`)}`,
      'far.cjs': `const one = () => two(); const two = () => three(); const three = () => require('no-such-package'); one();`,
    },
    shows: 'no-such-package',
  }),
);

export const caughtPrograms: Case[] = [
  {
    title: 'caught: every failing import, with all properties and the stack',
    files: {
      'main.mjs': askingModule(...FAILURES.map(([specifier]) => `import('${specifier}')`)),
      ...FAILING,
    },
    shows: 'ERR_INVALID_PACKAGE_TARGET',
  },
  {
    title: 'caught: every failing import() of a script',
    files: {
      'main.cjs': askingScript(...FAILURES.map(([specifier]) => `import('${specifier}')`)),
      ...FAILING,
    },
    shows: 'ERR_INVALID_PACKAGE_TARGET',
  },
  {
    title: 'caught: every failing require and require.resolve',
    files: {
      'main.cjs': askingScript(
        ...FAILURES.flatMap(([specifier]) => [
          `require('${specifier}')`,
          `require.resolve('${specifier}')`,
        ]),
      ),
      ...FAILING,
    },
    shows: 'ERR_INVALID_PACKAGE_TARGET',
  },
  {
    title: 'caught: every failing import.meta.resolve',
    files: {
      'main.mjs': askingModule(
        ...FAILURES.map(([specifier]) => `import.meta.resolve('${specifier}')`),
      ),
      ...FAILING,
    },
    shows: 'ERR_INVALID_PACKAGE_TARGET',
  },
  ...limits,
  {
    title: 'stacks: Error.prepareStackTrace of the program sees the frames of Node alone',
    files: {
      'main.cjs': `Error.prepareStackTrace = (error, frames) => frames.map((frame) => [frame.getFunctionName(), frame.getFileName()?.replace(/.*[/]/, '')].join(' ')).join('|');
try { require('no-such-package'); } catch (error) { console.log(error.stack); }
import('no-such-package').catch((error) => console.log(error.stack));`,
    },
    shows: 'main.cjs',
  },
  {
    title: 'stacks: a required module sees the frames that lead to it',
    files: {
      'main.cjs': `console.log(require('./far.cjs').stack);`,
      'far.cjs': `module.exports = new Error('here');`,
    },
    shows: 'Error: here',
  },
  {
    title: 'stacks: an imported module sees the frames that lead to it',
    files: {
      'main.cjs': `import('./far.mjs').then(({ default: { stack } }) => console.log(stack)).then(() => import('./other.cjs')).then(({ default: { stack } }) => console.log(stack));`,
      'other.cjs': `module.exports = new Error('other');`,
      'far.mjs': `export default new Error('there');`,
    },
    shows: 'Error: there',
  },
];
