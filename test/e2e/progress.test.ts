/** What an install shows while it runs: live lines on a terminal, a line every ten seconds elsewhere, JSON for collectors. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { importIn, splitLines } from '../support/importer.ts';
import { nodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { makeGate, type Registry } from '../support/registry.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { openWorld } from '../support/world.ts';

const packages = [
  esmPackage('alpha', '1.2.0', 'alpha'),
  dependentPackage('beta', '1.0.0', 'beta', { alpha: '^1.0.0' }),
];
const features = { alpha: '^1.0.0', beta: '^1.0.0' };

const open = () => openWorld({ packages, annex: { features } });

/** Holds back a tarball until the output of a run contains a text. */
function holdUntil(registry: Registry, match: RegExp): () => void {
  const { until, letGo } = makeGate();
  registry.fault({ kind: 'slow', ms: 0, until }, match);
  return letGo;
}

describe.each(nodes)('$label', (node) => {
  test('without a terminal, a line every ten seconds names what the install waits for', async () => {
    const { sandbox, registry } = await open();
    const letGo = holdUntil(registry, /beta-1\.0\.0\.tgz/);
    const options = { node: node.path, env: { ANNEX_STORE: sandbox.store } };
    const running = sandbox.annex(['install', 'beta'], {
      ...options,
      keepsProgress: true,
      onOutput: (text) => void (text.includes('fetching') && letGo()),
    });
    const lines = splitLines((await running).stderr);
    expect(lines).toEqual([
      expect.stringMatching(/^annex: installing beta /),
      expect.stringMatching(
        /^annex: beta: fetching 1 of 2 packages, (?:\d+\.\d MB, )?from 127\.0\.0\.1:\d+$/,
      ),
      expect.stringMatching(/^annex: installed beta 1\.0\.0 in /),
    ]);
  });

  test('on a terminal, a live line shows each install, and is gone at the end', async () => {
    const { sandbox, registry } = await open();
    const letGo = holdUntil(registry, /beta-1\.0\.0\.tgz/);
    sandbox.write('app/main.mjs', "await import('beta');\n");
    const program = [node.path, '--import', sandbox.loader, 'main.mjs'].join(' ');
    const { stdout, code } = await sandbox.exec('script', ['-qec', program, '/dev/null'], {
      node: node.path,
      env: { ANNEX_STORE: sandbox.store, TERM: 'xterm' },
      onOutput: (text) => void (text.includes('fetching 1 of 2') && letGo()),
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/annex: beta: fetching 1 of 2 packages, /);
    expect(showLast(stdout)).toEqual([
      expect.stringMatching(/^annex: installing beta /),
      expect.stringMatching(/^annex: installed beta 1\.0\.0 in /),
    ]);
  });
});

/** What a terminal shows at the end: going up clears the lines from there. */
function showLast(output: string): string[] {
  const lines: string[] = [];
  for (const line of output.split(/\r?\n/)) {
    const [up, text = ''] = line.startsWith('\u001b[') ? splitErase(line) : [0, line];
    lines.splice(lines.length - up);
    lines.push(text);
  }
  return lines.filter((line) => line !== '');
}

/** @returns the lines to go up, and the text after it */
function splitErase(line: string): [number, string] {
  const end = line.indexOf('A\r\u001b[J');
  return [Number(line.slice(2, end)), line.slice(end + 'A\r\u001b[J'.length)];
}

const schema = JSON.parse(readFileSync(join(repositoryRoot, 'docs/log.schema.json'), 'utf8'));
const isValid = new Ajv2020({ strict: true }).compile(schema);

function readEvents(lines: string[]): Record<string, unknown>[] {
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const event of events)
    expect(isValid(event) || isValid.errors, JSON.stringify(event)).toBe(true);
  return events;
}

describe.each(nodes)('ANNEX_LOG=json, $label', (node) => {
  const importJson = async (sandbox: Sandbox, names: string[], env = {}) => {
    const options = {
      node: node.path,
      env: { ANNEX_STORE: sandbox.store, ANNEX_LOG: 'json', ...env },
    };
    return readEvents((await importIn(sandbox, names, options)).lines);
  };

  test('an install is two events with the facts of it', async () => {
    const { sandbox, registry } = await open();
    const common = {
      level: 'info',
      feature: 'beta',
      store: sandbox.store,
      pid: expect.any(Number),
    };
    expect(await importJson(sandbox, ['beta'])).toEqual([
      { ...common, event: 'install.start', time: expect.any(String), message: expect.any(String) },
      {
        ...common,
        event: 'install.end',
        time: expect.any(String),
        version: '1.0.0',
        ms: expect.any(Number),
        bytes: expect.any(Number),
        registry: new URL(registry.url).host,
        message: expect.stringMatching(/^annex: installed beta 1\.0\.0 in /),
      },
    ]);
  });

  test('a failure, a remembered failure, a denial and a mistake in a setting are events with a code', async () => {
    const { sandbox, registry } = await open();
    registry.fault({ kind: 'status', status: 503 });
    const failed = await importJson(sandbox, ['alpha', 'alpha']);
    expect(failed.map(({ event, level, code }) => [event, level, code])).toEqual([
      ['install.start', 'info', undefined],
      ['refuse', 'error', 'ANNEX_OFFLINE'],
    ]);
    expect(failed[1]).toMatchObject({ registry: new URL(registry.url).host, feature: 'alpha' });
    const [remembered] = await importJson(sandbox, ['alpha', 'alpha']);
    expect(remembered).toMatchObject({ event: 'refuse', level: 'info', code: 'ANNEX_OFFLINE' });
    const denied = await importJson(sandbox, ['beta'], { ANNEX_ALLOW_INSTALLS: 'perhaps' });
    expect(denied.map(({ event, code }) => [event, code])).toEqual([
      ['settings', 'ANNEX_INVALID_CONFIG'],
      ['refuse', 'ANNEX_DENIED'],
    ]);
  });
});
