#!/usr/bin/env bash
# Puts a service that was built anew in place of the one that is up: release.sh [SERVICE]
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"
# shellcheck source=deploy/patterns/1-host/net.sh
source "$PATTERN/net.sh"

service=${1:-catalogue}
require_root "making network namespaces"
begin_release "$service"
require_binaries "shop/$service"
end_processes "$STATE/$service.pid"
unplug "$service"
start_apart "$service" "$BUILD/shop/$service" --listen "0.0.0.0:$(port_of "$service")"
plug "$service"
wait_for "http://$(address_of "$service")/health" "$service"
tell "$SHOP" "$ORDERS"
