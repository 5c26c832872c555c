# shellcheck shell=bash
# What the subcommands of ./dev share. Sourced; ROOT is the checkout.
# shellcheck disable=SC2034  # used by those who source it

if [[ -t 1 ]]; then
  BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' PLAIN=$'\e[0m'
else
  BOLD='' RED='' GREEN='' PLAIN=''
fi

say() { printf '%s\n' "$*"; }
title() { printf '%s== %s%s\n' "$BOLD" "$*" "$PLAIN"; }
warn() { printf '%sdev: %s%s\n' "$RED" "$*" "$PLAIN" >&2; }
die() {
  warn "$@"
  exit 1
}

# Wrong usage has an exit status of its own.
bad_option() {
  warn "$1: read option $2: not one of mine; see ./dev $1 --help"
  exit 2
}

# The value of option $1, which is $2 if there is one: value --port "${2-}".
value() {
  [[ -n ${2-} ]] || {
    warn "read option $1: it needs a value"
    exit 2
  }
}

wants_help() {
  local word
  for word in "$@"; do
    [[ $word == -h || $word == --help ]] && return 0
  done
  return 1
}

in_ci() { [[ ${CI:-} == true || ${CI:-} == 1 ]]; }

seconds_now() { printf '%(%s)T' -1; }

# 75 -> 1 min 15 s
duration() {
  local s=$1
  if ((s < 60)); then printf '%d s' "$s"; else printf '%d min %02d s' $((s / 60)) $((s % 60)); fi
}

# Asks; --yes (YES=1) and CI mean yes; without a terminal there is no one to ask.
may_ask() { [[ ${YES:-0} == 1 ]] || in_ci || [[ -t 0 ]]; }
confirm() {
  if [[ ${YES:-0} == 1 ]] || in_ci; then return 0; fi
  local answer
  read -r -p "$1 [y/N] " answer || return 1
  [[ $answer == [yY]* ]]
}

# AS_ROOT is the prefix for what needs root: nothing for root itself, else sudo.
find_root() {
  AS_ROOT=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || return 1
    # Without a terminal sudo cannot ask for a password.
    [[ -t 0 ]] || sudo -n true 2>/dev/null || return 1
    AS_ROOT=(sudo)
  fi
}

# The presets a command may name; hidden ones are not listed.
check_preset() {
  local known
  known=$(sed -n '/"buildPresets"/,/\]/s/.*"name": "\([a-z]*\)".*/\1/p' "$ROOT/CMakePresets.json")
  grep -qx -- "$1" <<<"$known" ||
    die "use preset $1: it is not one of:" "$(tr '\n' ' ' <<<"$known")"
}

# configure_and_build PRESET [TARGET...]: ninja tells its progress with the seconds gone.
configure_and_build() {
  local preset=$1 start targets=()
  shift
  if (($# > 0)); then targets=(--target "$@"); fi
  start=$(seconds_now)
  (
    cd "$ROOT"
    mkdir -p "build/$preset"
    cmake --preset "$preset" >"build/$preset/configure.log" 2>&1 || {
      cat "build/$preset/configure.log" >&2
      exit 1
    }
    NINJA_STATUS='[%f/%t %es] ' cmake --build --preset "$preset" "${targets[@]}"
  ) || {
    warn "build preset $preset: failed after $(duration $(($(seconds_now) - start)))"
    return 1
  }
  say "built preset $preset in $(duration $(($(seconds_now) - start)))"
}
