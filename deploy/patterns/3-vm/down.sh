#!/usr/bin/env bash
# Ends the machines and Redis, and removes what up.sh made; the unpacked kernel stays for the next.
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"
stop_processes
forget
