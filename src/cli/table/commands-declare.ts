/** Rows of the commands that change the application: its declaration and its locks. */
import {
  FEATURES,
  LOCKING_VARIABLES,
  MIN_AGE,
  PLACE,
  REGISTRY_VARIABLES,
  SETTING_VARIABLES,
} from './common-rows.ts';
import type { Row } from './row.ts';

export const DECLARE: readonly Row[] = [
  {
    name: 'add',
    summary: 'declare packages in the nearest package.json',
    details: [
      'Installs nothing. A package without a range gets that of devDependencies or another list in package.json, or a caret range of the version that npm would install. Where features are locked, the new ones are locked too; if that fails, nothing is written.',
    ],
    arguments: [
      {
        name: 'NAME[@RANGE]',
        summary: 'packages, with semver ranges',
        isRepeated: true,
      },
    ],
    options: [
      {
        name: 'feature',
        value: 'FEATURE',
        summary: 'one feature that gets all of the packages',
        words: 'features',
        default: 'a feature of its own for each package',
      },
    ],
    examples: ['annex add exa-js@^1.9', 'annex add pg pg-hstore --feature db.postgres'],
    variables: [...SETTING_VARIABLES, ...LOCKING_VARIABLES],
    load: async () => (await import('../declare/add.ts')).add,
  },
  {
    name: 'init',
    summary: 'declare and lock what the sources import',
    details: [
      'Without names it declares what annex scan finds undeclared. It asks on a terminal; elsewhere --yes is required. A package keeps its range from package.json; without one it gets a caret range of the version that npm would install. The features are locked; if that fails, nothing is written. Then it prints what to commit and how to start the program, and the lines for a Dockerfile with the paths of an image.',
      'A package of optionalDependencies is removed from there. It is not locked: npm install has to remove it from package-lock.json first, and annex lock locks it then.',
    ],
    arguments: [
      {
        name: 'NAME[@RANGE]',
        summary: 'packages, with semver ranges; without any, those of the scan',
        isOptional: true,
        isRepeated: true,
      },
    ],
    options: [
      { name: 'optional', summary: 'also what is imported and in optionalDependencies' },
      { name: 'yes', short: 'y', summary: 'do not ask' },
    ],
    examples: ['annex init', 'annex init --optional --yes', 'annex init exa-js pg@^8'],
    variables: [...SETTING_VARIABLES, ...LOCKING_VARIABLES],
    load: async () => (await import('../declare/init.ts')).init,
  },
  {
    name: 'remove',
    aliases: ['rm'],
    summary: 'undo add: declaration and lock',
    details: ['Entries in stores stay: annex uninstall removes them.'],
    arguments: [
      {
        name: 'NAME',
        summary: 'keys of annex.features; with --feature, packages of that feature',
        words: 'features',
        isRepeated: true,
      },
    ],
    options: [
      {
        name: 'feature',
        value: 'FEATURE',
        summary: 'the feature that loses the packages',
        words: 'features',
      },
    ],
    examples: ['annex remove exa-js', 'annex remove pg-hstore --feature db.postgres'],
    variables: [...SETTING_VARIABLES, ...LOCKING_VARIABLES],
    load: async () => (await import('../declare/remove.ts')).remove,
  },
  {
    name: 'lock',
    summary: 'write annex/FEATURE: package-lock and digests',
    details: [
      'Resolves each feature with npm, and installs nothing. Without names it also removes the locks of features that are not declared.',
      'With --check it writes nothing, needs no network, and fails when a lock no longer matches the declaration or the packages that the application ships.',
    ],
    arguments: [FEATURES],
    options: [
      { name: 'check', summary: 'report what no longer matches the lock' },
      {
        name: 'online',
        summary: 'with --check: verify recorded signatures and provenance with the registry',
        excludes: ['min-age'],
      },
      { ...MIN_AGE, excludes: ['check'] },
      ...PLACE,
    ],
    examples: ['annex lock', 'annex lock exa-js --min-age 7', 'annex lock --check'],
    variables: [...SETTING_VARIABLES, ...LOCKING_VARIABLES],
    load: async () => (await import('../declare/lock.ts')).lock,
  },
  {
    name: 'outdated',
    summary: 'list newer versions of what is locked',
    details: [
      'For each declared package of a locked feature: the locked version, the newest one in the declared range (wanted), and the one that npm would install without a range (latest). A version that is too recent to be locked does not count. Fails when a newer version is in a range.',
    ],
    arguments: [FEATURES],
    options: [MIN_AGE, ...PLACE],
    examples: ['annex outdated', 'annex outdated exa-js --min-age 7'],
    variables: [...SETTING_VARIABLES, ...REGISTRY_VARIABLES],
    load: async () => (await import('../declare/outdated.ts')).outdated,
  },
  {
    name: 'update',
    summary: 'lock the newest versions in the declared ranges',
    details: [
      'Writes new locks, as annex lock does, but keeps no locked version: declared packages and their dependencies get the newest versions that fit. Prints what differs. Declared ranges stay: annex add NAME@RANGE changes one.',
    ],
    arguments: [FEATURES],
    options: [
      { name: 'dry-run', summary: 'print what would happen, and change nothing' },
      MIN_AGE,
      ...PLACE,
    ],
    examples: ['annex update --dry-run', 'annex update exa-js'],
    variables: [...SETTING_VARIABLES, ...LOCKING_VARIABLES],
    load: async () => (await import('../declare/update.ts')).update,
  },
];
