#!/usr/bin/env bash
# A Subito node with the shop on it: every service is a function, asleep until somebody asks.
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"

require_root "making pods"
require_shop
require_binaries bin/subito
begin
rmdir "$STATE/redis" # the node has a Redis of its own
start node "$BUILD/bin/subito" up --listen "$(address_of shopfront)" \
  --data "$STATE/data" --socket "$STATE/api.sock"
url=http://$(address_of shopfront)
wait_for "$url/healthz" node
said=$(SUBITO_SOCKET=$STATE/api.sock "$BUILD/bin/subito" deploy -f "$BUILD/shop" 2>&1) ||
  die "deploy the shop: $said"
ready "$url" "$url"
