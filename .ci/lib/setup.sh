# shellcheck shell=bash
# ./dev setup: Debian packages, and for tests one file from npm: no service is started, no kernel
# setting changed.

readonly POLICY=/usr/sbin/policy-rc.d
readonly POLICY_KEPT=/usr/sbin/policy-rc.d.before-subito
readonly POLICY_MARK='made by ./dev setup of subito'
readonly LISTS_AGE_MAX_MINUTES=1440
readonly SERVICES=(redis-server prometheus) # packages that start a service of their name

# What the test of the shop's page finds faults of access with: one file of an npm package.
readonly AXE_VERSION=4.14.1
readonly AXE_SHA512=1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b73\
4f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5
readonly AXE_URL=https://registry.npmjs.org/axe-core/-/axe-core-$AXE_VERSION.tgz

setup_help() {
  cat <<'END'
./dev setup [--tests | --all] [--yes]

Installs the Debian 12 packages that are missing, with apt-get and without recommended ones. Tells
what and how much first, then asks. What it needs to build and run the shop, and with

  --tests   also what the tests need: clang, sanitizers, fuzzing, coverage, shellcheck, runc, crun,
            a browser; and ./dev package; and axe-core from npm, into .cache of the checkout
  --all     everything named in .ci/packages (the same today)
  --yes     do not ask (CI=true means yes as well)

Starts no system service: while packages are installed, a temporary /usr/sbin/policy-rc.d forbids
it, and whatever stood there is put back. A redis-server or prometheus that setup installed is not
started at boot either; one that was there before is left as it is. Changes no kernel setting. Needs
root or sudo.
END
}

setup_main() {
  local sets=(build run)
  YES=${YES:-0}
  while (($# > 0)); do
    case $1 in
      --tests | --all) sets=(build run test package) ;;
      --yes | -y) YES=1 ;;
      *) bad_option setup "$1" ;;
    esac
    shift
  done
  is_debian_12 || {
    tell_what_is_needed "${sets[@]}"
    exit 1
  }
  recover_services
  install_missing "${sets[@]}"
  if [[ " ${sets[*]} " == *" test "* ]]; then fetch_axe; fi
}

# For the other subcommands: installs what is missing of these sets, silent when nothing is.
require_packages() {
  if is_debian_12; then
    recover_services
    [[ -z $(missing_packages "$@") ]] || install_missing "$@"
  elif [[ -z ${SUBITO_PACKAGES_TOLD:-} ]]; then
    SUBITO_PACKAGES_TOLD=1
    warn "this is not Debian 12: going on with what is installed; ./dev setup lists what is needed"
  fi
}

is_debian_12() {
  [[ -r /etc/os-release ]] && command -v dpkg-query >/dev/null || return 1
  # shellcheck source=/dev/null
  (source /etc/os-release && [[ ${ID:-} == debian && ${VERSION_ID:-} == 12* ]])
}

packages_of() {
  local set
  for set in "$@"; do sed -n "s/^$set //p" "$ROOT/.ci/packages"; done
}

missing_packages() {
  local wanted
  wanted=$(packages_of "$@")
  # shellcheck disable=SC2086  # one word a package
  comm -23 <(sort <<<"$wanted") \
    <(dpkg-query -W -f='${Package} ${db:Status-Status}\n' $wanted 2>/dev/null |
      sed -n 's/ installed$//p' | sort)
}

