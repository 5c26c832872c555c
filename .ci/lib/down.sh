# shellcheck shell=bash
# ./dev down

# shellcheck source=.ci/lib/node.sh
source "$ROOT/.ci/lib/node.sh"

down_help() {
  cat <<'END'
./dev down [--purge] [--data DIR]

Ends the node that ./dev up started: it drains, its pods and its Redis end with it. Safe to repeat.

  --purge     also remove its data: functions, revisions, and everything in its Redis
  --data DIR  the data folder it was started with (.subito in the checkout)
END
}

down_main() {
  local data purge=0 pid
  data=$(data_default)
  while (($# > 0)); do
    case $1 in
      --purge) purge=1 ;;
      --data)
        value --data "${2-}"
        data=$2
        shift
        ;;
      *) bad_option down "$1" ;;
    esac
    shift
  done
  node_paths "$data"
  find_root || die "end node: this needs root, and there is no sudo that works here"
  if pid=$(node_pid); then
    stop_node "$pid"
  else
    say "no node runs on $DATA"
    rm -f "$PIDFILE" 2>/dev/null || "${AS_ROOT[@]}" rm -f "$PIDFILE"
  fi
  if ((purge == 1)); then purge_data; fi
}

# Only a folder that ./dev up made: DIR might have been anything.
purge_data() {
  if [[ ! -e $DATA ]]; then
    say "no data in $DATA"
  elif [[ -e $MARK ]]; then
    "${AS_ROOT[@]}" rm -rf -- "$DATA"
    say "removed $DATA"
  else
    die "remove $DATA: ./dev up did not make it"
  fi
}
