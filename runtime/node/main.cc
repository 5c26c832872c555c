// `subito`: the node and its command line in one binary.
#include "bench/bench.h"
#include "bench/options.h"
#include "bench/simulate/options.h"
#include "bench/simulate/simulate.h"
#include "deploy/cli/cli.h"
#include "runtime/node/up.h"

int main(int argc, char** argv) {
  subito::cli::Hooks hooks;
  hooks.up = subito::node::run_up;
  hooks.doctor = subito::node::run_doctor;
  hooks.bench = subito::bench::run_bench;
  hooks.see_bench = subito::bench::see_bench;
  hooks.simulate = subito::simulate::run_simulate;
  hooks.see_simulate = subito::simulate::see_simulate;
  return subito::cli::cli_main(argc, argv, hooks);
}
