# shellcheck shell=bash
# What up.sh, down.sh and check.sh of all patterns share: where things are, the Redis, what each
# service is granted, how processes are started and ended, and the check. Sourced with PATTERN set
# to the pattern's folder. Everything of a pattern that is up lies in STATE and goes with it.
#
#   BUILD           the build folder with shop/ and patterns/ in it (build/release of the checkout)
#   PORT            of the shopfront; checkout, catalogue, stock, payment and Redis follow, and
#                   behind these the further instances of more.sh (9080)
#   PATTERN_STATE   the folder for what is up, made by up.sh in a folder of yours
#                   (/tmp/subito-patterns-UID/NAME, of root /var/lib/subito-patterns/NAME)
set -euo pipefail

PATTERN=$(cd "$PATTERN" && pwd -P)
NAME=${PATTERN##*/}
ROOT=$(cd "$PATTERN/../../.." && pwd -P)
BUILD=${BUILD:-$ROOT/build/release}
PORT=${PORT:-9080}
states=${TMPDIR:-/tmp}/subito-patterns-$EUID
[[ $EUID != 0 ]] || states=/var/lib/subito-patterns # /run may be noexec, and a node's data are run
STATE=$(realpath -ms -- "${PATTERN_STATE:-$states/$NAME}") # whole, with no slash at its end
readonly PATTERN NAME ROOT BUILD PORT STATE

readonly SERVICES=(catalogue stock payment checkout shopfront)
readonly KEEPERS=(catalogue stock payment checkout) # who has data, and so a user at Redis
readonly STOP_SECONDS_MAX=40                        # a handler may take 30
START_SECONDS_MAX=30                                # a pattern may want more

die() {
  printf '%s: %s\n' "$NAME" "$*" >&2
  exit 1
}

# What STATE says is run with our rights, and ended, and removed: it must be what up.sh of this
# pattern made, in a folder in which nobody else could have put it.
require_own_state() {
  local folder
  for folder in "$(dirname "$STATE")" "$STATE"; do
    [[ ! -L $folder && (! -e $folder || -O $folder) ]] ||
      die "use $folder: it is a link or somebody else's; set PATTERN_STATE to one of yours"
  done
  [[ ! -e $STATE || $(cat "$STATE/pattern" 2>/dev/null) == "$NAME" ]] ||
    die "use $STATE: up.sh of $NAME did not make it; remove it, or set PATTERN_STATE"
}
require_own_state

# require PROGRAM PACKAGE
require() { command -v "$1" >/dev/null || die "use $1: it is not installed; apt-get install $2"; }

require_root() { [[ $EUID == 0 ]] || die "$1 needs root: run it with sudo"; }

require_binaries() {
  local binary
  for binary in "$@"; do
    [[ -x $BUILD/$binary ]] ||
      die "start $BUILD/$binary: it is not there; ./dev build, or set BUILD to a build folder"
  done
}

require_shop() { require_binaries "${SERVICES[@]/#/shop/}"; }

# Where a service listens, for the others and for whoever checks. A pattern may redefine the two.
host_of() { printf 127.0.0.1; }
port_of() {
  case $1 in
    shopfront) printf '%s' "$PORT" ;;
    checkout) printf '%s' "$((PORT + 1))" ;;
    catalogue) printf '%s' "$((PORT + 2))" ;;
    stock) printf '%s' "$((PORT + 3))" ;;
    payment) printf '%s' "$((PORT + 4))" ;;
    redis) printf '%s' "$((PORT + 5))" ;;
  esac
}
# What host_of is where each has an address of its own in the network NET, "10.91.0".
host_in_net() {
  case $1 in
    catalogue) printf '%s.11' "$NET" ;;
    stock) printf '%s.12' "$NET" ;;
    payment) printf '%s.13' "$NET" ;;
    checkout) printf '%s.14' "$NET" ;;
    shopfront) printf '%s.15' "$NET" ;;
    redis) printf '%s.16' "$NET" ;;
  esac
}
address_of() { printf '%s:%s' "$(host_of "$1")" "$(port_of "$1")"; }

