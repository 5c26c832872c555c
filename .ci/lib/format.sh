# shellcheck shell=bash
# ./dev format

format_help() {
  cat <<'END'
./dev format [FILE...]

clang-format in place, by .clang-format: the files named, or every C++ file.
END
}

format_main() {
  local files=("$@")
  cd "$ROOT" || return
  # shellcheck source=.ci/lib/setup.sh
  source "$ROOT/.ci/lib/setup.sh"
  require_packages test
  # shellcheck source=.ci/lib/lint.sh
  source "$ROOT/.ci/lib/lint.sh"
  if ((${#files[@]} == 0)); then mapfile -t files < <(cpp_files); fi
  clang-format -i "${files[@]}"
  say "formatted ${#files[@]} files"
}
