#!/usr/bin/env bash
# Asks the shop that up.sh brought up for its products, and places an order.
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"
check_shop
