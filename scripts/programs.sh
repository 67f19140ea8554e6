#!/bin/sh
# programs.sh PACKAGE...: installs the Debian packages of these programs, which have the same names, if possible. If they
# are missing, CI fails; elsewhere the tests are skipped.
list_missing() {
  for package; do
    command -v "$package" >/dev/null || printf ' %s' "$package"
  done
}

missing=$(list_missing "$@")
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # a list of names
  { apt-get update -qq && apt-get install -qqy --no-install-recommends $missing; } >/dev/null
  missing=$(list_missing "$@")
fi
if [ -n "$missing" ]; then
  echo "missing programs, without which some tests cannot run:$missing" >&2
  [ -z "$CI" ] || exit 1
fi
exit 0
