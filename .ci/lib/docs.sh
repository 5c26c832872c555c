# shellcheck shell=bash
# ./dev docs

docs_help() {
  cat <<'END'
./dev docs [PRESET]

Makes docs/manifest.md, docs/cli.md and the table at the end of docs/observability.md anew from the
program itself, built with PRESET (release).
A test fails when they differ from what it prints.
END
}

docs_main() {
  local preset=${1:-release} page text
  check_preset "$preset"
  configure_and_build "$preset" subito || return
  for page in manifest cli; do
    text=$("$ROOT/build/$preset/bin/subito" reference "$page") || return
    printf '%s\n' "$text" >"$ROOT/docs/$page.md"
  done
  text=$("$ROOT/build/$preset/bin/subito" reference metrics) || return
  sed -i '/^| metric |/,$d' "$ROOT/docs/observability.md"
  printf '%s\n' "$text" >>"$ROOT/docs/observability.md"
  say "wrote docs/manifest.md, docs/cli.md and the table of docs/observability.md"
}
