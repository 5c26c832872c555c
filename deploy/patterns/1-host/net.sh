# shellcheck shell=bash
# The network of this pattern, sourced after lib.sh: a network namespace for each service and for
# Redis, each behind a virtual wire to a switch, which has a namespace too. All of it lives as long
# as the processes in it; nothing has a name outside.
#
#   NET   the first three numbers of the addresses (10.91.0)
NET=${NET:-10.91.0}
readonly OUTSIDE=subito-shop # the end of the wire on this host

host_of() { if [[ $1 == outside ]]; then printf '%s.1' "$NET"; else host_in_net "$1"; fi; }
port_of() { if [[ $1 == redis ]]; then printf 6379; else printf 80; fi; }

pid_of() { cut -d' ' -f1 "$STATE/$1.pid"; }

# start_apart NAME COMMAND...: in a network namespace of its own.
start_apart() {
  local tenths
  start "$1" unshare --net "${@:2}"
  for ((tenths = 0; tenths < 50; tenths++)); do
    [[ $(readlink "/proc/$(pid_of "$1")/ns/net") == "$(readlink /proc/self/ns/net)" ]] || return 0
    sleep 0.1
  done
  die "start $1: it has no network namespace of its own; see $STATE/$1.log"
}

# within NAME COMMAND...: on the host of NAME.
within() { nsenter --net="/proc/$(pid_of "$1")/ns/net" "${@:2}"; }

lay_switch() {
  start_apart switch sleep infinity
  within switch ip link add name switch type bridge
  within switch ip link set switch up
}

# A host's card keeps its number when the host is started anew: the others remember it.
card_of() {
  local numbers
  IFS=. read -ra numbers <<<"$(host_of "$1")"
  printf '02:42:%02x:%02x:%02x:%02x' "${numbers[@]}"
}

# plug NAME: a wire from the switch to the host of NAME.
plug() {
  within switch ip link add name "$1" type veth peer name eth0 address "$(card_of "$1")" \
    netns "$(pid_of "$1")"
  within switch ip link set "$1" master switch up
  within "$1" ip address add "$(host_of "$1")/24" dev eth0
  within "$1" ip link set eth0 up
  within "$1" ip link set lo up
}

# unplug NAME: the wire goes with the host, but when the kernel finds the time.
unplug() { within switch ip link delete "$1" 2>/dev/null || true; }

plug_outside() {
  ip link add name "$OUTSIDE" type veth peer name outside netns "$(pid_of switch)"
  within switch ip link set outside master switch up
  ip address add "$(host_of outside)/24" dev "$OUTSIDE"
  ip link set "$OUTSIDE" up
}

# It may go meanwhile, with the switch at its other end.
unplug_outside() {
  ip link delete "$OUTSIDE" 2>/dev/null || ! ip link show "$OUTSIDE" >/dev/null 2>&1
}
