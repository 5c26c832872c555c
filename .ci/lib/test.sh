# shellcheck shell=bash
# ./dev test: phases one after the other, each with its time; a failing one does not stop the rest.

readonly FUZZ_SECONDS_CI=60
readonly FUZZ_INPUT_SECONDS_MAX=10
readonly FUZZ_MEMORY_MIB_MAX=2048

test_help() {
  cat <<'END'
./dev test [--preset P] [-R REGEX] [-L LABEL] [--coverage] [--fuzz-seconds N] [--vm]
           [--yes]

Installs what the tests need, builds, runs them, tells what failed and what was skipped and why, and
looks for what was left behind: processes, cgroups, mounts, namespaces, sockets.

  --preset P        dev (default), release, asan, tsan, clang
  -R REGEX          only tests whose name matches
  -L LABEL          only tests with that label: unit, system, slow, tidy
  --coverage        preset coverage; a table of lines covered, and under 80 % in runtime, scheduler,
                    autoscaler or deploy is a failure
  --fuzz-seconds N  also each fuzz target for N seconds
  --vm              also the tests of isolation in a virtual machine whose kernel has cgroups of
                    version 2, where this one has version 1 (QEMU by emulation: some minutes)
  --yes             install packages without asking

With CI=true also: shellcheck and format; the virtual machine; everything built by clang, unit
tests under the address, undefined behaviour and thread sanitizers, and each fuzz target for a
minute. System tests need root and say so where they are skipped. Results as JUnit:
build/PRESET/junit.xml
END
}

