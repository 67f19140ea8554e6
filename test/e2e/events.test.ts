/** What observers of a process are told: diagnostics channels, onEvent, and the level `debug` of the log. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { splitLines } from '../support/importer.ts';
import { nodes } from '../support/nodes.ts';
import { openWorld } from '../support/world.ts';

const packages = [esmPackage('alpha', '1.2.0', 'alpha'), esmPackage('gone', '1.0.0', 'gone')];
const features = { alpha: '^1.0.0', lost: '^1.0.0' };

/** Prints each event on a line, without what differs between runs. */
const OBSERVE = `import { ensure, onEvent } from 'annex';
const stop = onEvent(({ event, trace }) => {
  const { error, result, ...rest } = trace;
  console.log(JSON.stringify({ event, ...rest, error: error?.code, outcome: result?.outcome }));
});
`;

const readEvents = (stdout: string): Record<string, unknown>[] =>
  splitLines(stdout).map((line) => JSON.parse(line));

describe.each(nodes)('$label', (node) => {
  const runIn = async (text: string) => {
    const { sandbox } = await openWorld({ packages, annex: { features } });
    sandbox.write('app/main.mjs', OBSERVE + text);
    const { stdout, stderr, code } = await sandbox.run(['--import', sandbox.loader, 'main.mjs'], {
      node: node.path,
      env: { ANNEX_STORE: sandbox.store },
    });
    expect(code, stderr).toBe(0);
    return { sandbox, events: readEvents(stdout) };
  };

  test('ensure: an install has a start and an end with its result, and does not block', async () => {
    const { sandbox, events } = await runIn("await ensure('alpha');");
    const trace = { feature: 'alpha', store: sandbox.store, isBlocking: false };
    expect(events.filter(({ event }) => String(event).startsWith('install'))).toEqual([
      { event: 'install.start', ...trace },
      { event: 'install.end', ...trace, outcome: 'installed' },
    ]);
  });

  test('ensure: an install that fails ends with the error, and is a refusal', async () => {
    const { events } = await runIn("await ensure('lost').catch(() => {});");
    expect(events.at(1)).toMatchObject({ event: 'install.end', error: 'ANNEX_INSTALL_FAILED' });
    expect(events.at(2)).toMatchObject({
      event: 'refuse',
      feature: 'lost',
      code: 'ANNEX_INSTALL_FAILED',
      reason: expect.stringContaining('E404'),
    });
  });

  test('require: the install blocks, then the request is resolved and the files are verified', async () => {
    const { sandbox, events } = await runIn(
      "process.getBuiltinModule('module').createRequire(import.meta.url)('alpha');",
    );
    const parent = join(sandbox.core, 'main.mjs');
    const request = { specifier: 'alpha', kind: 'require', parent };
    expect(events).toContainEqual({
      event: 'install.end',
      feature: 'alpha',
      store: sandbox.store,
      isBlocking: true,
      outcome: 'installed',
    });
    expect(events).toContainEqual({ event: 'resolve', ...request, rule: 7, verdict: 'from entry' });
    const verified = events.filter(({ event }) => event === 'verify');
    for (const { entry } of verified) expect(existsSync(String(entry))).toBe(true);
    expect(verified.length).toBeGreaterThan(0);
  });

  test('after the returned function is called, no event is reported', async () => {
    const { events } = await runIn("stop();\nawait ensure('alpha');");
    expect(events).toEqual([]);
  });

  test('ANNEX_LOG=debug writes each decision with its rule', async () => {
    const { sandbox } = await openWorld({ packages, annex: { features } });
    sandbox.write('app/main.cjs', "require('alpha');\ntry { require('lost') } catch {}\n");
    const env = { ANNEX_STORE: sandbox.store, ANNEX_LOG: 'debug' };
    const options = { node: node.path, env };
    const { stderr } = await sandbox.run(['--import', sandbox.loader, 'main.cjs'], options);
    const from = `from ${join(sandbox.core, 'main.cjs')}`;
    const lines = splitLines(stderr);
    expect(lines).toContain(`annex: require alpha ${from}: rule 7, from entry`);
    expect(lines).toContainEqual(
      expect.stringMatching(/: rule 9, explain: Cannot find module 'lost'$/),
    );
  });
});
