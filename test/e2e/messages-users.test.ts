/** G6: the whole message of each reason why this user must not use a store. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, test } from 'vitest';
import { expectMessage, type MessageCase, runCommand } from '../support/messages.ts';
import { asPlainUser, giveTo, isRoot, PLAIN_USER } from '../support/user.ts';

const CASES: MessageCase[] = [
  {
    title: 'a directory that this user cannot write',
    world: { copyAnnex: true },
    prepare: () => ({ ...asPlainUser }),
    message:
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): <store> cannot be used: permission is denied (EACCES access <root>/volume), asked by main.mjs. Other features unaffected. Now: make the store a directory that the user of this process can write, or set ANNEX_STORE to one',
  },
  {
    title: 'a store of another user',
    world: { copyAnnex: true },
    prepare: ({ sandbox }) => {
      mkdirSync(sandbox.store);
      chownSync(sandbox.store, PLAIN_USER.uid + 1, 0);
      return { ...asPlainUser };
    },
    message:
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): <store> belongs to uid 4712, asked by main.mjs. Other features unaffected. Now: run the process as uid 4712, set ANNEX_STORE to another directory, or as root: chown -R 4711 <store>',
  },
  {
    title: 'a store that this user cannot reach',
    world: { copyAnnex: true },
    prepare: ({ sandbox }) => {
      mkdirSync(sandbox.store);
      chmodSync(dirname(sandbox.store), 0o700);
      return { ...asPlainUser };
    },
    message:
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): <store>/v1/<abi> cannot be used: permission is denied (EACCES open <store>), asked by main.mjs. Other features unaffected. Now: make the store a directory that the user of this process can write, or set ANNEX_STORE to one',
  },
  {
    title: 'a store that this user cannot reach, for a command',
    world: { copyAnnex: true },
    prepare: ({ sandbox }) => {
      mkdirSync(sandbox.store);
      chmodSync(dirname(sandbox.store), 0o700);
      return { ...asPlainUser };
    },
    ask: runCommand('prune'),
    message:
      'annex: nothing was pruned: <store> cannot be accessed (EACCES) (ANNEX_STORE_UNUSABLE). Now: set ANNEX_STORE to a directory of this user',
  },
  {
    title: 'a store of a user, for root',
    prepare: ({ sandbox }) => {
      mkdirSync(sandbox.store);
      giveTo(PLAIN_USER, sandbox.store);
      return undefined;
    },
    message:
      'annex: kit unavailable (ANNEX_STORE_UNUSABLE): <store> belongs to uid 4711, and this process is root, asked by main.mjs. Other features unaffected. Now: set ANNEX_STORE to another directory, or run it as that user: docker exec --user 4711',
  },
];

describe.runIf(isRoot).concurrent('another user', () => {
  test.for(CASES)('$title', (one) => expectMessage(one));
});
