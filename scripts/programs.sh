#!/bin/sh
# programs.sh PACKAGE...: installs Debian packages that tests need, if possible; a program of the same name will do. If some
# are missing, CI fails; elsewhere those tests are skipped.
list_missing() {
  for package; do
    command -v "$package" >/dev/null ||
      dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
      printf ' %s' "$package"
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
  echo "missing packages, without which some tests cannot run:$missing" >&2
  [ -z "$CI" ] || exit 1
fi
exit 0
