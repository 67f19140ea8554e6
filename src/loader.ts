/** `--import annex/loader.mjs`: the loader as a preload. */
import Module from 'node:module';
import { fileURLToPath } from 'node:url';
import { hideFile } from './base/hide-calls.ts';
import type { SecondStage } from './gate/declared.ts';
import { openGate } from './gate/gate.ts';

openGate(() => {
  // Without require, which would leave the file in require.cache and in Module._pathCache.
  const module = new Module(fileURLToPath(new URL('./hooks.cjs', import.meta.url)));
  hideFile(module.id);
  (module as Module & { load: (file: string) => void }).load(module.id);
  return module.exports as SecondStage;
});
