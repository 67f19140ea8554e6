#!/bin/sh
# Installs podman and related Debian packages if possible. If they are missing, CI fails; elsewhere the tests are skipped.
packages='podman buildah runc conmon netavark aardvark-dns iptables mmdebstrap shellcheck s6 execline bindfs docker.io e2fsprogs catatonit ca-certificates'

list_missing() {
  for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf ' %s' "$package"
  done
}

missing=$(list_missing)
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # a list of names
  { apt-get update -qq && apt-get install -qqy --no-install-recommends $missing; } >/dev/null
  missing=$(list_missing)
fi
if [ -n "$missing" ]; then
  echo "containers cannot run here, missing:$missing" >&2
  [ -z "$CI" ] || exit 1
fi
exit 0
