# shellcheck shell=bash
# ./dev build

build_help() {
  cat <<'END'
./dev build [PRESET] [--target NAME]...

Configures and compiles a preset of CMakePresets.json into build/PRESET. PRESET is release unless
named: dev, release, asan, tsan, clang, fuzz, coverage. ccache is used where it is installed.
END
}

build_main() {
  local preset=release targets=()
  while (($# > 0)); do
    case $1 in
      --target)
        value --target "${2-}"
        targets+=("$2")
        shift
        ;;
      -*) bad_option build "$1" ;;
      *) preset=$1 ;;
    esac
    shift
  done
  check_preset "$preset"
  # shellcheck source=.ci/lib/setup.sh
  source "$ROOT/.ci/lib/setup.sh"
  require_packages build
  configure_and_build "$preset" "${targets[@]}"
}
