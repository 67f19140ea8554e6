/** A store that cannot be read at the moment: an error with its reason, no install, nothing retired. */
import { describe, expect, test } from 'vitest';
import { cjsPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { STUMBLE } from '../support/stumble.ts';
import { openWorld } from '../support/world.ts';

/** More than the reads of a first request. */
const MOST = 30;
const names = Array.from({ length: MOST }, (_, index) => `alpha${index}`);
const annex = { features: Object.fromEntries(names.map((name) => [name, '^1.0.0'])) };
const packages = names.map((name) => cjsPackage(name, '1.0.0', 'from-registry'));

/** Requests another feature each time, with a later read that fails; then requests it again without. */
const PROGRAM = `
const { ensure } = await import('annex');
const { createRequire } = await import('node:module');
const require = createRequire(import.meta.url);
const [how, code, most, ...calls] = process.argv.slice(2);
const ask = {
  import: (name) => import(name),
  require: async (name) => require(name),
  ensure,
}[how];
const [first, again, messages] = [{}, {}, []];
const settle = (name) => ask(name).then(
  ({ where, marker }) => where ?? marker,
  (error) => {
    messages.push(error.message);
    return error.cause?.code ?? error.code;
  },
);
// Files that a process reads once are read now.
await settle('alpha0');
for (let nth = 1; nth < Number(most); nth += 1) {
  const end = stumble(code, nth, calls);
  const outcome = await settle('alpha' + nth);
  const hit = end();
  if (hit === undefined) break;
  first[outcome] = (first[outcome] ?? 0) + 1;
  const healed = await settle('alpha' + nth);
  again[healed] = (again[healed] ?? 0) + 1;
}
console.log(JSON.stringify({ first, again, messages }));
`;

const BOTH = ['openSync', 'readdirSync'];

/** Form of the request, error code, maximum number of places, failing calls, and reason. */
const ROWS = [
  ['import', 'EMFILE', MOST, BOTH, /too many files are open/],
  ['require', 'EMFILE', MOST, BOTH, /too many files are open/],
  ['ensure', 'ENFILE', MOST, BOTH, /too many files are open/],
  ['import', 'ENOTCONN', MOST, BOTH, /the program or the server behind its mount is gone/],
  ['require', 'ESTALE', MOST, BOTH, /its file server no longer has it/],
  ['ensure', 'ETIMEDOUT', MOST, BOTH, /its file server does not respond/],
  // The first directory to be read is that of an ABI.
  ['require', 'EIO', 2, ['readdirSync'], /any cannot be used: its disk reports an error/],
  ['ensure', 'EACCES', 2, ['readdirSync'], /any cannot be used: permission is denied \(EACCES/],
] as const;

describe.concurrent.each(nodes)('$label', (node) => {
  // Node 20 looks up imports in another thread.
  const rows = ROWS.filter(([how]) => how !== 'import' || !node.label.startsWith('v20.'));
  test.for(rows)('%s, %s', async ([how, code, most, calls, reason]) => {
    const { sandbox, registry } = await openWorld({ packages, annex });
    for (const name of names) {
      const planted = cjsPackage(name, '1.0.0', 'store');
      sandbox.plantEntry({ feature: name, packages: [planted], specs: { [name]: '^1.0.0' } });
    }
    sandbox.write('stumble.cjs', STUMBLE);
    sandbox.write('app/program.mjs', PROGRAM);
    const preloads = ['--require', '../stumble.cjs', '--import', sandbox.loader];
    const args = [...preloads, 'program.mjs', how, code, `${most}`, ...calls];
    const env = { ANNEX_STORE: sandbox.store };
    const { stdout, stderr } = await sandbox.run(args, { node: node.path, env });
    expect(stdout, stderr).not.toBe('');
    const { first, again, messages } = JSON.parse(stdout);
    expect(first.ANNEX_STORE_UNUSABLE).toBeGreaterThanOrEqual(most === MOST ? 5 : 1);
    expect(messages.join()).toMatch(reason);
    expect(Object.keys(again)).toEqual(['store']);
    expect(stderr).not.toContain('installing');
    expect(registry.requests).toEqual([]);
  });
});
