/** Field failure 31: Dockerfile, hooks, manifests, code and page of the image agree on paths, user, ports and names. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { env } from '../../../../src/cli/setup/env.ts';
import { repositoryRoot } from '../../../../test/support/package.ts';
import { listDisagreements, listTopics } from '../support/contract/claims.ts';
import { EXAMPLE, type Files, readFiles } from '../support/contract/files.ts';
import { listOddFeatures, listOddNumbers, listOddVariables } from '../support/contract/names.ts';
import { listUnknownPaths } from '../support/contract/paths.ts';

const files = readFiles();
const topics = listTopics(files);
const uid = String(topics['the user']?.useradd);
const port = String(topics['the port']?.EXPOSE);

/** Variables and error codes of annex, from the code. */
const known = new Set(
  ['src/settings/table.ts', 'src/types.ts'].flatMap(
    (path) => readFileSync(join(repositoryRoot, path), 'utf8').match(/\bANNEX_[A-Z_]+\b/g) ?? [],
  ),
);

/** Lists all disagreements; a file that cannot be parsed counts as one. */
function check(changed: Files): string[] {
  try {
    return [
      ...listUnknownPaths(changed),
      ...listDisagreements(changed),
      ...listOddFeatures(changed),
      ...listOddVariables(changed, known),
      ...listOddNumbers(changed, uid, [port, '8081']),
    ];
  } catch (error) {
    return [`${error}`];
  }
}

test('Dockerfile, scripts, manifests, code and page agree', () => {
  expect(check(files)).toEqual([]);
});

/** Words that at least two files have to agree on, and a possible change of each. */
const drifts: [string, string][] = [
  ['/opt/app', '/opt/application'],
  ['/opt/data', '/opt/volume'],
  ['/home/app', '/home/other'],
  ['/opt/annex', '/opt/layer'],
  ['/tmp/agent', '/tmp/agents'],
  ['/etc/agent', '/etc/agents'],
  ['/etc/boot.d', '/etc/boot'],
  ['/usr/local/lib/agent', '/usr/local/libexec/agent'],
  ['/init', '/sbin/init'],
  ['/bin/agent.mjs', '/bin/main.mjs'],
  ['/node_modules/.bin/annex', '/node_modules/.bin/annexe'],
  ['annex/loader.mjs', 'annex/load.mjs'],
  ['/health', '/healthz'],
  [uid, '10001'],
  [port, '8090'],
  ['APP_UID', 'APP_USER'],
  ['PGID', 'PG_ID'],
  ['EXA_API_KEY', 'EXA_KEY'],
  ['ANNEX_STORE', 'ANNEX_STORES'],
  ['AGENT_EXEC_AS_ROOT', 'AGENT_AS_ROOT'],
  ['agent:1.0.0', 'agent:1.0.1'],
  ['search.exa', 'search.exo'],
];

/** Comments do not count, except the variant in a comment of docker-compose.yml. */
const isComment = (path: string, line: string): boolean =>
  /\.mjs$/.test(path) ? /^\s*(\/\*\*|\*|\/\/)/.test(line) : /^\s*#(?!.*user:)/.test(line);

/** Changes one occurrence of a word at a time. */
function listChanged(from: string, to: string): { where: string; changed: Files }[] {
  return [...files].flatMap(([path, text]) => {
    const parts = text.split(from);
    return parts.slice(1).flatMap((_, index) => {
      const before = parts.slice(0, index + 1).join(from);
      const after = parts.slice(index + 1).join(from);
      const number = before.split('\n').length;
      if (isComment(path, text.split('\n')[number - 1] ?? '')) return [];
      const changed = new Map([...files, [path, before + to + after]]);
      return [{ where: `${path}:${number}`, changed }];
    });
  });
}

test.each(drifts)('%s changed to %s in any single place is noticed', (from, to) => {
  const places = listChanged(from, to);
  expect(places.length).toBeGreaterThan(1);
  const unnoticed = places.filter(({ changed }) => check(changed).length === 0);
  expect(unnoticed.map(({ where }) => where)).toEqual([]);
});

describe('the code', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('annex env prints the variables of the Dockerfile', () => {
    vi.stubEnv('ANNEX_CORE', join(repositoryRoot, EXAMPLE));
    vi.stubEnv('ANNEX_STORE', undefined);
    const printed: Record<string, string> = {};
    const print = (_: string, { variables }: { variables?: unknown }) =>
      Object.assign(printed, variables);
    env({ args: [], options: {}, print });
    expect(new Set(Object.keys(printed))).toEqual(
      new Set(['ANNEX_CORE', 'ANNEX_SEALED', 'ANNEX_STORE', 'NODE_OPTIONS']),
    );
    expect(printed.ANNEX_STORE).toBe(topics['the store']?.['ENV ANNEX_STORE']);
    expect(printed.ANNEX_SEALED).toBe(topics['the seal']?.['ENV ANNEX_SEALED']);
  });
});

test('a file is executable if and only if it starts with #!', () => {
  const wrong = [...files].filter(([path, text]) => {
    const isExecutable = (statSync(join(repositoryRoot, path)).mode & 0o111) !== 0;
    return isExecutable !== text.startsWith('#!');
  });
  expect(wrong.map(([path]) => path)).toEqual([]);
});
