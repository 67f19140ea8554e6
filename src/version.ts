/** The version of annex itself. */
import { readFileSync } from 'node:fs';
import { MANIFEST } from './paths.ts';

/** As package.json says. */
export const version = (JSON.parse(readFileSync(MANIFEST, 'utf8')) as { version: string }).version;
