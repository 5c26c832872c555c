# shellcheck shell=bash
# ./dev clean

clean_help() {
  cat <<'END'
./dev clean [PRESET...]

Removes build/, or build/PRESET alone. The data of ./dev up stays: ./dev down --purge removes that.
END
}

clean_main() {
  local preset
  cd "$ROOT" || return
  for preset in "$@"; do
    check_preset "$preset"
    rm -rf "build/$preset"
    say "removed build/$preset"
  done
  if (($# == 0)); then
    rm -rf build
    say "removed build"
  fi
}
