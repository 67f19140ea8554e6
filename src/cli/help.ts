/** What `annex help` prints, and what a command prints of it that is called wrongly. */

/** The whole help. */
export const HELP = `usage: annex COMMAND [--json]

  add NAME[@RANGE]... [--feature FEATURE]   declare packages in the nearest package.json
  remove NAME... [--feature FEATURE]        undo add: declaration and lock
  list                                      every feature: packages, range, where it is, version, size
  install FEATURE...|--all                  install into the store now
  lock [FEATURE...] [--min-age DAYS]        write annex/FEATURE: a package-lock and its digests
  lock [FEATURE...] --check                 say what no longer agrees with the lock
  refresh                                   install anew what has an entry that no longer fits
  prune [--days N] [--dry-run]              retire entries that were of no use for 14 days, or N
  uninstall FEATURE                         remove its entries from the store, at once
  bake DIRECTORY [FEATURE...]               fill a directory with entries: a layer or volume for ANNEX_STORE
  audit [FEATURE...]                        npm audit over what is in use
  sbom [FEATURE...] [--format FORMAT]       npm sbom over the same: cyclonedx (the default) or spdx
  verify [FEATURE...] [--repair]            compare every file with the lock; install anew what is damaged
  why SPECIFIER [--from FILE] [--require]   which rule answers an import, and with which file
  env                                       the lines for a Dockerfile
  help, --version

The application is the nearest package.json with an "annex" key, or ANNEX_CORE.
Exit codes: 0 done, 1 could not be done, 2 called wrongly.`;

/**
 * The lines of the help about one command; without a command, the whole help.
 *
 * @example findUsage('env') // 'usage: annex env\n  the lines for a Dockerfile'
 */
export const findUsage = (command: string | undefined): string =>
  command === undefined
    ? HELP
    : HELP.split('\n')
        .filter((line) => line.startsWith(`  ${command} `))
        .map((line) => `usage: annex ${line.trimStart().replace(/ {2,}/, '\n  ')}`)
        .join('\n');
