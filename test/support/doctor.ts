/** Runs `annex doctor`, and reads what it found. */
import { expect } from 'vitest';
import type { Finding } from '../../src/cli/shared/findings.ts';
import type { RunOptions, Sandbox } from './sandbox.ts';

/** The findings of one run. */
export interface Diagnosis {
  code: number | null;
  findings: Finding[];
  /** The findings with an id, as `LEVEL TEXT`, with `. Now: REMEDY` if there is one. */
  of(id: string): string[];
}

/**
 * Runs it with `--json`, and expects a report and nothing else, whatever is broken.
 *
 * @example expect((await diagnose(sandbox)).of('store.write')).toEqual([expect.stringMatching(/^ok /)])
 */
export async function diagnose(
  sandbox: Sandbox,
  options: RunOptions = {},
  ...args: string[]
): Promise<Diagnosis> {
  const { env, ...rest } = options;
  const { code, stdout, stderr } = await sandbox.annex(['doctor', '--json', ...args], {
    ...rest,
    env: { ANNEX_STORE: sandbox.store, ...env },
  });
  expect(stderr).toBe('');
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  const isBroken = findings.some(({ level }) => level === 'problem');
  expect(code).toBe(isBroken ? 1 : 0);
  return {
    code,
    findings,
    of: (id) =>
      findings
        .filter((finding) => finding.id === id)
        .map(({ level, text, remedy }) => `${level} ${text}${remedy ? `. Now: ${remedy}` : ''}`),
  };
}

/** Expects exactly one finding with an id, and that it matches. */
export function expectFinding({ of }: Diagnosis, id: string, pattern: RegExp): void {
  expect({ id, found: of(id) }).toEqual({ id, found: [expect.stringMatching(pattern)] });
}
