/** An entry loaded by its path is checked like one found by the name of its feature. */
import { chmodSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'vitest';
import { kit, writeMeeting } from '../support/meet.ts';
import { type NodeUnderTest, nodes } from '../support/nodes.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { type asPlainUser, giveTo, users } from '../support/user.ts';

/** Moves a path out of the store, and replaces it by a link. */
function replaceByLink(sandbox: Sandbox, path: string): void {
  const moved = join(sandbox.root, 'moved');
  renameSync(path, moved);
  symlinkSync(moved, path);
}

interface Case {
  /** A change of the world; `entry` is the directory of the entry. */
  spoil: (sandbox: Sandbox, entry: string) => void;
  /** The code of the AnnexError, or of Node if a request leads out of an entry. */
  answer: string;
}

const CASES: Record<string, Case> = {
  'a store that every user may write': {
    spoil: ({ store }) => chmodSync(store, 0o777),
    answer: 'ANNEX_STORE_UNUSABLE',
  },
  'a version that is blocked': {
    spoil: (sandbox) => sandbox.setCore({ features: { kit: '^1.0.0' }, blocked: ['kit@1.0.0'] }),
    answer: 'ANNEX_DENIED',
  },
  'an entry that is a link': {
    spoil: replaceByLink,
    answer: 'ANNEX_STORE_UNUSABLE',
  },
  'an ABI directory that is a link': {
    spoil: (sandbox, entry) => replaceByLink(sandbox, dirname(entry)),
    answer: 'ANNEX_STORE_UNUSABLE',
  },
  'a version root that is a link': {
    spoil: ({ store, ...sandbox }) => replaceByLink({ store, ...sandbox }, join(store, 'v1')),
    answer: 'ANNEX_STORE_UNUSABLE',
  },
};

/** Requests by path; prints the errors without what annex added to them. */
const REQUESTS = `
import { createRequire } from 'node:module';
import { join } from 'node:path';
const [,, dir] = process.argv;
const require = createRequire(import.meta.url);
const requests = [
  () => require(dir),
  () => require(join(dir, 'part.js')),
  () => createRequire(join(dir, 'child.js'))('./part.js'),
  () => import(join(dir, 'part.mjs')),
];
const errors = [];
for (const request of requests) {
  try { await request(); } catch ({ code, message, requireStack, cause }) {
    const ofNode = cause === undefined ? message : message.replace('\\n' + cause.message, '');
    errors.push({ code, message: ofNode, requireStack, cause: cause?.code });
  }
}
console.log(JSON.stringify(errors));`;

async function plantKit(node: NodeUnderTest) {
  const sandbox = await createSandbox({ node: node.path, copyAnnex: true });
  sandbox.setCore({ features: { kit: '^1.0.0' } });
  const entry = sandbox.plantEntry({ feature: 'kit', packages: [kit], specs: { kit: '^1.0.0' } });
  return { sandbox, entry };
}

async function open(node: NodeUnderTest, user: typeof asPlainUser, spoil: Case['spoil']) {
  const { sandbox, entry } = await plantKit(node);
  writeMeeting(sandbox);
  spoil(sandbox, entry);
  giveTo(user, join(sandbox.store, '..'));
  return async (verify: string) => {
    const ANNEX_CONFIG = sandbox.write(`${verify}.json`, { verify });
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0', ANNEX_CONFIG };
    const args = ['--import', sandbox.loader, 'meet.mjs', join(entry, 'node_modules/kit')];
    const { stdout, stderr } = await sandbox.run(args, { env, ...user });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as Record<string, string>;
  };
}

for (const node of nodes) {
  for (const { who, user } of users) {
    describe(`${node.label}, ${who}`, () => {
      test('a valid entry runs with every setting of verify', async (context) => {
        const meet = await open(node, user, () => {});
        for (const verify of ['load', 'off']) {
          const answers = Object.values(await meet(verify));
          context.expect(new Set(answers)).toEqual(new Set(['sound']));
        }
      });

      test("an entry that cannot be reached: Node's own error, with a cause", async (context) => {
        const { sandbox, entry } = await plantKit(node);
        sandbox.write('app/requests.mjs', REQUESTS);
        const version = join(sandbox.store, 'v1');
        renameSync(version, join(sandbox.root, 'moved'));
        symlinkSync('v1', version);
        giveTo(user, join(sandbox.store, '..'));
        const read = async (...flags: string[]) => {
          const args = [...flags, 'requests.mjs', join(entry, 'node_modules/kit')];
          const { stdout } = await sandbox.run(args, {
            env: { ANNEX_STORE: sandbox.store },
            ...user,
          });
          return JSON.parse(stdout) as object[];
        };
        const plain = await read();
        const expected = plain.map((error) => ({ ...error, cause: 'ANNEX_STORE_UNUSABLE' }));
        context.expect(await read('--import', sandbox.loader)).toEqual(expected);
        context.expect(plain).toHaveLength(4);
      });

      test.for(Object.entries(CASES))(
        '%s: nothing runs',
        async ([, { spoil, answer }], context) => {
          const meet = await open(node, user, spoil);
          for (const verify of ['load', 'off']) {
            const answers = Object.entries(await meet(verify));
            context.expect(answers.filter(([, got]) => got !== answer)).toEqual([]);
          }
        },
      );
    });
  }
}
