#!/usr/bin/env bash
# Puts a service that was built anew in place of the one that is up: release.sh [SERVICE]
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"

service=${1:-catalogue}
begin_release "$service"
require_binaries "shop/$service" bin/subito
export SUBITO_SOCKET=$STATE/api.sock
said=$("$BUILD/bin/subito" deploy -f "$BUILD/shop/$service.yaml" 2>&1) ||
  die "deploy $service: $said"
tell "$SHOP" "$ORDERS"
