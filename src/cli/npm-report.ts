/** Runs a command of npm that only reads, over what is in use of some features. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { redact } from '../errors.ts';
import { findEffective } from '../install/effective.ts';
import { callNpm } from '../install/npm.ts';
import { writeLine } from '../log.ts';
import { composePortfolio, type Part } from '../plan/portfolio.ts';
import { findFeatures, findSettings, warn } from './command.ts';

/** Prints what npm prints, for these features or all; npm's exit code. */
export async function reportWithNpm(names: string[], args: string[]): Promise<number> {
  const settings = findSettings();
  if (settings === undefined) return 1;
  const { declaration, core, installerEnv: env, timeout } = settings;
  const features =
    names.length === 0 ? [...declaration.features.values()] : findFeatures(settings, names);
  if (features === undefined) return 1;
  const parts: Part[] = [];
  for (const feature of features) {
    const effective = findEffective(settings, feature);
    if ('reason' in effective) warn(`${feature.name} is left out: ${effective.reason}`);
    else parts.push(effective);
  }
  if (parts.length === 0) return 1;
  const temporary = realpathSync(mkdtempSync(join(tmpdir(), 'annex-report-')));
  // npm names the whole after the directory.
  const cwd = join(temporary, basename(core.root) || 'core');
  try {
    const files = composePortfolio(basename(core.root), parts);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, path)), { recursive: true });
      writeFileSync(join(cwd, path), text);
    }
    const signal = AbortSignal.timeout(timeout);
    const end = await callNpm({ args, cwd, core: core.root, env, signal });
    if (end.stdout !== '') writeLine(1, end.stdout);
    if (end.stderr !== '') writeLine(2, redact(end.stderr));
    if (end.exitCode === undefined) warn(`npm did not run: ${end.code ?? end.signal ?? 'unknown'}`);
    return end.exitCode ?? 1;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
