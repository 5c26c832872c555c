# shellcheck shell=bash
# ./dev lint

lint_help() {
  cat <<'END'
./dev lint [--all | --quick] [FILE...]

The house style (.ci/tidy.py), shellcheck, clang-format in check mode, and clang-tidy (.clang-tidy)
over the C++ files that differ from the last commit but one on origin, or from HEAD without one.

  --all     clang-tidy over every file (minutes)
  --quick   no clang-tidy
  FILE...   clang-tidy over these
END
}

lint_main() {
  local mode=changed files=() status=0
  while (($# > 0)); do
    case $1 in
      --all | --quick) mode=${1#--} ;;
      -*) bad_option lint "$1" ;;
      *) files+=("$1") ;;
    esac
    shift
  done
  cd "$ROOT" || return
  # shellcheck source=.ci/lib/setup.sh
  source "$ROOT/.ci/lib/setup.sh"
  require_packages build test
  title "house style"
  .ci/tidy.py || status=1
  title "shellcheck"
  lint_shell || status=1
  title "clang-format"
  lint_format || status=1
  if [[ $mode != quick ]]; then
    title "clang-tidy"
    if ((${#files[@]} == 0)); then mapfile -t files < <("${mode}_sources"); fi
    lint_cpp "${files[@]}" || status=1
  fi
  return "$status"
}

cpp_files() {
  find runtime scheduler autoscaler deploy functions bench -type f \
    \( -name '*.h' -o -name '*.cc' -o -name '*.c' \) | sort
}

lint_shell() {
  local scripts
  mapfile -t scripts < <(find .ci deploy -name '*.sh' | sort)
  shellcheck -x dev .ci/run "${scripts[@]}" && say "shell: ${#scripts[@]} files and ./dev are fine"
}

lint_format() {
  local files
  mapfile -t files < <(cpp_files)
  clang-format --dry-run --Werror "${files[@]}" || {
    warn "check format: see above; ./dev format mends it"
    return 1
  }
  say "format: ${#files[@]} files are fine"
}

all_sources() { cpp_files | grep '\.cc$'; }

changed_sources() {
  local base=HEAD
  git rev-parse -q --verify origin/HEAD >/dev/null && base=$(git merge-base HEAD origin/HEAD)
  { git diff --name-only --diff-filter=d "$base" && git ls-files -o --exclude-standard; } |
    grep '\.cc$' | sort -u || true
}

lint_cpp() {
  if (($# == 0)); then
    say "no C++ file has changed; --all looks at every one"
    return 0
  fi
  # Generated headers must be there, so the files' own targets are built first.
  configure_and_build dev >build/lint.log 2>&1 || {
    tail -n 20 build/lint.log >&2
    return 1
  }
  printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" clang-tidy -p build/dev --quiet || return 1
  say "clang-tidy: $# files are fine"
}
