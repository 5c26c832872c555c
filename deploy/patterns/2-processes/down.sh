#!/usr/bin/env bash
# Ends what up.sh began, and removes its data.
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"
stop_processes
forget
