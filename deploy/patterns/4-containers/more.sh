#!/usr/bin/env bash
# Starts a further instance of the catalogue, 2 to 10, and says where: more.sh NUMBER
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"
# shellcheck source=deploy/patterns/4-containers/containers.sh
source "$PATTERN/containers.sh"

require_docker
begin_more "${1-}"
host=$NET.$((20 + $1))
said=$(run_more "more-$1" "$host" -d 2>&1) || die "start instance $1: $said"
wait_for "http://$host:8080/health" "more-$1"
printf 'instance=http://%s:8080\n' "$host"
