/** `--import annex/loader.mjs`: the loader as a preload. */
import { createRequire } from 'node:module';
import type { SecondStage } from './gate/declared.ts';
import { openGate } from './gate/gate.ts';

openGate(() => createRequire(import.meta.url)('./hooks.cjs') as SecondStage);
