// `subito`: the node and its command line in one binary.
#include "bench/bench.h"
#include "bench/options.h"
#include "deploy/cli/cli.h"
#include "runtime/node/up.h"

int main(int argc, char** argv) {
  subito::cli::Hooks hooks;
  hooks.up = subito::node::run_up;
  hooks.doctor = subito::node::run_doctor;
  hooks.bench = subito::bench::run_bench;
  hooks.see_bench = subito::bench::see_bench;
  return subito::cli::cli_main(argc, argv, hooks);
}
