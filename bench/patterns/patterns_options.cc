#include "bench/patterns/patterns_options.h"

#include <CLI/CLI.hpp>

namespace subito::bench {

void add_patterns(CLI::App& app, PatternsOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "patterns", "The shop deployed six ways, from monolith to functions: when to use which");
  command.add_option("--only", options.only, "these, by their numbers: 0,2,5")
      ->delimiter(',')
      ->check(CLI::IsMember(kPatternNumbers));
  command.add_flag_callback(
      "--no-build", [&options] { options.build = false; },
      "leave out how long a change of the source takes");
  command.add_option("--connections", options.connections, "of the closed loop")
      ->check(CLI::Range(std::uint32_t{1}, kConnectionsMax))
      ->capture_default_str();
  command.add_option("--rate", options.per_second, "requests a second of the open loop")
      ->check(CLI::Range(std::uint32_t{10}, std::uint32_t{10'000}))
      ->capture_default_str();
  command.add_option("--prices", options.prices, "prices of machines, containers and functions")
      ->type_name("FILE");
  command
      .add_option("--checkout", options.checkout,
                  "with deploy/patterns in it; else that of the program's build folder")
      ->type_name("FOLDER");
  add_slices(command, options);
}

}  // namespace subito::bench
