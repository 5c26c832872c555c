#!/usr/bin/env bash
# Puts a service that was built anew in place of the one that is up: release.sh [SERVICE]
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"
# shellcheck source=deploy/patterns/4-containers/containers.sh
source "$PATTERN/containers.sh"

service=${1:-catalogue}
require_docker
begin_release "$service"
require_binaries "shop/$service"
build_service "$service"
said=$(compose up -d --no-deps --force-recreate --timeout "$STOP_SECONDS_MAX" "$service" 2>&1) ||
  die "start $service: $said"
wait_for "http://$(address_of "$service")/health" "$service"
pids() { container_pids; }
tell "$SHOP" "$ORDERS"
