/** The README alone, in an empty directory: its commands and programs run as written, against a registry on loopback. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { listBlocks, readDocument } from '../support/documents.ts';
import { esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { packRepository } from '../support/package.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox } from '../support/sandbox.ts';

const blocks = listBlocks(readDocument('README.md'));
const [install = '', start = ''] = blocks.flatMap(({ language, code }) =>
  language === 'sh' ? code : [],
);
/** The first line of each program names its file and how it is started. */
const programs = blocks
  .filter(({ language }) => language === 'js')
  .map(({ code }) => {
    const [, file = '', args = ''] = /^\/\/ (\S+): node (.*)/.exec(code) ?? [];
    return { file, args: args.split(' '), code };
  });

let registry: Registry;

beforeAll(async () => {
  const exa = esmPackage('exa-js', '1.10.3', '', { exports: './index.js' });
  const files = { 'index.js': 'export default class Exa {}\nconsole.log("exa-js is loaded");' };
  registry = await startRegistry([packRepository(), { ...exa, files }]);
});

describe.each(nodes)('$label', (node) => {
  test('install, lock, start and failure', async () => {
    const sandbox = await createSandbox({ registry, linkAnnex: false });
    mkdirSync(join(sandbox.root, 'empty'));
    const inEmpty = { node: node.path, cwd: 'empty' };
    const shell = (code: string, env = {}) =>
      sandbox.exec('sh', ['-e', '-c', code], { ...inEmpty, env });
    for (const { file, code } of programs) sandbox.write(`empty/${file}`, code);

    const prepared = await shell(install);
    expect(prepared, prepared.stderr).toMatchObject({ code: 0 });
    expect(prepared.stdout).toContain('declared exa-js ^1.9 in');
    const env = { ANNEX_STORE: sandbox.store };
    expect(programs.map(({ file }) => file)).toEqual(['main.mjs', 'failure.mjs']);
    for (const { file, args } of programs) {
      const run = await sandbox.run(args, { ...inEmpty, env });
      expect({ file, ...run }).toMatchObject({ code: 0, stdout: 'exa-js is loaded\n' });
    }
    expect(await shell(start, env)).toMatchObject({ code: 0, stderr: '' });

    const failed = await sandbox.run(programs[1]?.args ?? [], {
      ...inEmpty,
      env: { ANNEX_STORE: join(sandbox.root, 'volume', 'new'), ANNEX_ALLOW_INSTALLS: '0' },
    });
    expect(failed).toMatchObject({
      code: 0,
      stdout: 'exa-js is unavailable: ANNEX_DENIED unset ANNEX_ALLOW_INSTALLS\n',
      stderr: expect.stringMatching(/^annex: exa-js unavailable \(ANNEX_DENIED\): .*\n$/),
    });
  });
});
