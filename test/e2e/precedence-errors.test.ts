/** The error of a missing package: Node's own, one line longer, with a cause that says what to do. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import {
  type Answer,
  type Answers,
  type Probe,
  type Question,
  writeProbe,
} from '../support/probe.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { declare, plantShadows } from '../support/shadow.ts';

const names = ['missing', '@acme/missing'];
const specifiers = [
  'missing',
  'missing/sub',
  'missing/sub/file.js',
  '@acme/missing',
  '@acme/missing/x',
];
const parents = ['app', 'app/src/deep', 'app/node_modules/dep', 'plugins'];
const questions: Question[] = parents.flatMap((from) =>
  specifiers.map((specifier) => ({ from, specifier })),
);
/** \`annex: FEATURE unavailable (CODE): reason, asked by FILE. STATE. Now: HINT\` */
const FORM =
  /^annex: (\S+) unavailable \((ANNEX_[A-Z_]+)\): (.+), asked by (\S+)\. (.+)\. Now: (.+)$/;

let sandbox: Sandbox;
let probe: Probe;

beforeAll(async () => {
  sandbox = await createSandbox();
  const importers = [join(sandbox.root, 'plugins')];
  sandbox.setCore({ features: declare(names), importers });
  sandbox.addPackage('app/node_modules', cjsPackage('dep', '1.0.0', 'core'));
  plantShadows(sandbox, names, { hasEntry: false, claim: 'missing' });
  probe = writeProbe(sandbox, questions);
});

/** The answer without the cause and its line. */
function forgetCause({ error, ...rest }: Answer): Answer {
  if (error?.cause === undefined) return { ...rest, ...(error && { error }) };
  const { cause, message, head, ...same } = error;
  const line = `\n${cause.message}`;
  expect(message.endsWith(line) && head.endsWith(line)).toBe(true);
  const shorten = (text: string) => text.slice(0, -line.length);
  return { ...rest, error: { ...same, message: shorten(message), head: shorten(head) } };
}

describe.each(nodes)('$label', (node) => {
  let alone: Answers;
  let answers: Answers;
  const env = () => ({
    ANNEX_STORE: sandbox.store,
    ANNEX_ALLOW_INSTALLS: '0',
    ANNEX_LOG: 'error',
  });
  beforeAll(async () => {
    alone = await probe.run({ node: node.path });
    answers = await probe.run({
      node: node.path,
      flags: ['--import', sandbox.loader],
      env: env(),
    });
  });

  test('G6: a miss is Node’s own error, one line longer', () => {
    for (const [key, answer] of Object.entries(answers)) {
      expect(answer.error?.cause, key).toBeDefined();
      expect(forgetCause(answer), key).toEqual(alone[key]);
    }
  });

  test('an import misses with ERR_MODULE_NOT_FOUND, a require with MODULE_NOT_FOUND and its stack', () => {
    for (const [key, { error }] of Object.entries(answers)) {
      const isImport = key.includes('import');
      expect(error?.code, key).toBe(isImport ? 'ERR_MODULE_NOT_FOUND' : 'MODULE_NOT_FOUND');
      if (!isImport) expect(error?.requireStack?.[0], key).toMatch(/voice\.[cm]js$/);
    }
  });

  test('the line is the message of the cause: feature, code, reason, importing file, hint', () => {
    for (const [key, { error }] of Object.entries(answers)) {
      const [, form = '', specifier = ''] = key.split(' | ');
      const [name = ''] = names.filter((one) => specifier.startsWith(one));
      const {
        code,
        feature,
        hint,
        message = '',
        specifier: asked,
      } = error?.cause ?? { message: '' };
      expect({ code, feature, specifier: asked }, key).toEqual({
        code: 'ANNEX_DENIED',
        feature: name,
        specifier,
      });
      const [, what, which, why, asker = '', , now] = FORM.exec(message) ?? [];
      expect([what, which, now], message).toEqual([name, 'ANNEX_DENIED', hint]);
      expect(why).toContain('ANNEX_ALLOW_INSTALLS');
      expect(asker).toMatch(form === 'static import' ? /static-\d+\.mjs$/ : /voice\.[cm]js$/);
    }
  });

  test('a second miss has the line once as well', async () => {
    sandbox.write(
      'app/twice.mjs',
      `import { createRequire } from 'node:module';
         const require = createRequire(import.meta.url);
         const lines = [];
         for (const ask of [() => import('missing'), () => require('missing')]) {
           for (const _ of [1, 2, 3]) {
             try { await ask(); } catch (e) { lines.push(e.message.split('annex: ').length - 1); }
           }
         }
         console.log(JSON.stringify(lines));`,
    );
    const flags = ['--import', sandbox.loader, 'twice.mjs'];
    const { stdout, stderr } = await sandbox.run(flags, { node: node.path, env: env() });
    expect([JSON.parse(stdout), stderr]).toEqual([[1, 1, 1, 1, 1, 1], '']);
  });

  test('an uncaught miss ends the program as Node would, and prints the line', async () => {
    sandbox.write('app/uncaught.mjs', `import 'missing';`);
    sandbox.write('app/uncaught.cjs', `require('missing');`);
    for (const file of ['uncaught.mjs', 'uncaught.cjs']) {
      const before = await sandbox.run([file], { node: node.path });
      const flags = ['--import', sandbox.loader, file];
      const { code, stderr } = await sandbox.run(flags, { node: node.path, env: env() });
      expect(code, file).toBe(before.code);
      expect(stderr).toMatch(/Cannot find (package|module) 'missing'/);
      expect(stderr).toMatch(/^annex: missing unavailable \(ANNEX_DENIED\)/m);
      expect(stderr).toMatch(/code: '(ERR_)?MODULE_NOT_FOUND'/);
    }
  });
});
