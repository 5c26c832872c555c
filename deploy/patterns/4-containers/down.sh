#!/usr/bin/env bash
# Removes the containers, their network and their images.
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"
# shellcheck source=deploy/patterns/4-containers/containers.sh
source "$PATTERN/containers.sh"

[[ -e $STATE ]] || exit 0
require_docker
# Compose reads them, also where up.sh did not come so far.
for service in "${SERVICES[@]}"; do touch "$STATE/$service.env"; done
remove_more
said=$(compose down --rmi all --timeout "$STOP_SECONDS_MAX" 2>&1) ||
  die "remove containers: $said"
forget
