/** Files and packages that every program about functions can ask for. */
import { dependency } from './program.ts';

const INNER = dependency(
  'inner',
  { exports: { '.': './index.js', './package.json': './package.json' } },
  { 'index.js': `module.exports = 'inner';`, 'lib/x.js': '' },
);
const PLAIN = dependency(
  'plain',
  { main: './lib' },
  { 'lib/index.js': `module.exports = 'plain';` },
);
export const ALL = {
  ...INNER,
  ...PLAIN,
  'x.cjs': `module.exports = 'x';`,
  'x.mjs': `export default 'x';`,
  'lib/y.cjs': `module.exports = 'y';`,
  'lib/node_modules/nested/index.js': `module.exports = 'nested';`,
};
