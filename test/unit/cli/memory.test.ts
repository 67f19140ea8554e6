/** `annex doctor` finds processes that were killed for want of memory, given files as those of the kernel. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkMemory } from '../../../src/cli/doctor/memory.ts';
import { removeTree } from '../../support/tree.ts';

/** Makes the files of control groups, and returns their root. */
function makeGroups(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'annex-groups-'));
  onTestFinished(() => removeTree(root));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** As version 2 has it. */
const events = (killed: number): string =>
  `low 0\nhigh 0\nmax 12\noom 3\noom_kill ${killed}\noom_group_kill 0\n`;
/** As version 1 has it. */
const control = (killed: number): string => `oom_kill_disable 0\nunder_oom 0\noom_kill ${killed}\n`;

const remedy = 'raise the memory limit, or install while the image is built: annex bake';
const found = (text: string) => [{ id: 'memory.killed', level: 'warning', text, remedy }];

test('version 2, in a container: the group is the root', () => {
  const root = makeGroups({ 'memory.events': events(2), 'memory.max': '67108864\n' });
  expect(checkMemory(root, '0::/\n')).toEqual(
    found(
      '2 processes of this container or service were killed for want of memory; its limit is 67.1 MB',
    ),
  );
});

test('version 2, of a service: the group is below the root, and may have no limit', () => {
  const root = makeGroups({
    'system.slice/app.service/memory.events': events(1),
    'system.slice/app.service/memory.max': 'max\n',
  });
  expect(checkMemory(root, '0::/system.slice/app.service\n')).toEqual(
    found(
      '1 process of this container or service was killed for want of memory; it has no limit of its own',
    ),
  );
});

test('version 1: the group of the controller for memory, or the root that a container sees', () => {
  const own = '12:cpu,cpuacct:/x\n4:memory:/docker/f00d\n0::/docker/f00d\n';
  const files = (dir: string, killed: number) => ({
    [join('memory', dir, 'memory.oom_control')]: control(killed),
    [join('memory', dir, 'memory.limit_in_bytes')]: dir === '' ? '67108864' : '9223372036854771712',
  });
  const [text] = checkMemory(makeGroups(files('', 1)), own).map((one) => one.text);
  expect(text).toMatch(/^1 process .*; its limit is 67\.1 MB$/);
  const [below] = checkMemory(makeGroups({ ...files('', 0), ...files('docker/f00d', 3) }), own);
  expect(below?.text).toMatch(/^3 processes .*; it has no limit of its own$/);
});

test('nothing is found where none was killed, where the kernel is older, and without control groups', () => {
  expect(checkMemory(makeGroups({ 'memory.events': events(0) }), '0::/\n')).toEqual([]);
  const old = makeGroups({ 'memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\n' });
  expect(checkMemory(old, '4:memory:/\n')).toEqual([]);
  expect(checkMemory(join(old, 'absent'), '')).toEqual([]);
});

test('a group outside of the root that is visible leads nowhere else', () => {
  const root = makeGroups({ 'in/memory.max': '1', 'memory.events': events(1) });
  expect(checkMemory(join(root, 'in'), '0::/../\n')).toEqual([]);
});
