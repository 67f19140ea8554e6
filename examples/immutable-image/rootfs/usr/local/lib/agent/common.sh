# Shared by the boot hooks and wrappers: the application's user, as a number, and the scan directory.
# shellcheck shell=sh disable=SC2034

warn() { printf 'init: %s\n' "$*" >&2; }

# is_id TEXT: whether it is a user or group number other than root's.
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
# Scan directory of s6-svscan. In /tmp, where the user can create it without root.
services=/tmp/agent

# Whether root can change to the application's user: not without CAP_SETUID, or where that user is not mapped.
may_drop() { /usr/bin/s6-setuidgid "$uid:$gid" /bin/true 2>/dev/null; }
