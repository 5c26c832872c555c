#!/usr/bin/env bash
# A virtual machine for each service; Redis is a process of this host.
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"
# shellcheck source=deploy/patterns/3-vm/vm.sh
source "$PATTERN/vm.sh"

require qemu-system-x86_64 qemu-system-x86
require busybox busybox-static
require_shop
begin
fetch_kernel
accelerator=$(accelerator)
start_redis
for service in "${SERVICES[@]}"; do
  host_of() { printf '%s' "$HOST_IN_GUEST"; } # for what it is granted
  write_grants "$service"
  host_of() { printf 127.0.0.1; }
  make_image "$service"
  boot "$service" "$accelerator"
done
wait_for_services
printf '%s: machines run by %s\n' "$NAME" "$accelerator"
ready "http://$(address_of shopfront)" "http://$(address_of checkout)"
