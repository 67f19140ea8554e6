/** The application of the programs around resolution: some declared packages are in it, some in the store, some nowhere. */

import { OUTSIDE, SHIPPED } from '../data/conformance/declared.ts';
import { TELL } from '../data/conformance/program.ts';
import { hasSyncHooks, openWorlds, type Worlds } from './conformance.ts';
import { cjsPackage, dualPackage, esmPackage } from './fixtures.ts';
import type { NodeUnderTest } from './nodes.ts';

const MARKER = 'from the store';

const STORED = [
  esmPackage('stored-one', '1.0.0', MARKER),
  cjsPackage('stored-two', '1.0.0', MARKER),
  dualPackage('@stored/three', '1.0.0', MARKER),
];
const NAMES = ['core-one', '@core/two', 'absent-one', 'absent-two', '@absent/three'];

/**
 * A hook that changes nothing. On Node 20 hooks run in a thread of their own, and every error that passes
 * through one loses its class, its order of properties and its stack.
 */
const PASS = `import { register } from 'node:module';
register('data:text/javascript,export const resolve = (specifier, context, next) => next(specifier, context);');`;

/** Creates both applications. On Node 20 the empty preload registers a hook that changes nothing. */
export async function openResolutionWorlds(node: NodeUnderTest): Promise<Worlds> {
  const worlds = await openWorlds((world) => {
    const names = [...NAMES, ...STORED.map(({ name }) => name)];
    world.setCore(
      { features: Object.fromEntries(names.map((name) => [name, '*'])) },
      { type: undefined },
    );
    for (const pkg of STORED) {
      world.plantEntry({ feature: pkg.name, packages: [pkg], specs: { [pkg.name]: '*' } });
    }
    for (const [path, content] of Object.entries({
      ...SHIPPED,
      'node_modules/tell/index.js': TELL,
    })) {
      world.write(`app/${path}`, content);
    }
    for (const [path, content] of Object.entries(OUTSIDE)) world.write(path, content);
  });
  if (!hasSyncHooks(node)) worlds.plain.write(worlds.plain.loader, PASS);
  return worlds;
}
