#!/usr/bin/env bash
# Ends what up.sh began: with the processes go their networks and the wires between them.
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"
# shellcheck source=deploy/patterns/1-host/net.sh
source "$PATTERN/net.sh"

[[ -e $STATE ]] || exit 0 # the wire is somebody else's
stop_processes
unplug_outside
forget
