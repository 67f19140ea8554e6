# What the boot hooks and wrappers share: the application's user, by number, and where services are.
# shellcheck shell=sh disable=SC2034

warn() { printf 'init: %s\n' "$*" >&2; }

# is_id TEXT: a number that a user or group may have, and root's is not.
is_id() {
  case $1 in
    '' | 0* | *[!0-9]* | ??????*) return 1 ;;
  esac
  [ "$1" -le 65534 ]
}

asked_uid=${APP_UID:-${PUID:-10000}}
asked_gid=${APP_GID:-${PGID:-10000}}
uid=10000
gid=10000
if is_id "$asked_uid"; then uid=$asked_uid; fi
if is_id "$asked_gid"; then gid=$asked_gid; fi
if [ "$(id -u)" != 0 ]; then
  uid=$(id -u)
  gid=$(id -g)
elif [ -n "${AGENT_CANNOT_DROP:-}" ]; then
  uid=0
  gid=0
fi
# What s6-svscan supervises. In /tmp, where the user makes it without anybody's help.
services=/tmp/agent

# Whether root may become the application's user: not without CAP_SETUID, nor where that user is not mapped.
may_drop() { /usr/bin/s6-setuidgid "$uid:$gid" /bin/true 2>/dev/null; }
