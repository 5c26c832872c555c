# shellcheck shell=bash
# ./dev package

package_help() {
  cat <<'END'
./dev package

Builds the release preset and makes the Debian package of it: the node with its command line, the
SDK that functions are built with, a systemd unit, manual and shell completion. It is written to
build/package/. To install it: sudo apt install ./build/package/subito_*.deb (nothing is started).
The same files without a package: cmake --install build/release --prefix FOLDER
END
}

package_main() {
  (($# == 0)) || bad_option package "$1"
  cd "$ROOT" || return
  # shellcheck source=.ci/lib/setup.sh
  source "$ROOT/.ci/lib/setup.sh"
  require_packages build package
  configure_and_build release subito subito_launcher subito_package_sdk
  rm -rf build/package
  local log=build/release/package.log
  cpack --config build/release/CPackConfig.cmake -B build/package >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "make package: cpack failed; see $log"
  }
  rm -rf build/package/_CPack_Packages
  say "made $(echo build/package/*.deb), $(du -h build/package/*.deb | cut -f1)"
  say "install it: sudo apt install ./build/package/subito_*.deb"
}
