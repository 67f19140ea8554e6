/** Rows of the commands that report and change nothing. */
import { FEATURES, PLACE, QUIET, REGISTRY_VARIABLES, SETTING_VARIABLES } from './common-rows.ts';
import type { Row } from './row.ts';

export const INSPECT: readonly Row[] = [
  {
    name: 'list',
    aliases: ['ls', 'status'],
    summary: 'list each feature: versions, state, size, age',
    details: [
      'Prints a line for each package: the declared range, the locked version, the installed version, and where it is. The last line counts the features in each state.',
      'A package is in core, core (not shipped), core outside range, store, layer, missing, denied or failed. Core is the application: it ships the package; it has a copy that is not part of what it ships, such as a devDependency; or it ships a version outside the declared range, and uses it.',
      'A feature is available in the declared range; missing, until an import installs it; or failed: denied, failed, damaged, or outside the declared range in core.',
    ],
    options: [
      {
        name: 'state',
        value: 'STATE',
        summary: 'list only the features in this state',
        choices: ['available', 'missing', 'failed'],
      },
      { name: 'check', summary: 'fail when a feature has failed' },
      QUIET,
      {
        name: 'metrics',
        summary: 'print OpenMetrics text, for Prometheus',
        excludes: ['json', 'quiet'],
      },
      ...PLACE,
    ],
    examples: [
      'annex list',
      'annex list --state failed',
      'annex list --check',
      'annex list --state missing --quiet',
      'annex list --metrics',
      'annex ls --store /opt/data/annex:/opt/annex',
    ],
    variables: SETTING_VARIABLES,
    load: async () => (await import('../inspect/list.ts')).list,
  },
  {
    name: 'why',
    summary: 'print the file that answers an import, and why',
    details: [
      'Resolves like an import and installs nothing. Prints the file, or the reason why no file answers; then the rule, the facts that decided, and every copy of the package with the reason why it is not used. Fails when there is no file.',
      'Then it prints each feature that depends on the package and does not declare it, the packages that lead to it, and why the entry has a copy of its own or shares the copy of the application.',
    ],
    arguments: [
      {
        name: 'SPECIFIER',
        summary: 'what the import names: exa-js, or exa-js/client',
        words: 'features',
      },
    ],
    options: [
      {
        name: 'from',
        value: 'FILE',
        summary: 'the importing file, as a path or a file: URL',
        words: 'files',
        default: 'index.js in the application',
      },
      { name: 'require', summary: 'resolve like require' },
      ...PLACE,
    ],
    examples: [
      'annex why exa-js',
      'annex why pg --from plugins/db.cjs --require',
      'annex why whatwg-url',
    ],
    variables: [...SETTING_VARIABLES, 'NODE_OPTIONS'],
    load: async () => (await import('../why/why.ts')).why,
  },
  {
    name: 'store',
    summary: 'list the entries of the store, and their sizes',
    details: [
      'path prints the path of the store, and nothing else. ls lists every entry of the store and its layers. df adds up sizes by state, with what annex prune frees and the free space of the volume. prune and verify are annex prune and annex verify, and take their options.',
      'An entry is current; replaced, if another entry or the application has the feature; for an other Node; of an other lock; of an other declaration; undeclared; retired; blocked; damaged; unreadable; or not trusted. Files are not compared: annex verify does that.',
    ],
    arguments: [
      {
        name: 'COMMAND',
        summary: 'what to do',
        choices: ['path', 'ls', 'df', 'prune', 'verify'],
      },
    ],
    options: [{ ...QUIET, summary: 'with ls: print the directories of entries alone' }, ...PLACE],
    examples: ['annex store path', 'annex store ls --quiet', 'annex store df'],
    variables: SETTING_VARIABLES,
    load: async () => (await import('../store/store.ts')).store,
  },
  {
    name: 'doctor',
    summary: 'find what keeps imports from working',
    details: [
      'Checks the application, Node, the preload, settings, the store and its volume, locks, features and npm, and prints how many problems there are, then a line for each finding, problems first, with the change that mends it. Installs nothing; writes one file into the store, and removes it. Fails when it finds a problem.',
    ],
    options: [{ name: 'online', summary: 'ask each registry for a package too' }, ...PLACE],
    examples: ['annex doctor', 'annex doctor --online'],
    variables: [...SETTING_VARIABLES, ...REGISTRY_VARIABLES, 'NODE_OPTIONS'],
    load: async () => (await import('../doctor/doctor.ts')).doctor,
  },
  {
    name: 'scan',
    summary: 'find imports that nothing declares or ships',
    details: [
      'Reads the sources of the application and of the workspaces that it depends on: import, import(), require, require.resolve, import.meta.resolve, what createRequire returns, and load() of annex, also in TypeScript and JSX. Tests, build output, configuration of tools, what Git ignores and directories of other applications with an annex key are left out.',
      'Also names the declared features that no source names. A name that the program computes cannot be read, and an alias of a bundler looks like a package.',
      'Fails when a package is neither declared nor shipped.',
    ],
    examples: ['annex scan', 'annex scan --json'],
    variables: [],
    load: async () => (await import('../scan/scan.ts')).scan,
  },
  {
    name: 'config',
    summary: 'print every setting with its origin',
    details: [
      'Prints values without effect too, and what is invalid or misspelled. Works outside of an application as well.',
    ],
    options: PLACE,
    examples: ['annex config'],
    variables: [...SETTING_VARIABLES, 'ANNEX_LOG'],
    load: async () => (await import('../inspect/config.ts')).config,
  },
  {
    name: 'verify',
    aliases: ['store verify'],
    summary: 'compare each file in the stores with the lock',
    details: [
      'Compares entries of all features and ABIs, those in layers too. An entry without a lock is compared with its own listing. Fails when an entry is damaged, or cannot be read.',
    ],
    arguments: [FEATURES],
    options: [
      { name: 'repair', summary: 'retire damaged entries, and install their features again' },
      ...PLACE,
    ],
    examples: ['annex verify', 'annex verify exa-js --repair'],
    variables: [...SETTING_VARIABLES, ...REGISTRY_VARIABLES],
    load: async () => (await import('../inspect/verify.ts')).verify,
  },
  {
    name: 'audit',
    summary: 'report vulnerabilities, with npm audit',
    details: [
      "Prints npm's own report, and exits with npm's exit code. With --json it is the JSON of npm. Copies that the application does not ship are left out. Fails if the registry has no advisories.",
      'With the word signatures it verifies the signature of the registry over each locked tarball and its provenance, and records the valid ones in the lock. Fails when a signature is missing or invalid, when provenance is invalid or cannot be verified, or when the registry has neither.',
    ],
    arguments: [
      { ...FEATURES, summary: `the word signatures, to verify them; then ${FEATURES.summary}` },
    ],
    options: PLACE,
    examples: ['annex audit', 'annex audit signatures exa-js'],
    variables: [...SETTING_VARIABLES, ...REGISTRY_VARIABLES],
    load: async () => (await import('../inspect/audit.ts')).audit,
  },
  {
    name: 'licenses',
    summary: 'list the licences of the locked packages',
    details: [
      'Reads the locks alone, and lists the packages for all of their platforms. Packages that name no licence are listed as unknown. What the application ships is left out. Needs no network. Fails when a feature is not locked.',
    ],
    arguments: [FEATURES],
    options: PLACE,
    examples: ['annex licenses', 'annex licenses exa-js --json'],
    variables: SETTING_VARIABLES,
    load: async () => (await import('../inspect/licenses.ts')).licenses,
  },
  {
    name: 'sbom',
    summary: 'print an SBOM of the packages in use, with npm',
    details: [
      'Prints the document of npm sbom, with a component for each feature. It is JSON with or without --json. Needs no network.',
      'The same packages give the same bytes: the time in the document is that of the newest lock, or SOURCE_DATE_EPOCH, and its identifier is a digest of its content.',
    ],
    arguments: [FEATURES],
    options: [
      {
        name: 'format',
        value: 'FORMAT',
        summary: 'format of the document',
        choices: ['cyclonedx', 'spdx'],
        default: 'cyclonedx',
      },
      ...PLACE,
    ],
    examples: ['annex sbom > sbom.cdx.json', 'annex sbom exa-js --format spdx'],
    variables: [...SETTING_VARIABLES, 'SOURCE_DATE_EPOCH'],
    load: async () => (await import('../inspect/sbom.ts')).sbom,
  },
  {
    name: 'report',
    summary: 'compose a page of the application and its annex',
    details: [
      'One HTML page that loads nothing and runs no script: what core ships that features use, and of each feature its state, versions, packages, size, licences, install scripts, blocked versions, and the reason if it is unavailable. As Markdown, a table of features for a pull request. Without SOURCE_DATE_EPOCH the page has no date. With --json it prints the facts.',
    ],
    options: [
      {
        name: 'format',
        value: 'FORMAT',
        summary: 'format of the page',
        choices: ['html', 'md'],
        default: 'html',
      },
      {
        name: 'output',
        value: 'FILE',
        summary: 'write the page into FILE',
        default: 'stdout',
        words: 'files',
      },
      ...PLACE,
    ],
    examples: ['annex report --output annex.html', 'annex report --format md'],
    variables: [...SETTING_VARIABLES, 'SOURCE_DATE_EPOCH'],
    load: async () => (await import('../inspect/report.ts')).report,
  },
];
