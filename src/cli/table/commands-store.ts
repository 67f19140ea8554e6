/** Rows of the commands that change a store. */
import { FEATURES, PLACE, REGISTRY_VARIABLES, SETTING_VARIABLES } from './common-rows.ts';
import type { Row } from './row.ts';

export const STORE: readonly Row[] = [
  {
    name: 'install',
    summary: 'install into the store now',
    details: [
      'Retries features that failed recently at once. With --all it also fails if a key of annex outside the features is invalid.',
      'With --within, for jobs and init containers, a feature that failed is tried again: after about 30 seconds, and after twice as long each time. Failures that no retry mends are not repeated. The command ends when every feature is installed, when no further try can start in the time, and at the end of the time.',
    ],
    arguments: [
      {
        name: 'FEATURE',
        summary: 'names of features, or of packages in them',
        isRepeated: true,
        instead: 'all',
        words: 'features',
      },
    ],
    options: [
      { name: 'all', summary: 'install every feature' },
      {
        name: 'within',
        value: 'SECONDS',
        summary: 'repeat what fails for a while, within this time',
        unit: 'seconds',
      },
      {
        name: 'graph',
        value: 'FILE',
        summary: 'of an installer: the file that imports the feature, and the entry script',
        isRepeated: true,
        isHidden: true,
      },
      ...PLACE,
    ],
    examples: ['annex install exa-js', 'annex install --all', 'annex install --all --within 600'],
    variables: [...SETTING_VARIABLES, ...REGISTRY_VARIABLES],
    load: async () => (await import('../store/install.ts')).install,
  },
  {
    name: 'refresh',
    summary: 'reinstall features whose entry no longer fits',
    details: [
      'For a boot hook, or before a deployment: installs what an upgrade requires, and never exits with 1.',
    ],
    options: PLACE,
    examples: ['annex refresh'],
    variables: [...SETTING_VARIABLES, ...REGISTRY_VARIABLES],
    load: async () => (await import('../store/refresh.ts')).refresh,
  },
  {
    name: 'prune',
    aliases: ['store prune'],
    summary: 'retire entries that no feature uses any more',
    details: [
      'A later prune or install deletes retired entries, after another day. Entries that were published or replaced recently are kept.',
    ],
    options: [
      {
        name: 'days',
        value: 'N',
        summary: 'age of an entry without a use',
        default: '14',
        unit: 'days',
      },
      { name: 'dry-run', summary: 'print what would happen, and change nothing' },
      ...PLACE,
    ],
    examples: ['annex prune --dry-run', 'annex prune --days 30'],
    variables: SETTING_VARIABLES,
    load: async () => (await import('../store/prune.ts')).prune,
  },
  {
    name: 'uninstall',
    summary: 'remove the entries of a feature at once',
    details: ['Removes them from running processes too, and for every ABI. Layers stay.'],
    arguments: [{ name: 'FEATURE', summary: 'a feature, declared or not', words: 'features' }],
    options: PLACE,
    examples: ['annex uninstall exa-js'],
    variables: SETTING_VARIABLES,
    load: async () => (await import('../store/uninstall.ts')).uninstall,
  },
  {
    name: 'bake',
    summary: 'fill a directory with entries, as a layer',
    details: [
      'For the layer of an image, or a volume. List the directory after the store: ANNEX_STORE=/opt/data/annex:DIRECTORY.',
      'With --oci the directory is an OCI image layout. The entries become an image with a layer for each feature, in place of an earlier image for the same Node and platform. Images for others stay. Prints the name and the digest of the image. The same features, locks, application and Node give the same digest. If a feature fails, no image is written.',
    ],
    arguments: [
      { name: 'DIRECTORY', summary: 'a directory outside the application', words: 'directories' },
      FEATURES,
    ],
    options: [{ name: 'oci', summary: 'write an image into an OCI image layout' }, ...PLACE],
    examples: ['annex bake /opt/annex', 'annex bake --oci /tmp/annex-image'],
    variables: [...SETTING_VARIABLES, ...REGISTRY_VARIABLES, 'SOURCE_DATE_EPOCH'],
    load: async () => (await import('../store/bake.ts')).bake,
  },
];
