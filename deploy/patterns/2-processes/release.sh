#!/usr/bin/env bash
# Puts a service that was built anew in place of the one that is up: release.sh [SERVICE]
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"

service=${1:-catalogue}
begin_release "$service"
require_binaries "shop/$service"
end_processes "$STATE/$service.pid"
start "$service" "$BUILD/shop/$service" --listen "$(address_of "$service")"
wait_for "http://$(address_of "$service")/health" "$service"
tell "$SHOP" "$ORDERS"