# Without it the test goes on and says what it did not look for.
fetch_axe() {
  local folder=$ROOT/.cache/axe-core-$AXE_VERSION part
  [[ ! -e $folder/axe.min.js ]] || return 0
  part=$(mktemp -d)
  if curl -fsSL --max-time 60 -o "$part/axe.tgz" "$AXE_URL" &&
    sha512sum --check --status <<<"$AXE_SHA512  $part/axe.tgz" &&
    tar -xzf "$part/axe.tgz" -C "$part" package/axe.min.js package/LICENSE; then
    mkdir -p "$folder"
    mv "$part"/package/* "$folder"
    say "axe-core $AXE_VERSION is there"
  else
    warn "fetch $AXE_URL: it did not come, or it is not what was expected"
  fi
  rm -rf "$part"
}

tell_what_is_needed() {
  warn "install packages: this is not Debian 12, whose names and versions I know"
  say "Needed: Linux on x86-64, a C++20 compiler (g++ 12 or clang 14), CMake 3.25, Redis 7, and the"
  say "development files of what these Debian packages hold:"
  packages_of "$@" | tr '\n' ' ' | fold -s -w 90 | sed 's/^/  /'
  say ""
}

install_missing() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)); then
    say "every package is there ($(packages_of "$@" | wc -l) looked for)"
    return 0
  fi
  say "missing packages, ${#missing[@]}:"
  fold -s -w 90 <<<"${missing[*]}" | sed 's/^/  /'
  may_ask || die "install packages: no terminal to ask on; say --yes (or CI=true)"
  find_root || die "install packages: this needs root, and there is no sudo that works here; as" \
    "root: apt-get install --no-install-recommends ${missing[*]}"
  refresh_lists
  tell_sizes "${missing[@]}"
  confirm "Install them?" || die "install packages: you said no; nothing was changed"
  install_packages "${missing[@]}"
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} == 0)) || die "install packages: still missing: ${missing[*]}"
  say "every package is there"
}

# Lists of today are good enough (apt-get update works in partial/); a new container has none.
refresh_lists() {
  local lists=/var/lib/apt/lists asked
  asked=$(find "$lists/partial" -maxdepth 0 -mmin "-$LISTS_AGE_MAX_MINUTES" 2>/dev/null || true)
  if [[ -n $asked ]] && compgen -G "$lists/*_Packages*" >/dev/null; then return 0; fi
  say "fetching package lists (apt-get update)"
  "${AS_ROOT[@]}" apt-get -qq update || die "fetch package lists: apt-get update failed"
}

# --print-uris installs nothing. (--assume-no would: apt-get asks nothing where nothing is drawn in
# besides what was named.)
tell_sizes() {
  local plan
  plan=$(LC_ALL=C apt-get install --print-uris --no-install-recommends -o Debug::NoLocking=1 \
    "$@" 2>&1 || true)
  grep -E '^(Need to get|After this operation|[0-9]+ upgraded)' <<<"$plan" ||
    die "plan packages: apt-get: $(tail -n 3 <<<"$plan")"
}

install_packages() {
  local service
  NEW_SERVICES=()
  for service in "${SERVICES[@]}"; do
    is_installed "$service" || NEW_SERVICES+=("$service")
  done
  # Things are put back however this ends. bash runs a trap only when apt-get has ended: never
  # while a package could still start its service.
  trap after_installation EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  services_forbid
  "${AS_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends -o DPkg::Lock::Timeout=120 "$@" ||
    die "install packages: apt-get failed"
  after_installation
  trap - EXIT INT TERM HUP
}

is_installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# Whoever asks us to end now, waits.
after_installation() {
  trap '' INT TERM HUP
  services_allow
  local service
  for service in "${NEW_SERVICES[@]}"; do
    if is_installed "$service"; then not_at_boot "$service"; fi
  done
}

# Debian asks policy-rc.d before a package's script starts a service; 101 means no.
services_forbid() {
  services_allow
  if [[ -e $POLICY ]]; then
    local answer=0
    "$POLICY" redis-server start >/dev/null 2>&1 || answer=$?
    # What is there already says no: leave it alone.
    ((answer != 101)) || return 0
    "${AS_ROOT[@]}" mv "$POLICY" "$POLICY_KEPT"
  fi
  printf '#!/bin/sh\n# %s, removed when it ends: pid %d\nexit 101\n' "$POLICY_MARK" $$ |
    "${AS_ROOT[@]}" tee "$POLICY" >/dev/null
  "${AS_ROOT[@]}" chmod 755 "$POLICY"
}

# What a setup that was killed has left: no service of this machine could be started any more.
recover_services() {
  local pid
  if policy_is_ours; then
    pid=$(sed -n 's/^# .* pid //p' "$POLICY")
    [[ -z $pid || ! -e /proc/$pid ]] || return 0 # of a setup that runs now
  elif [[ ! -e $POLICY_KEPT || -e $POLICY ]]; then
    return 0
  fi
  find_root || die "remove $POLICY, left by a setup that was killed: this needs root"
  services_allow
  say "put $POLICY right: a setup that was killed had left it"
}

policy_is_ours() { [[ -f $POLICY ]] && grep -q "$POLICY_MARK" "$POLICY"; }

# Removes our own policy and puts the former one back.
services_allow() {
  if policy_is_ours; then "${AS_ROOT[@]}" rm -f "$POLICY"; fi
  if [[ -e $POLICY_KEPT && ! -e $POLICY ]]; then "${AS_ROOT[@]}" mv "$POLICY_KEPT" "$POLICY"; fi
}

# The node starts a Redis of its own, a test a Prometheus: those of the packages are to stay off.
not_at_boot() {
  if command -v systemctl >/dev/null; then
    "${AS_ROOT[@]}" systemctl --quiet disable "$1.service" >/dev/null 2>&1 || true
  else
    "${AS_ROOT[@]}" deb-systemd-helper disable "$1.service" >/dev/null 2>&1 || true
    "${AS_ROOT[@]}" update-rc.d "$1" disable >/dev/null 2>&1 || true
  fi
  if compgen -G "/etc/systemd/system/*.wants/$1.service" >/dev/null; then
    warn "$1 will start at boot: switch it off with: systemctl disable $1"
  else
    say "$1 was installed, not started, and will not start at boot"
  fi
}