test_main() {
  local preset=dev coverage=0 fuzz_seconds=0 vm=0 chosen=()
  if in_ci; then fuzz_seconds=$FUZZ_SECONDS_CI vm=1; fi
  while (($# > 0)); do
    case $1 in
      --preset | --fuzz-seconds | -R | -L) value "$1" "${2-}" ;;&
      --preset) preset=$2 ;;
      --fuzz-seconds) fuzz_seconds=$2 ;;
      -R | -L) chosen+=("$1" "$2") ;;
      --coverage) coverage=1 preset=coverage ;;
      --vm) vm=1 ;;
      --yes | -y) YES=1 ;;
      *) bad_option test "$1" ;;
    esac
    case $1 in --preset | --fuzz-seconds | -R | -L) shift 2 ;; *) shift ;; esac
  done
  check_preset "$preset"
  [[ $fuzz_seconds =~ ^[0-9]+$ ]] || die "read --fuzz-seconds: $fuzz_seconds is no number"

  cd "$ROOT" || return
  FAILED=() RESULTS=() PHASE_TIMES=()
  phase packages packages_for_tests
  ((${#FAILED[@]} == 0)) || exit 1
  mkdir -p build
  .ci/leftovers.sh snapshot build/leftovers.known
  main_run "$preset" "$coverage"
  if ((vm == 1)) && ! failed "build $preset"; then
    phase "isolation on cgroups of version 2, in a virtual machine" .ci/vm_test.py "build/$preset"
    RESULTS+=("vm=build/vm/junit.xml")
  fi
  if in_ci; then ci_runs "$fuzz_seconds"; elif ((fuzz_seconds > 0)); then
    phase "build fuzz" configure_and_build fuzz subito_fuzzers &&
      phase "fuzz targets, $fuzz_seconds s each" run_fuzzers "$fuzz_seconds"
  fi
  phase leftovers .ci/leftovers.sh check build/leftovers.known
  closing "$preset"
}

packages_for_tests() {
  # shellcheck source=.ci/lib/setup.sh
  source "$ROOT/.ci/lib/setup.sh"
  require_packages build run test package
  if in_ci && ! command -v dockerd >/dev/null; then require_packages docker; fi
  fetch_axe
}

# phase NAME COMMAND...: runs it, notes its time, and notes it as failed if it was.
phase() {
  local name=$1 start status=0 result
  shift
  start=$(seconds_now)
  title "$name"
  # A subshell: a phase that ends early, ends alone.
  ("$@") || status=$?
  result=$(duration $(($(seconds_now) - start)))
  if ((status != 0)); then
    FAILED+=("$name")
    warn "$name: failed after $result"
    result+='  FAILED'
  fi
  PHASE_TIMES+=("$(printf '%-40s %s' "$name" "$result")")
  return 0
}

main_run() {
  local preset=$1 coverage=$2
  phase "build $preset" configure_and_build "$preset"
  ! failed "build $preset" || return 0
  if ((coverage == 1)); then find "build/$preset" -name '*.gcda' -delete; fi
  phase "tests $preset" run_ctest "$preset" "${chosen[@]}"
  RESULTS+=("$preset=build/$preset/junit.xml")
  if ((coverage == 1)); then phase "coverage" report_coverage; fi
}

# clang, the address sanitizer and the fuzzers share one build: 2 cores have 20 minutes for it all.
ci_runs() {
  local fuzz_seconds=$1
  phase "shell and format" lint_quick
  phase "build fuzz (clang, asan, ubsan): everything" configure_and_build fuzz
  if ! failed "build fuzz (clang, asan, ubsan): everything"; then
    phase "unit tests under asan and ubsan" run_ctest fuzz -L unit
    RESULTS+=("asan=build/fuzz/junit.xml")
    phase "fuzz targets, $fuzz_seconds s each" run_fuzzers "$fuzz_seconds"
  fi
  phase "build tsan: unit tests" configure_and_build tsan subito_unit_tests
  if ! failed "build tsan: unit tests"; then
    phase "unit tests under tsan" run_ctest tsan -L unit
    RESULTS+=("tsan=build/tsan/junit.xml")
  fi
}

failed() {
  local name
  for name in "${FAILED[@]}"; do [[ $name != "$1" ]] || return 0; done
  return 1
}

lint_quick() {
  # shellcheck source=.ci/lib/lint.sh
  source "$ROOT/.ci/lib/lint.sh"
  local status=0
  lint_shell || status=1
  lint_format || status=1
  return "$status"
}

# Sanitizers of these compilers cannot place their shadow memory under a high-entropy layout.
sanitizer_prefix() {
  PREFIX=()
  case $1 in
    asan | tsan | fuzz) if setarch -R true 2>/dev/null; then PREFIX=(setarch -R); fi ;;
  esac
}

# Shows what ctest says but for its closing lines: those are kept for the end of everything.
run_ctest() {
  local preset=$1 log=build/$1/ctest.log
  shift
  rm -f "build/$preset/junit.xml"
  export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
  export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
  sanitizer_prefix "$preset"
  "${PREFIX[@]}" ctest --test-dir "build/$preset" --output-on-failure --no-tests=error \
    --no-label-summary --output-junit "$ROOT/build/$preset/junit.xml" -j "$(nproc)" "$@" 2>&1 |
    tee "$log" | awk '/ tests passed, /{closing = 1} !closing {print; fflush()}'
}

# From ctest's verdict to its time; the lists it prints after are in the summary.
closing_lines() { sed -n '/ tests passed, /,/^Total Test time/p' "build/$1/ctest.log"; }

run_fuzzers() {
  local seconds=$1 fuzzer running=0 status=0 at_once
  at_once=$(nproc)
  mkdir -p build/fuzz/findings build/fuzz/logs
  compgen -G 'build/fuzz/fuzz/*_fuzz' >/dev/null || {
    warn "run fuzz targets: none was built"
    return 1
  }
  sanitizer_prefix fuzz
  for fuzzer in build/fuzz/fuzz/*_fuzz; do
    if ((running++ >= at_once)); then wait -n || status=1; fi
    run_fuzzer "$fuzzer" "$seconds" &
  done
  while ((running-- > 0)); do wait -n || { (($? == 127)) || status=1; }; done
  return "$status"
}

# Seeds lie beside the source in NAME_corpus; what is found on the way stays in build/.
run_fuzzer() {
  local fuzzer=$1 seconds=$2 name log seeds=()
  name=$(basename "$fuzzer")
  log=build/fuzz/logs/$name.log
  mkdir -p "build/fuzz/corpus/$name"
  mapfile -t seeds < <(find runtime deploy scheduler autoscaler -type d -name "${name}_corpus")
  if "${PREFIX[@]}" "$fuzzer" -max_total_time="$seconds" -timeout="$FUZZ_INPUT_SECONDS_MAX" \
    -rss_limit_mb="$FUZZ_MEMORY_MIB_MAX" -print_final_stats=1 \
    -artifact_prefix="build/fuzz/findings/$name-" "build/fuzz/corpus/$name" "${seeds[@]}" \
    >"$log" 2>&1 </dev/null; then
    say "$name: $(sed -n 's/^Done \(.*\)/\1/p' "$log")," \
      "$(grep -oE 'cov: [0-9]+ ft: [0-9]+ corp: [^ ]+' "$log" | tail -n 1)"
  else
    warn "$name: found something; input and log: build/fuzz/findings/$name-* $log"
    tail -n 30 "$log" >&2
    return 1
  fi
}

report_coverage() {
  gcovr --root . --object-directory build/coverage --exclude 'build/' \
    --filter '(runtime|scheduler|autoscaler|deploy)/' -j "$(nproc)" \
    --json-summary build/coverage/coverage.json build/coverage 2>build/coverage/gcovr.log || {
    tail -n 5 build/coverage/gcovr.log >&2
    return 1
  }
  .ci/coverage.py build/coverage/coverage.json
}

# The last screen: times, counts, reasons; and ctest's own verdict at the very end.
closing() {
  local existing=() result
  title "phases"
  printf '%s\n' "${PHASE_TIMES[@]}"
  title "tests"
  for result in "${RESULTS[@]}"; do [[ ! -s ${result#*=} ]] || existing+=("$result"); done
  if ((${#existing[@]} > 0)); then .ci/summary.py "${existing[@]}"; fi
  if ((${#FAILED[@]} > 0)); then warn "failed: $(printf '%s; ' "${FAILED[@]}")"; fi
  if ((${#existing[@]} > 0)) && [[ ${existing[0]} == "$1="* ]]; then
    say ""
    closing_lines "$1"
  fi
  ((${#FAILED[@]} == 0)) || exit 1
}
