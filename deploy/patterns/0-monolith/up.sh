#!/usr/bin/env bash
# One process with all services, and its Redis.
PATTERN=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=deploy/patterns/lib.sh
source "$PATTERN/../lib.sh"

# Redis is asked as one user: in one process there is no border to keep.
grants_of_monolith() {
  printf 'SETTING_SEED=demo\nREDIS_URL=%s\n' "$(redis_url shop)"
  printf 'TRIGGER_STOCK_DUE=due stock:due /function/stock/due\n'
  printf 'TRIGGER_PRODUCTS=stream catalogue:events /function/stock/events\n'
  printf 'TRIGGER_CHECKOUT_DUE=due checkout:due /function/checkout/due\n'
  printf 'TRIGGER_HISTORY=stream checkout:events /function/checkout/events\n'
}

require_binaries patterns/monolith
begin
start_redis
(umask 077 && grants_of_monolith >"$STATE/monolith.env")
start monolith "$BUILD/patterns/monolith" --listen "$(address_of shopfront)"
url=http://$(address_of shopfront)
wait_for "$url/health" monolith
ready "$url" "$url"
