#!/usr/bin/env bash
# Tells what the tests left behind on this machine.
#
#   .ci/leftovers.sh snapshot FILE    note what is there before
#   .ci/leftovers.sh check FILE       name what is ours and new; exits 1 if anything is
#
# Ours are: processes whose binary lies in build/ or in a memfd subito*, or in a cgroup of ours;
# Redis servers other than the system's; cgroups, mounts, sockets and files named subito*;
# namespaces of a process of ours, or kept by a mount. A node that ran before, and all that
# descends from it, is not counted.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly ROOT
# The kernel takes cgroups and namespaces apart a little after the last process has gone.
readonly WAIT_TENTHS_MAX=50

# pid, start time and parent: together they name a process for good.
stat_of() {
  local line
  line=$(<"/proc/$1/stat") || return 1
  line=${line##*) }
  # shellcheck disable=SC2086
  set -- "$1" $line
  printf '%s %s %s' "$1" "${21}" "$3"
}

is_ours() {
  local pid=$1 exe cgroup cwd comm
  exe=$(readlink "/proc/$pid/exe") || return 1
  case $exe in "$ROOT"/build/* | /memfd:subito*) return 0 ;; esac
  cgroup=$(<"/proc/$pid/cgroup") || return 1
  [[ $cgroup != */subito-* ]] || return 0
  comm=$(<"/proc/$pid/comm") || return 1
  [[ $comm == redis-server || $comm == subito* ]] || return 1
  cwd=$(readlink "/proc/$pid/cwd") || return 1
  [[ $cwd != /var/lib/redis ]]
}

descends_from_known_node() {
  local pid=$1 facts
  while ((pid > 1)); do
    facts=$(stat_of "$pid") || return 1
    # shellcheck disable=SC2086
    set -- $facts
    if grep -q "^known node $1 $2\$" "$KNOWN"; then return 0; fi
    pid=$3
  done
  return 1
}

processes() {
  local dir pid facts
  for dir in /proc/[0-9]*; do
    pid=${dir#/proc/}
    is_ours "$pid" || continue
    ! descends_from_known_node "$pid" || continue
    facts=$(stat_of "$pid") || continue
    # shellcheck disable=SC2086
    set -- $facts
    printf 'process %s %s %s: %s\n' "$1" "$2" "$(<"$dir/comm")" \
      "$(tr '\0' ' ' <"$dir/cmdline" | cut -c1-120)"
  done
}

things() {
  processes
  find /sys/fs/cgroup -maxdepth 5 -type d -name 'subito-*' -printf 'cgroup %p\n'
  sed -n 's/^[^ ]* [^ ]* [^ ]* \([^ ]*\) \([^ ]*\) .*/mount \2 of \1/p' /proc/self/mountinfo |
    grep -E 'subito|nsfs|(net|mnt|pid|user|ipc|uts|cgroup):\[' || true
  awk '$8 ~ /subito/ {print "socket " $8}' /proc/net/unix
  find /tmp /run /dev/shm -maxdepth 1 -name '*subito*' -printf 'file %p\n'
}

known_nodes() {
  local dir facts
  for dir in /proc/[0-9]*; do
    [[ $(readlink "$dir/exe") == "$ROOT"/build/*/bin/subito* ]] || continue
    facts=$(stat_of "${dir#/proc/}") || continue
    # shellcheck disable=SC2086
    set -- $facts
    printf 'known node %s %s\n' "$1" "$2"
  done
}

# What a node that ran before made since is told by its folder's name alone.
new_things() {
  things 2>/dev/null | sort -u | comm -23 - <(sort -u "$KNOWN") | without_known_nodes
}

without_known_nodes() {
  if grep -q '^known node' "$KNOWN"; then grep -vE '^(cgroup|mount|socket) ' || true; else cat; fi
}

check() {
  local left tenths
  for ((tenths = 0; tenths < WAIT_TENTHS_MAX; tenths++)); do
    left=$(new_things)
    [[ -n $left ]] || break
    sleep 0.1
  done
  if [[ -n $left ]]; then
    printf 'left behind: %s\n' "$left" | sed '2,$s/^/left behind: /' >&2
    return 1
  fi
  echo "nothing was left behind: no process, cgroup, mount, namespace, socket or file of ours"
  if grep -q '^known node' "$KNOWN"; then
    echo "(a node ran before already: cgroups, mounts and sockets were not compared)"
  fi
}

KNOWN=${2:?usage: .ci/leftovers.sh snapshot|check FILE}
case ${1-} in
  snapshot)
    known_nodes >"$KNOWN" 2>/dev/null
    things >"$KNOWN.new" 2>/dev/null
    cat "$KNOWN.new" >>"$KNOWN"
    rm -f "$KNOWN.new"
    ;;
  check) check ;;
  *)
    echo "usage: .ci/leftovers.sh snapshot|check FILE" >&2
    exit 2
    ;;
esac
