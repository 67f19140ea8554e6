/** A preload that makes one read fail, as on a machine without free handles, or on a bad disk. */

/**
 * Source of a CommonJS preload. `stumble(code, nth, calls)` has the nth of those calls from then on fail
 * with that code, once; it returns a function that returns which call was hit.
 */
export const STUMBLE = `
const fs = require('node:fs');
let left = 0;
let calls = [];
let code;
let hit;
for (const name of ['openSync', 'readdirSync']) {
  const real = fs[name];
  fs[name] = (...args) => {
    if (code !== undefined && calls.includes(name) && --left === 0) {
      hit = name + ' ' + args[0];
      const facts = code === 'ESTALE' ? { code: 'Unknown system error -116', errno: -116 } : { code };
      const error = Object.assign(new Error(code + ': injected, ' + hit), { ...facts, path: args[0] });
      code = undefined;
      throw error;
    }
    return real(...args);
  };
}
require('node:module').syncBuiltinESMExports();
globalThis.stumble = (wanted, nth, names) => {
  calls = names;
  hit = undefined;
  code = wanted;
  left = nth;
  return () => {
    code = undefined;
    return hit;
  };
};
`;
