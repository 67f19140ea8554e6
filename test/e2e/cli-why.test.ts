/** `annex why` names the same rule and file that a program gets under the loader. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openCli } from '../support/cli.ts';
import { listEntry } from '../support/entry.ts';
import {
  cjsExportsPackage,
  cjsPackage,
  dualPackage,
  esmPackage,
  subpathPackage,
} from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';

type Kind = 'import' | 'require';

/** Result of a request: a file (or the name of a builtin), or the code of an error. */
interface Answer {
  file?: string;
  code?: string;
}

/** A request: specifier, kind, the importing file (below the sandbox), the expected rule. */
type Row = [specifier: string, kind: Kind, from: string, rule: number];

/** Resolves from its own directory; `import` really imports. */
const probe = `
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
const require = createRequire(import.meta.url);
export async function ask(specifier, kind) {
  try {
    if (kind === 'require') return { file: require.resolve(specifier) };
    await import(specifier);
    const url = import.meta.resolve(specifier);
    return { file: url.startsWith('file:') ? fileURLToPath(url) : url };
  } catch ({ code }) {
    return { code };
  }
}
`;

const range = '^1.0.0';
const program = `
const answers = [];
for (const [specifier, kind, url] of JSON.parse(process.argv[2])) {
  const { ask } = await import(url);
  answers.push(await ask(specifier, kind));
}
console.log(JSON.stringify(answers));
`;

async function openWorld(node: (typeof nodes)[number]) {
  const world = await openCli(node);
  const { sandbox, annex, plant } = world;
  const names = ['shipped', 'partial', 'stored', 'dual', 'absent'];
  sandbox.setCore(
    {
      features: Object.fromEntries(names.map((name) => [name, range])),
      importers: [join(sandbox.root, 'plugins')],
    },
    { imports: { '#local': './other.mjs' } },
  );
  const modules = 'app/node_modules';
  sandbox.addPackage(modules, dualPackage('shipped', '1.0.0', 'core'));
  sandbox.addPackage(modules, subpathPackage('partial', '1.0.0', 'core'));
  sandbox.addPackage(modules, cjsPackage('undeclared', '1.0.0', 'core'));
  sandbox.addPackage(modules, esmPackage('prober', '1.0.0', 'core'));
  sandbox.write('app/other.mjs', 'export {};');
  const entry = plant('stored', '1.2.0', {
    packages: [
      subpathPackage('stored', '1.2.0', 'planted'),
      cjsExportsPackage('own', '3.0.0', 'planted'),
      esmPackage('shipped', '1.9.0', 'planted'),
    ],
    specs: { stored: range },
    shared: { shipped: { ranges: [range], version: '1.0.0' } },
  });
  plant('dual', '1.0.0', {
    packages: [dualPackage('dual', '1.0.0', 'planted')],
    store: world.layer,
  });
  const at = (path: string) => join(sandbox.root, path);
  const places = {
    core: at('app/probe.mjs'),
    dependency: at(`${modules}/prober/probe.mjs`),
    importer: at('plugins/probe.mjs'),
    outside: at('volume/probe.mjs'),
    entry: `${entry}/node_modules/stored/probe.mjs`,
  };
  for (const place of Object.values(places)) sandbox.write(place, probe);
  listEntry(entry);
  sandbox.write('app/main.mjs', program);
  const env = { ANNEX_STORE: `${sandbox.store}:${world.layer}`, ANNEX_ALLOW_INSTALLS: 'no' };

  const explain = async ([specifier, kind, from]: Row) => {
    const args = ['why', specifier, '--from', from, '--json'];
    const asked = kind === 'require' ? [...args, '--require'] : args;
    const { code, stdout, stderr } = await annex(asked, { env });
    const said = JSON.parse(stdout) as Answer & { rule: number; nodeError?: { code: string } };
    const { nodeError, ...report } = {
      ...said,
      ...(said.nodeError && { code: said.nodeError.code }),
    };
    expect({ args, stderr, code }).toEqual({ args, stderr: '', code: report.file ? 0 : 1 });
    return report;
  };
  const runAll = async (rows: Row[]): Promise<Answer[]> => {
    const requests = rows.map(([specifier, kind, from]) => [
      specifier,
      kind,
      pathToFileURL(from).href,
    ]);
    const { stdout, stderr } = await sandbox.run(
      ['--import', sandbox.loader, 'main.mjs', JSON.stringify(requests)],
      { node: node.path, env: { ...env, ANNEX_LOG: 'error' } },
    );
    expect(stderr).toBe('');
    return JSON.parse(stdout) as Answer[];
  };
  return { ...world, places, entry, explain, runAll, env };
}

