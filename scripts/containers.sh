#!/bin/sh
# Installs podman and related Debian packages if possible: see programs.sh.
exec sh "$(dirname "$0")/programs.sh" podman buildah runc conmon netavark aardvark-dns iptables mmdebstrap shellcheck s6 \
  execline bindfs docker.io e2fsprogs catatonit ca-certificates
