#!/usr/bin/env bash
# Starts a further instance of the catalogue, 2 to 10, and says where: more.sh NUMBER
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"

require_binaries shop/catalogue
begin_more "${1-}"
cp -p "$STATE/catalogue.env" "$STATE/more-$1.env"
address=127.0.0.1:$(more_port "$1")
start "more-$1" "$BUILD/shop/catalogue" --listen "$address"
wait_for "http://$address/health" "more-$1"
tell "$SHOP" "$ORDERS" >/dev/null
printf 'instance=http://%s\n' "$address"
