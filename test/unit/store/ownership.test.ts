/** Trust in the owners of a store: rows of a data file, then every combination of modes and owners. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findDistrust, type Location } from '../../../src/store/ownership.ts';

/** A location is `PATH UID:GID MODE`, the mode in octal. */
interface Row {
  title: string;
  /** `UID:GID,GID` */
  user: string;
  above: string[];
  store?: string;
  below?: string[];
  /** How the reason begins; null when there is none. */
  distrust: string | null;
}

const file = new URL('../../data/ownership.json', import.meta.url);
const rows = JSON.parse(readFileSync(file, 'utf8')) as Row[];

function readLocation(text: string): Location {
  const [path = '', owner = '', mode = ''] = text.split(' ');
  const [uid = 0, gid = 0] = owner.split(':').map(Number);
  return { path, uid, gid, mode: Number.parseInt(mode, 8) };
}

test.each(rows)('$title', ({ user, above, store, below, distrust }) => {
  const [uid = '', groups = ''] = user.split(':');
  const found = findDistrust(
    { uid: Number(uid), groups: groups.split(',').map(Number) },
    {
      above: above.map(readLocation),
      ...(store && { store: readLocation(store) }),
      ...(below && { below: below.map(readLocation) }),
    },
  );
  if (distrust === null) expect(found).toBeUndefined();
  else expect(found?.startsWith(distrust), found).toBe(true);
});

describe('for every combination of owner, group and mode', () => {
  const uids = [0, 1000, 1001];
  const gids = [0, 1000, 2000];
  const modes = [0o755, 0o775, 0o757, 0o777, 0o555, 0o1777, 0o2775, 0o2755, 0];
  const places = uids.flatMap((uid) =>
    gids.flatMap((gid) => modes.map((mode) => ({ path: '/p', uid, gid, mode }))),
  );
  const isOpen = ({ mode }: Location) => (mode & 0o002) !== 0;
  const pairs = places.flatMap((store) => places.map((entry) => ({ store, entry })));

  test('root trusts nothing that another user owns or may write', () => {
    const root = { uid: 0, groups: [0] };
    const trusted = pairs.filter(
      ({ store, entry }) => findDistrust(root, { above: [], store, below: [entry] }) === undefined,
    );
    expect(trusted.length).toBeGreaterThan(0);
    for (const place of trusted.flatMap(({ store, entry }) => [store, entry])) {
      expect(place.uid).toBe(0);
      expect(place.mode & 0o022).toBe(0);
    }
  });

  test('no user trusts a directory that every user may write', () => {
    for (const uid of uids) {
      const user = { uid, groups: [1000, 2000] };
      for (const { store, entry } of pairs) {
        if (!isOpen(store) && !isOpen(entry)) continue;
        expect(findDistrust(user, { above: [], store, below: [entry] })).toBeDefined();
      }
    }
  });

  test('a user trusts another one only in a group-writable store of its own group', () => {
    const user = { uid: 1000, groups: [1000, 2000] };
    const trusted = pairs.filter(
      ({ store, entry }) => findDistrust(user, { above: [], store, below: [entry] }) === undefined,
    );
    const foreign = trusted.filter(({ store, entry }) => [store.uid, entry.uid].includes(1001));
    expect(foreign.length).toBeGreaterThan(0);
    for (const { store, entry } of foreign) {
      expect(store.mode & 0o020).not.toBe(0);
      expect(user.groups).toContain(store.gid);
      if (entry.uid === 1001) expect(user.groups).toContain(entry.gid);
    }
  });
});
