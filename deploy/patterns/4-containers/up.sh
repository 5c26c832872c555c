#!/usr/bin/env bash
# A container for each service, and one for Redis.
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"
# shellcheck source=deploy/patterns/4-containers/containers.sh
source "$PATTERN/containers.sh"

require_docker
require_shop
[[ -e $STATE || -z $(project_containers) ]] ||
  die "bring it up: there are containers of $PROJECT; down.sh by whoever brought them up"
begin
rmdir "$STATE/redis" # its data lie in the container
write_redis_config 0.0.0.0 /data
chmod 0644 "$STATE/redis.conf" # read by another user, in a folder that is ours alone
build_redis
for service in "${SERVICES[@]}"; do
  build_service "$service"
  write_grants "$service"
done
said=$(compose up -d 2>&1) || die "start containers: $said"
wait_for_services
pids() { container_pids; }
ready "http://$(address_of shopfront)" "http://$(address_of checkout)"
