/** Shows that the event loop of a program runs while a package is being fetched. */
import { expect } from 'vitest';
import { makeGate, type Registry } from './registry.ts';

/** For an ES module: requests `/tick` from the registry as long as the event loop runs. */
export const TICK = `
import { get } from 'node:http';
const tick = () => get(process.env.npm_config_registry + '/tick', (response) => response.resume());
setInterval(() => tick().on('error', () => {}), 100).unref();
`;

/** Delays every response for a package until the event loop of the program has run since the request for it. */
export async function answerAfterTick(registry: Registry, name = 'alpha'): Promise<void> {
  const { until, letGo } = makeGate();
  registry.fault({ kind: 'late', until }, new RegExp(name));
  const isTicking = () => {
    const at = registry.requests.findIndex((line) => line.includes(name));
    return at >= 0 && registry.requests.indexOf('GET /tick', at) >= 0;
  };
  await expect.poll(isTicking).toBe(true);
  letGo();
}
