#!/usr/bin/env bash
# A simulated host for each service, and one for Redis: a network of its own behind a virtual wire.
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"
# shellcheck source=deploy/patterns/1-host/net.sh
source "$PATTERN/net.sh"

require_root "making network namespaces"
require ip iproute2
require_shop
[[ -e $STATE ]] || ! ip link show "$OUTSIDE" >/dev/null 2>&1 ||
  die "bring it up: there is a network interface $OUTSIDE; ip link delete $OUTSIDE"
begin
lay_switch
plug_outside
write_redis_config 0.0.0.0 "$STATE/redis" # the address comes after the process
start_apart redis redis-server "$STATE/redis.conf"
plug redis
for service in "${SERVICES[@]}"; do
  write_grants "$service"
  start_apart "$service" "$BUILD/shop/$service" --listen "0.0.0.0:$(port_of "$service")"
  plug "$service"
done
wait_for_services
ready "http://$(address_of shopfront)" "http://$(address_of checkout)"
