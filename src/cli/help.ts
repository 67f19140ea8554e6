/** The help, and the usage of one command for invalid arguments. */

/** The complete help. */
export const HELP = `usage: annex COMMAND [--json]

  add NAME[@RANGE]... [--feature FEATURE]   declare packages in the nearest package.json
  remove NAME... [--feature FEATURE]        undo add: declaration and lock
  list                                      every feature: packages, range, location, version, size
  install FEATURE...|--all                  install into the store now
  lock [FEATURE...] [--min-age DAYS]        write annex/FEATURE: a package-lock and its digests
  lock [FEATURE...] --check                 report what no longer matches the lock
  refresh                                   reinstall features whose entry no longer fits
  prune [--days N] [--dry-run]              retire entries without a use for 14 days, or N
  uninstall FEATURE                         remove its entries from the store, at once
  bake DIRECTORY [FEATURE...]               fill a directory with entries: a layer or volume for ANNEX_STORE
  audit [FEATURE...]                        npm audit of the packages in use
  sbom [FEATURE...] [--format FORMAT]       npm sbom of them: cyclonedx (default) or spdx
  verify [FEATURE...] [--repair]            compare every file with the lock; reinstall damaged features
  why SPECIFIER [--from FILE] [--require]   the rule that answers an import, and the file
  config                                    every setting: value, origin, and what is invalid
  env                                       the lines for a Dockerfile
  help, --version

The application is the nearest package.json with an "annex" key, or ANNEX_CORE.
Exit codes: 0 done, 1 failed, 2 invalid arguments.`;

/**
 * The lines of the help about one command; without a command, the complete help.
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
