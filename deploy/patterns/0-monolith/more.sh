#!/usr/bin/env bash
# Starts a further monolith, 2 to 10, and says where: more.sh NUMBER
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"

require_binaries patterns/monolith
begin_more "${1-}"
cp -p "$STATE/monolith.env" "$STATE/more-$1.env"
address=127.0.0.1:$(more_port "$1")
start "more-$1" "$BUILD/patterns/monolith" --listen "$address"
wait_for "http://$address/health" "more-$1"
tell "$SHOP" "$ORDERS" >/dev/null
printf 'instance=http://%s\n' "$address"