describe.each(nodes)('$label', (node) => {
  test('for every rule and both kinds it names the file or the error that a program gets', async () => {
    const { places, entry, explain, runAll, sandbox, layer } = await openWorld(node);
    const { core, dependency, importer, outside } = places;
    const rows: Row[] = [
      ['node:fs', 'import', core, 1],
      ['fs', 'require', core, 1],
      ['./other.mjs', 'import', core, 1],
      ['./none.mjs', 'import', core, 1],
      ['#local', 'import', core, 1],
      ['#none', 'import', core, 1],
      [join(sandbox.core, 'other.mjs'), 'require', core, 1],
      ['own', 'import', places.entry, 2],
      ['own/internal.js', 'require', places.entry, 2],
      ['shipped', 'import', places.entry, 2],
      ['shipped', 'require', places.entry, 2],
      ['dual', 'import', places.entry, 2],
      ['undeclared', 'require', places.entry, 2],
      ['undeclared', 'import', core, 3],
      ['undeclared/lib/extra.js', 'require', core, 3],
      ['undeclared/lib', 'import', core, 3],
      ['own', 'import', core, 3],
      ['shipped', 'import', core, 4],
      ['shipped', 'require', core, 4],
      ['shipped/none', 'import', core, 5],
      ['partial/none', 'require', dependency, 5],
      ['stored', 'import', outside, 6],
      ['dual', 'require', outside, 6],
      ['shipped', 'import', importer, 6],
      ['shipped', 'require', importer, 6],
      ['stored', 'import', core, 7],
      ['stored/sub', 'import', importer, 7],
      ['stored/none', 'import', core, 7],
      ['dual', 'import', dependency, 7],
      ['dual', 'require', core, 7],
      ['absent', 'import', core, 8],
      ['absent/sub', 'require', importer, 8],
    ];
    const [reports, answers] = await Promise.all([Promise.all(rows.map(explain)), runAll(rows)]);
    const said = reports.map(({ rule, file, code }, at) => [
      rows[at]?.slice(0, 3),
      rule,
      file ?? code,
    ]);
    const got = answers.map(({ file, code }, at) => [
      rows[at]?.slice(0, 3),
      rows[at]?.[3],
      file ?? code,
    ]);
    expect(said).toEqual(got);

    const fileOf = (specifier: string, kind: Kind, from: string) =>
      reports[rows.findIndex((row) => row.slice(0, 3).join() === [specifier, kind, from].join())]
        ?.file;
    const inCore = (path: string) => join(sandbox.core, 'node_modules', path);
    expect(fileOf('shipped', 'import', places.entry)).toBe(inCore('shipped/index.mjs'));
    expect(fileOf('shipped', 'require', importer)).toBe(inCore('shipped/index.cjs'));
    expect(fileOf('stored', 'import', core)).toBe(`${entry}/node_modules/stored/index.js`);
    expect(fileOf('stored', 'import', outside)).toBeUndefined();
    expect(fileOf('dual', 'import', dependency)).toMatch(
      new RegExp(`^${layer}/.*/dual/index\\.mjs$`),
    );
    expect(fileOf('dual', 'require', core)).toMatch(new RegExp(`^${layer}/.*/dual/index\\.cjs$`));
  });
});
