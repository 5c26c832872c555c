#include "bench/suites/suite_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "bench/peers/peer.h"
#include "bench/suites/measured_functions.h"

namespace subito::bench {

namespace {

constexpr const char* kAllFunctions = "all";

std::vector<std::string> with_all(std::vector<std::string> names) {
  names.emplace_back(kAllFunctions);
  return names;
}

void set_slice(SuiteOptions& options, const std::string& text) {
  options.slice = duration_or_throw("--slice", text);
  if (options.slice < kSliceMin) {
    throw CLI::ValidationError("--slice", "is " + text + ", allowed is a time from 50ms on");
  }
}

}  // namespace

void add_functions(CLI::App& command, std::vector<std::string>& functions, const char* words,
                   const std::vector<std::string>& known) {
  command
      .add_option_function<std::vector<std::string>>(
          "--function",
          [&functions, known](const std::vector<std::string>& names) {
            const auto named = [&names](const std::string& name) {
              return std::find(names.begin(), names.end(), name) != names.end();
            };
            functions.clear();
            for (const std::string& name : known) {
              if (named(name) || named(kAllFunctions)) functions.push_back(name);
            }
          },
          words)
      ->delimiter(',')
      ->check(CLI::IsMember(with_all(known)))
      ->type_name("NAMES");
}

namespace {

void add_self_check(CLI::App& app, SelfCheckOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "self-check", "Whether our load generator agrees with wrk and h2load, on nginx");
  command.add_option("--connections", options.connections, "of each of them")
      ->check(CLI::Range(std::uint32_t{1}, kConnectionsMax))
      ->capture_default_str();
  add_slices(command, options);
}

// What a warm suite can have beside nginx.
std::vector<std::string> warm_peer_names() {
  std::vector<std::string> names;
  for (const PeerPlan& plan : peer_plans()) {
    if (plan.kind != PeerKind::kFork) names.emplace_back(plan.name);
  }
  return names;
}

void add_peer_names(CLI::App& command, std::vector<std::string>& peers) {
  std::vector<std::string> allowed = warm_peer_names();
  allowed.insert(allowed.begin(), {"all", "nginx"});
  command
      .add_option_function<std::vector<std::string>>(
          "--peers",
          [&peers](const std::vector<std::string>& names) {
            const auto named = [&names](const char* name) {
              return std::find(names.begin(), names.end(), name) != names.end();
            };
            peers.clear();
            for (const std::string& name : warm_peer_names()) {
              if (named(name.c_str()) || named("all")) peers.push_back(name);
            }
          },
          "beside nginx: haproxy, h2o, caddy, workerd, functions-framework, or all; "
          "see `subito bench peers`")
      ->delimiter(',')
      ->check(CLI::IsMember(allowed))
      ->type_name("NAMES");
}

void add_throughput(CLI::App& app, ThroughputOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "throughput", "Warm requests a second and CPU time a request, beside nginx");
  command.add_option("--connections", options.connections, "how many at once, each measured")
      ->delimiter(',')
      ->check(CLI::Range(std::uint32_t{1}, kConnectionsMax));
  add_peer_names(command, options.peers);
  command.add_flag("--observed", options.observed,
                   "instead of nginx: what metrics, logs and 1 % of traces cost a node");
  add_slices(command, options);
  add_pool(command, options);
}

void add_latency(CLI::App& app, LatencyOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "latency", "Percentiles of warm answers at a fixed rate (open loop), beside nginx");
  CLI::Option* rate =
      command.add_option("--rate", options.per_second, "requests a second; else by --percents")
          ->check(CLI::Range(std::uint32_t{1}, kPerSecondMax));
  command
      .add_option("--percents", options.percents,
                  "of what the slower of Subito and its reference can do, measured first")
      ->delimiter(',')
      ->check(CLI::Range(1, 95))
      ->excludes(rate);
  command.add_option("--connections", options.connections, "at most at once")
      ->check(CLI::Range(std::uint32_t{1}, kConnectionsMax))
      ->capture_default_str();
  add_peer_names(command, options.peers);
  add_slices(command, options);
  add_pool(command, options);
}

