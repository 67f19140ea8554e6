/** Additions to an entry that are damage, because they can change what Node loads. */
import { describe, expect, test } from 'vitest';
import { canChangeLinking, createJudge, type Kind } from '../../../src/store/additions.ts';

const files = [
  'node_modules/kit/package.json',
  'node_modules/kit/index.js',
  'node_modules/kit/lib/data.js',
  'node_modules/kit/lib/sub/index.js',
  'node_modules/kit/assets/logo.svg',
];
const expected = new Map(files.map((path) => [path, '']));
const shared = new Set(['zod', '@scope/peer']);

/** Damage always, only if not every load is watched, or never. */
const CASES: [path: string, kind: Kind, damage: 'always' | 'unwatched' | 'never'][] = [
  ['node_modules/kit/lib/package.json', 'file', 'always'],
  ['node_modules/kit/.cache/model/package.json', 'file', 'always'],
  ['node_modules/kit/node_modules', 'directory', 'always'],
  ['node_modules/kit/.cache/node_modules', 'directory', 'always'],
  ['node_modules/dep', 'directory', 'always'],
  ['node_modules/@other', 'directory', 'always'],
  ['node_modules/dep.js', 'file', 'always'],
  ['node_modules/dep', 'link', 'always'],
  ['node_modules/zod', 'directory', 'always'],
  ['node_modules/zod', 'link', 'never'],
  ['node_modules/@scope', 'directory', 'never'],
  ['node_modules/@scope/peer', 'link', 'never'],
  ['node_modules/@scope/another', 'link', 'always'],
  ['node_modules/kit/lib/sub.js', 'file', 'always'],
  ['node_modules/kit/lib/sub.json', 'file', 'always'],
  ['node_modules/kit/lib/more.js', 'file', 'always'],
  ['node_modules/kit/lib/index.json', 'file', 'always'],
  ['node_modules/kit/lib/data', 'file', 'always'],
  ['node_modules/kit/lib/data', 'link', 'always'],
  ['node_modules/kit/assets/more', 'link', 'always'],
  ['node_modules/kit/opt/index.js', 'file', 'always'],
  ['node_modules/kit/opt/index.json', 'file', 'always'],
  ['node_modules/kit/lib/opt/index.node', 'link', 'always'],
  ['opt/index.js', 'file', 'always'],
  ['node_modules/kit/build/Debug/addon.node', 'file', 'always'],
  ['node_modules/kit/early/libwho.so', 'file', 'always'],
  ['node_modules/kit/early/libwho.so.1', 'link', 'always'],
  ['node_modules/kit/.cache/model/libwho.dylib', 'file', 'always'],
  ['node_modules/kit/glibc-hwcaps', 'directory', 'always'],
  ['node_modules/kit/.cache/glibc-hwcaps', 'link', 'always'],
  ['node_modules/kit/.cache/resolved.sock', 'file', 'never'],
  ['node_modules/kit/.cache/model/current', 'link', 'unwatched'],
  ['node_modules/kit/.cache/model/current.d', 'link', 'unwatched'],
  ['node_modules/kit/opt/index.mjs', 'file', 'unwatched'],
  ['node_modules/kit/opt/other.js', 'file', 'unwatched'],
  ['node_modules/kit/lib/more.mjs', 'file', 'unwatched'],
  ['node_modules/kit/lib/more.wasm', 'file', 'unwatched'],
  ['node_modules/kit/lib/LOCK', 'file', 'always'],
  ['node_modules/kit/.cache/LOCK', 'file', 'unwatched'],
  ['node_modules/kit/lib/.lock', 'file', 'never'],
  ['node_modules/kit/.cache/model/config.json', 'file', 'unwatched'],
  ['node_modules/kit/.cache/generated/index.js', 'file', 'unwatched'],
  ['more.js', 'file', 'always'],
  ['node_modules/kit/.cache', 'directory', 'never'],
  ['node_modules/kit/.cache/model/weights.onnx', 'file', 'never'],
  ['node_modules/kit/assets/thumb.svg', 'file', 'never'],
  ['node_modules/kit/lib', 'directory', 'never'],
  ['notes.txt', 'file', 'never'],
];

describe.each([true, false])('every load is watched: %s', (isWatched) => {
  const judge = createJudge(expected, shared, isWatched);
  test.each(CASES)('%s, a %s, is damage: %s', (path, kind, damage) => {
    const isDamage = damage === 'always' || (damage === 'unwatched' && !isWatched);
    expect(judge(path, kind) === 'matters').toBe(isDamage);
  });
});

test.each([
  ['node_modules/kit/early/libkit.so', 'file', true],
  ['node_modules/kit/early/libkit.so.1', 'file', true],
  ['node_modules/kit/lib/glibc-hwcaps', 'directory', true],
  ['node_modules/kit/early', 'link', true],
  ['node_modules/zod', 'link', false],
  ['node_modules/kit/lib/more.js', 'file', false],
  ['node_modules/kit/.cache', 'directory', false],
] as const)('whether %s (%s) can change the libraries of an addon: %s', (path, kind, expected) => {
  expect(canChangeLinking(path, kind, shared)).toBe(expected);
});
