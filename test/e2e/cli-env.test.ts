/** `annex env`: the lines for a Dockerfile. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCli } from '../support/cli.ts';
import { outerNodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';

/** Docker's reading of comments and `ENV NAME=VALUE` lines: a value is bare, or in double quotes with backslashes. */
function readEnvLines(text: string): Record<string, string> {
  const pairs = text
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line): [string, string] => {
      const [, name = '', quoted, bare = ''] =
        /^ENV (\w+)=(?:"((?:\\.|[^"\\])*)"|(\S*))$/.exec(line) ?? [];
      if (name === '') throw new Error(`not an ENV line: ${line}`);
      return [name, quoted === undefined ? bare : quoted.replace(/\\(.)/g, '$1')];
    });
  return Object.fromEntries(pairs);
}

describe.each(outerNodes)('$label', (node) => {
  const open = async () => {
    const world = await openCli(node);
    world.sandbox.setCore({ features: { alpha: '^1.0.0' } });
    return world;
  };

  test('a directory with spaces in its name works in every line that env prints', async () => {
    const { sandbox, annex } = await open();
    const core = 'my app $1 50%#2';
    sandbox.write(`${core}/package.json`, { annex: { features: { alpha: '^1.0.0' } } });
    sandbox.write(`${core}/node_modules/.keep`, '');
    symlinkSync(repositoryRoot, join(sandbox.root, core, 'node_modules', 'annex'));
    const main = sandbox.write(
      `${core}/main.mjs`,
      `import { status } from 'annex'; console.log(JSON.stringify(status()));`,
    );
    const unset = { ANNEX_STORE: undefined };
    const text = await annex(['env'], { cwd: core, env: unset });
    expect(text).toMatchObject({ code: 0, stderr: '' });
    const variables = readEnvLines(text.stdout);
    const json = await annex(['env', '--json'], { cwd: core, env: unset });
    expect(JSON.parse(json.stdout)).toMatchObject({ variables });
    expect(variables).toMatchObject({ ANNEX_STORE: '/opt/data/annex', ANNEX_SEALED: '1' });
    const { code, stdout, stderr } = await sandbox.run([main], {
      node: node.path,
      cwd: 'home',
      env: variables,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const status = JSON.parse(stdout);
    expect(status.loader).not.toBe('inactive');
    expect(status).toMatchObject({ core: join(sandbox.root, core), stores: ['/opt/data/annex'] });
  });

  test('env names the loader of the application, and the configured store', async () => {
    const { sandbox, annex } = await open();
    const { stdout } = await annex(['env'], { cwd: 'app/node_modules' });
    expect(stdout).toMatch(
      `# On this machine the application is in "${sandbox.core}"; the image can have it elsewhere.\n`,
    );
    expect(readEnvLines(stdout)).toEqual({
      NODE_OPTIONS: `--import=${sandbox.loader}`,
      ANNEX_STORE: sandbox.store,
      ANNEX_SEALED: '1',
      ANNEX_CORE: sandbox.core,
    });
  });
});