void add_chain(CLI::App& app, ChainOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "chain", "A function calls a function: by the node, process to process, by the gateway");
  command.add_option("--connections", options.connections, "chains at once, each measured")
      ->delimiter(',')
      ->check(CLI::Range(std::uint32_t{1}, kConnectionsMax));
  add_slices(command, options);
  add_pool(command, options);
}

void add_start_functions(CLI::App& command, StartOptions& options) {
  add_functions(command, options.functions,
                "what to start: empty, catalogue, heavy, json, or all; else empty", kFunctionNames);
}

// What the suites of starts take.
template <typename Options>
void add_rounds(CLI::App& command, Options& options) {
  CLI::Option* rounds =
      command.add_option("--rounds", options.rounds, "each: every row once, from zero pods")
          ->check(CLI::Range(std::uint32_t{1}, kRoundsMax))
          ->capture_default_str();
  command
      .add_flag_callback(
          "--quick", [&options] { options.rounds = kQuickRounds; },
          "3 rounds: under 2 minutes, and rough")
      ->excludes(rounds);
  command.add_option("--seed", options.seed, "of the order of rows; else a random one");
}

void add_burst(CLI::App& app, BurstOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "burst", "From no pod to N calls at one moment, within and beyond what is kept ready");
  command.add_option("--at-once", options.at_once, "how many calls, each measured")
      ->delimiter(',')
      ->check(CLI::Range(std::uint32_t{1}, kBurstMost));
  add_rounds(command, options);
  add_functions(command, options.functions,
                "what to start: empty, catalogue, heavy, json, held, or all; else empty and held",
                kBurstFunctionNames);
  add_output(command, options);
  add_pool(command, options);
}

void add_churn(CLI::App& app, ChurnOptions& options) {
  CLI::App& command =
      *app.add_subcommand("churn", "Pods started and ended a second, sustained, by start mode");
  command
      .add_option_function<std::string>(
          "--time",
          [&options](const std::string& text) { options.time = duration_or_throw("--time", text); },
          "of each start mode in a round: 1s, 10s; else 3s")
      ->type_name("TIME");
  command.add_option("--connections", options.connections, "callers at once")
      ->check(CLI::Range(std::uint32_t{1}, kConnectionsMax))
      ->capture_default_str();
  command.add_option("--pods", options.pods, "most pods of the function")
      ->check(CLI::Range(std::uint32_t{1}, kDensityPodsMax))
      ->capture_default_str();
  add_rounds(command, options);
  add_start_functions(command, options);
  add_output(command, options);
  add_pool(command, options);
}

void add_density(CLI::App& app, DensityOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "density", "Memory of an idle pod by the kernel's own accounts, and pods per GiB");
  command.add_option("--pods", options.pods, "idle pods of each start mode")
      ->check(CLI::Range(std::uint32_t{1}, kDensityPodsMax))
      ->capture_default_str();
  add_start_functions(command, options);
  add_output(command, options);
  add_pool(command, options);
}

}  // namespace

void add_slices(CLI::App& command, SuiteOptions& options) {
  CLI::Option* rounds =
      command.add_option("--rounds", options.rounds, "each: a pair of slices for every peer")
          ->check(CLI::Range(std::uint32_t{1}, kRoundsMax))
          ->capture_default_str();
  CLI::Option* slice =
      command
          .add_option_function<std::string>(
              "--slice", [&options](const std::string& text) { set_slice(options, text); },
              "time of one slice: 300ms, 2s; else 1s")
          ->type_name("TIME");
  command
      .add_flag_callback(
          "--quick",
          [&options] {
            options.quick = true;
            options.rounds = kQuickRounds;
            options.slice = kQuickSlice;
          },
          "3 rounds of 300 ms: under 2 minutes, and rough")
      ->excludes(rounds)
      ->excludes(slice);
  command.add_option("--seed", options.seed, "of the order of slices; else a random one");
  add_output(command, options);
}

void add_suites(CLI::App& app, SuiteCommands& commands) {
  add_self_check(app, commands.self_check);
  add_throughput(app, commands.throughput);
  add_latency(app, commands.latency);
  add_chain(app, commands.chain);
  add_burst(app, commands.burst);
  add_churn(app, commands.churn);
  add_density(app, commands.density);
}

}  // namespace subito::bench
