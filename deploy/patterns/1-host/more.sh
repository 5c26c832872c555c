#!/usr/bin/env bash
# Starts a further instance of the catalogue, 2 to 10, and says where: more.sh NUMBER
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"
# shellcheck source=deploy/patterns/1-host/net.sh
source "$PATTERN/net.sh"

require_root "making network namespaces"
require_binaries shop/catalogue
begin_more "${1-}"
cp -p "$STATE/catalogue.env" "$STATE/more-$1.env"
host_of() { printf '%s.%s' "$NET" "$((20 + ${1#more-}))"; }
start_apart "more-$1" "$BUILD/shop/catalogue" --listen 0.0.0.0:80
plug "more-$1"
wait_for "http://$(host_of "$1")/health" "more-$1"
tell "$SHOP" "$ORDERS" >/dev/null
printf 'instance=http://%s:80\n' "$(host_of "$1")"