# Begins an `up`: a pattern is up once. What fails from here on is taken down again.
begin() {
  require redis-server redis-server
  require curl curl
  [[ ! -e $STATE ]] || die "bring it up: it is up, or was left half; run down.sh"
  [[ -e ${STATE%/*}/ ]] || mkdir -m 700 "${STATE%/*}"
  require_own_state # nobody was quicker
  mkdir -m 700 "$STATE"
  printf '%s\n' "$NAME" >"$STATE/pattern"
  mkdir -m 700 "$STATE/redis"
  trap take_down_a_half EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

take_down_a_half() {
  local status=$?
  [[ $status == 0 ]] || "$PATTERN/down.sh" || true
}

# The password of a user at Redis, made when first asked for.
password_of() {
  local file=$STATE/$1.password
  [[ -s $file ]] ||
    (umask 077 && od -An -tx1 -N16 /dev/urandom | tr -d ' \n' >"$file")
  cat "$file"
}

# redis_config BIND FOLDER: every service has a user, whose rights end at its prefix. The user
# "triggers" reads events and due work of all: a node does that in their place.
redis_config() {
  local keeper all=''
  printf 'bind %s\nport %s\ndir %s\n' "$1" "$(port_of redis)" "$2"
  printf 'save ""\nappendonly yes\nappendfsync everysec\nloglevel warning\n'
  printf 'user default off ~* &* +@all\n'
  for keeper in "${KEEPERS[@]}"; do
    printf 'user %s on >%s ~%s:* &%s:* +@all -@admin -@dangerous\n' \
      "$keeper" "$(password_of "$keeper")" "$keeper" "$keeper"
    all+=" ~$keeper:* &$keeper:*"
  done
  printf 'user triggers on >%s ~*:due ~*:events +@all -@admin -@dangerous\n' \
    "$(password_of triggers)"
  printf 'user shop on >%s%s +@all -@admin -@dangerous\n' "$(password_of shop)" "$all"
}

write_redis_config() { (umask 077 && redis_config "$@" >"$STATE/redis.conf"); }

# A Redis on the address of "redis".
start_redis() {
  write_redis_config "$(host_of redis)" "$STATE/redis"
  start redis redis-server "$STATE/redis.conf"
}

redis_url() { printf 'redis://%s:%s@%s' "$1" "$(password_of "$1")" "$(address_of redis)"; }

# What a node would grant by the manifest, as lines NAME=VALUE.
grants_of() {
  local callee calls=''
  printf 'SETTING_SEED=demo\n'
  [[ $1 == shopfront ]] || printf 'REDIS_URL=%s\n' "$(redis_url "$1")"
  case $1 in
    stock | checkout)
      printf 'REDIS_URL_TRIGGERS=%s\n' "$(redis_url triggers)"
      printf 'TRIGGER_DUE=due %s:due /due\n' "$1"
      ;;
  esac
  case $1 in
    stock) printf 'TRIGGER_PRODUCTS=stream catalogue:events /events\n' ;;
    checkout) printf 'TRIGGER_HISTORY=stream checkout:events /events\n' ;;&
    checkout | shopfront) calls='catalogue stock payment' ;;
  esac
  for callee in $calls; do
    printf 'CALL_%s_URL=http://%s\n' "${callee^^}" "$(address_of "$callee")"
  done
}

write_grants() { (umask 077 && grants_of "$1" >"$STATE/$1.env"); }

# When process $1 started, in ticks since boot: with the pid it names a process for good.
start_time() {
  local line
  { line=$(<"/proc/$1/stat"); } 2>/dev/null && [[ -n $line ]] || return 1 # it may end meanwhile
  line=${line##*) }
  # shellcheck disable=SC2086
  set -- $line
  printf '%s' "${20}"
}

# start NAME COMMAND...: in the background, in a session of its own, with $STATE/NAME.env for its
# environment; its words are in $STATE/NAME.log.
start() {
  local name=$1 line
  shift
  (
    if [[ -e $STATE/$name.env ]]; then
      while IFS= read -r line; do export "${line?}"; done <"$STATE/$name.env"
    fi
    exec setsid "$@"
  ) </dev/null >"$STATE/$name.log" 2>&1 &
  printf '%s %s\n' "$!" "$(start_time "$!")" >"$STATE/$name.pid"
}

# Whether the process of pid file $1 is there.
is_up() {
  local pid started
  [[ -e $1 ]] && read -r pid started <"$1" || return 1
  # No time: it had ended before start() could ask.
  [[ -n $started && $(start_time "$pid") == "$started" ]] &&
    ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null
}

pids() {
  local file pid all=()
  for file in "$STATE"/*.pid; do
    [[ -e $file ]] || continue
    read -r pid _ <"$file"
    all+=("$pid")
  done
  (IFS=, && printf '%s' "${all[*]}")
}

# Ends what start() began: the services, which finish what they do, then Redis and the network that
# they need for it.
stop_processes() {
  local file services=()
  for file in "$STATE"/*.pid; do
    [[ ! -e $file || $file == */redis.pid || $file == */switch.pid ]] || services+=("$file")
  done
  end_processes "${services[@]}"
  end_processes "$STATE/redis.pid"
  end_processes "$STATE/switch.pid"
}

# end_processes FILE...: asks all of these pid files, waits for each, ends what does not yield.
end_processes() {
  local file
  for file in "$@"; do signal TERM "$file"; done
  for file in "$@"; do wait_end "$file"; done
}

# signal NAME FILE: one that ends meanwhile needs none.
signal() { ! is_up "$2" || kill -s "$1" "$(cut -d' ' -f1 "$2")" 2>/dev/null || true; }

wait_end() {
  local tenths
  for ((tenths = 0; tenths < STOP_SECONDS_MAX * 10; tenths++)); do
    is_up "$1" || return 0
    sleep 0.1
  done
  printf '%s: end %s: it did not yield, and is killed\n' "$NAME" "$1" >&2
  signal KILL "$1"
}

# Ends a `down`: nothing stays.
forget() { rm -rf "$STATE"; }

ask() { curl --noproxy '*' -sS --max-time 30 "$@"; }

# wait_for URL NAME: until it answers 200; gives up when its process is gone.
wait_for() {
  local end=$((SECONDS + START_SECONDS_MAX))
  until ask -f "$1" >/dev/null 2>&1; do
    if [[ -e $STATE/$2.pid ]] && ! is_up "$STATE/$2.pid"; then
      tail -n 5 "$STATE/$2.log" >&2
      die "start $2: it ended, see above"
    fi
    ((SECONDS < end)) || die "start $2: no answer from $1 within $START_SECONDS_MAX s"
    sleep 0.05
  done
}

wait_for_services() {
  local service
  for service in "${SERVICES[@]}"; do
    wait_for "http://$(address_of "$service")/health" "$service"
  done
}

# Ends an `up`: fills the shop and says where it is. ready SHOP_URL ORDERS_URL
ready() {
  ask -f -X POST "$1/seed" >/dev/null || die "seed the shop: see above"
  tell "$1" "$2"
}

tell() { printf 'shop=%s orders=%s pids=%s\n' "$1" "$2" "$(pids)" | tee "$STATE/up"; }

# Begins a `release` of $1.
begin_release() {
  [[ " ${SERVICES[*]} " == *" $1 "* ]] || die "release $1: a service is one of ${SERVICES[*]}"
  find_shop
}

# Begins a `more`: $1 is the number of the instance, the catalogue's first being 1.
begin_more() {
  [[ $1 =~ ^([2-9]|10)$ ]] || die "start instance '$1': it is numbered 2 to 10"
  find_shop
  [[ ! -e $STATE/more-$1.pid ]] || die "start instance $1: it was started; down.sh ends it"
}
more_port() { printf '%s' "$((PORT + 5 + $1))"; }

# Sets SHOP and ORDERS of a pattern that is up.
find_shop() {
  local line
  [[ -r $STATE/up ]] || die "find the shop: it is not up; run up.sh"
  read -r line <"$STATE/up"
  SHOP=${line#shop=} SHOP=${SHOP%% *}
  ORDERS=${line#* orders=} ORDERS=${ORDERS%% *}
}

# Asks for the products and places an order; its history shows that events are delivered.
check_shop() {
  local products order id end
  require jq jq
  find_shop
  products=$(ask -f "$SHOP/products") || die "ask $SHOP/products: see above"
  [[ $(jq length <<<"$products") == 5 ]] || die "ask $SHOP/products: not five products: $products"
  jq -e 'all(.amountAvailable != null)' <<<"$products" >/dev/null ||
    die "ask $SHOP/products: stock is away: $products"
  order=$(ask -f -H "Idempotency-Key: $(od -An -tx1 -N8 /dev/urandom | tr -d ' \n')" \
    -d '{"lines":[{"productId":"3","quantity":1}]}' "$ORDERS/orders") ||
    die "place an order at $ORDERS/orders: see above"
  [[ $(jq -r .status <<<"$order") == COMPLETED ]] || die "place an order: $order"
  id=$(jq -r .id <<<"$order")
  end=$((SECONDS + START_SECONDS_MAX))
  until ask -f "$ORDERS/customers/guest/orders" 2>/dev/null |
    jq -e --arg id "$id" 'any(.orders[]; .id == $id)' >/dev/null; do
    ((SECONDS < end)) || die "find order $id in the history of guest: no event came there"
    sleep 0.1
  done
  printf '%s: 5 products, order %s COMPLETED and in the history\n' "$NAME" "$id"
}
