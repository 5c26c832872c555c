#!/usr/bin/env bash
# A process for each service, and a Redis, all on this host.
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"

require_shop
begin
start_redis
for service in "${SERVICES[@]}"; do
  write_grants "$service"
  start "$service" "$BUILD/shop/$service" --listen "$(address_of "$service")"
done
wait_for_services
ready "http://$(address_of shopfront)" "http://$(address_of checkout)"
