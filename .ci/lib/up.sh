# shellcheck shell=bash
# ./dev up: from a clone to a shop that sleeps at zero.

# shellcheck source=.ci/lib/node.sh
source "$ROOT/.ci/lib/node.sh"
# shellcheck source=.ci/lib/setup.sh
source "$ROOT/.ci/lib/setup.sh"

up_help() {
  cat <<'END'
./dev up [--port N] [--data DIR] [--detach] [--yes]

Installs what is missing, builds the release preset, starts a node with a Redis of its own, deploys
and seeds the shop, and tells what to try. Stays in the foreground: Ctrl-C ends the node, its pods
and its Redis; the data stay.

  --port N    listen on 127.0.0.1:N (8080)
  --data DIR  where everything is kept (.subito in the checkout)
  --detach    return when the shop is there; ./dev down ends it
  --yes       install packages without asking

Needs root, or sudo for the node: pods are made of namespaces and cgroups.
END
}

up_main() {
  local port=$PORT_DEFAULT data
  data=$(data_default)
  DETACH=0
  while (($# > 0)); do
    case $1 in
      --port | --data) value "$1" "${2-}" ;;&
      --port) port=$2 ;;
      --data) data=$2 ;;
      --detach | -d) DETACH=1 ;;
      --yes | -y) YES=1 ;;
      *) bad_option up "$1" ;;
    esac
    case $1 in --port | --data) shift 2 ;; *) shift ;; esac
  done
  if [[ ! $port =~ ^[0-9]{1,5}$ ]] || ((10#$port < 1 || 10#$port > 65535)); then
    die "read --port: $port is not a port from 1 to 65535"
  fi

  require_packages build run
  local start
  start=$(seconds_now)
  find_root || die "start node: this needs root, and there is no sudo that works here"
  node_paths "$data"
  refuse_second_node
  refuse_foreign_data
  refuse_taken_port "$port"
  title "build"
  configure_and_build release subito shop function_hello
  title "node"
  mkdir -p "$DATA"
  : >>"$MARK"
  end_with_us
  launch "$port"
  fill_shop "$port"
  tell_what_to_try "$port" "$start"
  stay
}

refuse_second_node() {
  local pid
  if pid=$(node_pid); then
    die "start node: one runs on $DATA already, pid $pid; ./dev down ends it"
  fi
}

# What --purge may remove bears our mark: a folder that we make, or that was empty.
refuse_foreign_data() {
  local held
  [[ -e $DATA && ! -e $MARK ]] || return 0
  held=$(ls -A -- "$DATA") || die "look into $DATA: see above"
  [[ -z $held ]] || die "keep data in $DATA: it holds what ./dev up did not make;" \
    "choose another folder with --data"
}

refuse_taken_port() {
  local owner
  owner=$(port_owner "$1")
  [[ -z $owner ]] || die "listen on port $1: taken by ${owner#* } (pid ${owner%% *});" \
    "end it, or choose another with --port"
}

# Whatever ends us before the shop stands, ends the node; in the foreground also afterwards.
end_with_us() {
  NODE=
  trap 'end_node' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# Its pid may not be written yet.
end_node() {
  local pid tenths
  trap '' INT TERM HUP
  [[ -n $NODE ]] || return 0
  for ((tenths = 0; tenths < PID_SECONDS_MAX * 10; tenths++)); do
    if pid=$(node_pid); then
      stop_node "$pid"
      return
    fi
    ! has_ended "$NODE" || return 0
    sleep 0.1
  done
  stop_node "$NODE"
}

launch() {
  local tenths
  rm -f "$PIDFILE"
  if [[ $DETACH == 1 ]]; then
    start_node "$1" </dev/null >"$NODE_LOG" 2>&1 &
  else
    start_node "$1" </dev/null &
  fi
  NODE=$!
  for ((tenths = 0; tenths < START_SECONDS_MAX * 10; tenths++)); do
    curl_node "$1" /healthz >/dev/null 2>&1 && return 0
    ! has_ended "$NODE" || start_failed "it ended"
    sleep 0.1
  done
  start_failed "it did not answer within $START_SECONDS_MAX s"
}

start_failed() {
  if [[ $DETACH == 1 ]]; then tail -n 20 "$NODE_LOG" >&2; fi
  die "start node: $1"
}

fill_shop() {
  local said
  said=$(deploy_shop 2>&1) || die "deploy shop: $said"
  grep -E '^[a-z]+ (revision|is )' <<<"$said" || true
  seed_shop "$1" >/dev/null || die "seed shop: see above"
  curl_node "$1" /function/shopfront/products >/dev/null ||
    die "ask shop: no answer to the first request"
}

tell_what_to_try() {
  local base=http://127.0.0.1:$1 client data='' took
  client="${AS_ROOT[*]}${AS_ROOT:+ }build/release/bin/subito"
  took=$(($(seconds_now) - $2))
  if [[ $DATA != "$(data_default)" ]]; then
    data=" --data $DATA"
    client+=" --socket $DATA/api.sock"
  fi
  say ""
  say "${GREEN}The shop is open: $took s from start to the first served request.$PLAIN"
  say "Look at it in a browser: $base/"
  say "Try, in another terminal:"
  say "  curl -i $base/products"
  say "  curl -X POST $base/orders -H 'Idempotency-Key: my-first' \\"
  say "    -d '{\"lines\":[{\"productId\":\"3\",\"quantity\":1}]}'"
  say "  $client get pods -w"
  if [[ $DETACH == 1 ]]; then
    say "It runs on in the background (log: $NODE_LOG). To end it: ./dev down$data"
  else
    say "Ctrl-C ends it; the data stay in $DATA."
  fi
}

stay() {
  if [[ $DETACH == 1 ]]; then
    trap - EXIT
    return 0
  fi
  # Returns early when a trap has run.
  local status=0
  wait "$NODE" || status=$?
  die "run node: it ended by itself, status $status"
}
