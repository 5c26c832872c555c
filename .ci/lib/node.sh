# shellcheck shell=bash
# What ./dev up and ./dev down know about a node: where its data lie, which process it is, how to
# start it, what to deploy and how to ask it. The command lines of subito stand here and nowhere
# else.
# shellcheck disable=SC2034  # used by those who source it

readonly PORT_DEFAULT=8080
readonly START_SECONDS_MAX=30
readonly STOP_SECONDS_MAX=20
readonly PID_SECONDS_MAX=5 # from a launch to the pid in PIDFILE

# Sets the paths of the node whose data folder is $1.
node_paths() {
  DATA=$(realpath -m -- "$1")
  PIDFILE=$DATA/dev.pid
  NODE_LOG=$DATA/dev.log
  MARK=$DATA/.made-by-dev-up
  SUBITO=$ROOT/build/release/bin/subito
}

data_default() { printf '%s' "$ROOT/.subito"; }

# The node's pid, if there is a node: a number in a file may be anybody's by now.
node_pid() {
  local pid exe
  [[ -r $PIDFILE ]] || return 1
  pid=$(<"$PIDFILE")
  [[ $pid =~ ^[1-9][0-9]*$ ]] || return 1
  exe=$("${AS_ROOT[@]}" readlink "/proc/$pid/exe" 2>/dev/null) || return 1
  # After a new build the old binary is there, but deleted.
  [[ ${exe% (deleted)} == "$ROOT"/build/*/bin/subito ]] || return 1
  printf '%s' "$pid"
}

# start_node PORT, in the background: replaces that shell, so that $! is node or sudo and nothing of
# ours stands between. In a session of its own, so that Ctrl-C reaches it through us alone. (Under
# sudo setsid may lead a process group: it forks then, and has to wait.) In the foreground it gets
# SIGTERM when its parent dies, which is ./dev for root, and sudo for others.
start_node() {
  local port=$1 tie=()
  if [[ $DETACH == 0 ]]; then tie=(setpriv --pdeathsig TERM); fi
  # shellcheck disable=SC2016  # for the inner shell
  exec "${AS_ROOT[@]}" setsid --wait "${tie[@]}" sh -c 'echo $$ >"$1"; shift; exec "$@"' \
    sh "$PIDFILE" \
    "$SUBITO" up --listen "127.0.0.1:$port" --data "$DATA" --socket "$DATA/api.sock"
}

# The client finds the node by its socket, which only the node's owner can open.
subito_client() { "${AS_ROOT[@]}" env "SUBITO_SOCKET=$DATA/api.sock" "$SUBITO" "$@"; }

# Binaries and manifests lie side by side where they were built.
deploy_shop() { subito_client deploy -f "$ROOT/build/release/shop"; }

seed_shop() { curl_node "$1" /function/shopfront/seed -X POST; }

# curl_node PORT PATH [OPTION...]: quiet, bounded, fails on an HTTP error.
curl_node() { curl --noproxy '*' -fsS --max-time 10 "http://127.0.0.1:$1$2" "${@:3}"; }

# Whether process $1 has ended.
has_ended() { [[ ! -e /proc/$1 ]] || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }

# stop_node PID: asks, waits, ends. Says how it went.
stop_node() {
  local pid=$1 tenths
  "${AS_ROOT[@]}" kill -TERM "$pid" 2>/dev/null || true
  for ((tenths = 0; tenths < STOP_SECONDS_MAX * 10; tenths++)); do
    if has_ended "$pid"; then
      "${AS_ROOT[@]}" rm -f "$PIDFILE"
      say "ended the node (pid $pid)"
      return 0
    fi
    sleep 0.1
  done
  "${AS_ROOT[@]}" kill -KILL "$pid" 2>/dev/null || true
  "${AS_ROOT[@]}" rm -f "$PIDFILE"
  warn "end node: pid $pid did not end within $STOP_SECONDS_MAX s and was killed;" \
    "the next start clears what it left"
}

# Who listens on TCP port $1: "pid name", or "0 unknown" if the process cannot be seen; nothing when
# the port is free. Read from /proc, as root, who sees every process.
port_owner() {
  local hex inodes inode fd
  printf -v hex '%04X' "$1"
  inodes=$(awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port {print $10}' \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null)
  [[ -n $inodes ]] || return 0
  for inode in $inodes; do
    fd=$("${AS_ROOT[@]}" find /proc/[0-9]*/fd -lname "socket:\[$inode\]" -print -quit \
      2>/dev/null) || true
    [[ -n $fd ]] || continue
    fd=${fd#/proc/}
    printf '%s %s' "${fd%%/*}" "$(<"/proc/${fd%%/*}/comm")"
    return 0
  done
  printf '0 unknown'
}
