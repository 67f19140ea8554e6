/** The entry script of the process. */
import { toRealPath } from '../base/paths.ts';
import { isInEntry } from '../base/store-layout.ts';

/** The entry script as it was given; undefined for --eval, standard input and the REPL. */
export function readScript(): string | undefined {
  const [, script] = process.argv;
  const isEval = (process as { _eval?: unknown })._eval !== undefined;
  return script === undefined || script === '-' || isEval ? undefined : script;
}

/** The real path of the entry script. A path into an entry is not resolved: a link out of an entry must not choose the core. */
export function resolveScript(script: string | undefined): string | undefined {
  return script === undefined || isInEntry(script) ? script : toRealPath(script);
}
