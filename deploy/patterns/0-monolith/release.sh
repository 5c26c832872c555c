#!/usr/bin/env bash
# Puts a monolith that was built anew in place of the one that is up.
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"

require_binaries patterns/monolith
begin_release "${1:-catalogue}"
end_processes "$STATE/monolith.pid"
start monolith "$BUILD/patterns/monolith" --listen "$(address_of shopfront)"
wait_for "$SHOP/health" monolith
tell "$SHOP" "$ORDERS"
