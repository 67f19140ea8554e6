/** `--import annex/loader.mjs`: the loader as a preload. */
import { createRequire } from 'node:module';
import { openGate, type SecondStage } from './gate/gate.ts';

openGate(() => createRequire(import.meta.url)('./hooks.cjs') as SecondStage);
