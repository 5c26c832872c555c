#include "bench/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "bench/suites/measured_functions.h"

namespace subito::bench {

namespace {

// "fresh" stands for "fresh" and "fresh-new", as a column whose name goes on behind a dash.
void keep_modes(ColdStartOptions& options, const std::vector<std::string>& modes) {
  std::erase_if(options.columns, [&](const std::string& column) {
    const bool ours = by_node(column);
    const std::string mode = column.substr(0, column.find('-'));
    return ours && std::find(modes.begin(), modes.end(), mode) == modes.end();
  });
}

void add_common(CLI::App& command, CommonOptions& options) {
  add_output(command, options);
  command.add_option("--binary", options.binary, "a function to use instead of the tiny echo")
      ->check(CLI::ExistingFile)
      ->type_name("PATH");
  add_pool(command, options);
}

void add_cold_start(CLI::App& app, ColdStartOptions& options, std::vector<std::string>& modes) {
  CLI::App& command = *app.add_subcommand(
      "cold-start", "Request to answer with no pod there before, beside bare processes");
  command.add_option("-n", options.count, "starts of each kind")
      ->check(CLI::Range(std::uint32_t{1}, kCountMax))
      ->capture_default_str();
  command.add_option("--mode", modes, "fresh, pooled, template or several")
      ->delimiter(',')
      ->check(CLI::IsMember(kStartModes));
  command.add_option("--only", options.columns, "time these columns only")
      ->delimiter(',')
      ->check(CLI::IsMember(kColumnNames));
  command
      .add_option_function<std::string>(
          "--idle",
          [&options](const std::string& text) { options.idle = duration_or_throw("--idle", text); },
          "rest before each start: 0s, 250ms, 5s")
      ->type_name("TIME");
  command.add_flag("--quiet", options.quiet,
                   "rest 100 ms at least, and on while other work takes over 10 % of the machine");
  command.add_option("--path", options.path, "what --binary is asked for, by GET")
      ->capture_default_str();
  command.add_option("--node", options.node_socket, "API socket of a running node to use")
      ->type_name("SOCKET");
  command
      .add_flag("--cold-cache", options.cold_cache,
                "drop the function's file from the page cache before each start")
      ->excludes("--node");
  command
      .add_flag("--after-deploy", options.after_deploy,
                "deploy a new binary before each start by the node")
      ->excludes("--node");
  command.add_option("--seed", options.seed, "of the order of starts; else a random one");
  command
      .add_flag("--breakdown", options.breakdown,
                "instead: each step of a start's isolation by itself, without node and HTTP")
      ->excludes("--node")
      ->excludes("--cold-cache")
      ->excludes("--after-deploy")
      ->excludes("--idle")
      ->excludes("--quiet")
      ->excludes("--only")
      ->excludes("--mode")
      ->excludes("--seed");
  add_common(command, options);
  add_functions(command, options.functions,
                "what to start: empty, catalogue, heavy, json, or all; else the tiny echo",
                kFunctionNames);
  command.get_option("--function")->excludes("--binary")->excludes("--path")->excludes("--node");
  command.get_option("--breakdown")->excludes("--function");
}

void add_idle_cost(CLI::App& app, IdleCostOptions& options) {
  CLI::App& command =
      *app.add_subcommand("idle-cost", "Memory of an idle node, and of functions asleep on it");
  command.add_option("--functions", options.functions, "functions to deploy")
      ->check(CLI::Range(std::uint32_t{1}, kFunctionsMax))
      ->capture_default_str();
  add_common(command, options);
}

void add_fairness(CLI::App& app, FairnessOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "fairness", "What a function notices of another one that is flooded, on a node of their own");
  command.add_option("--rounds", options.rounds, "each: quiet alone, then beside the flood")
      ->check(CLI::Range(std::uint32_t{1}, kRoundsMax))
      ->capture_default_str();
  command
      .add_option_function<std::string>(
          "--time",
          [&options](const std::string& text) { options.time = duration_or_throw("--time", text); },
          "of each half of a round: 500ms, 4s")
      ->type_name("TIME");
  command.add_option("--rate", options.per_second, "requests a second to the quiet function")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  command.add_option("--burn", options.burn_ms, "CPU time that each request takes, ms")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  command.add_option("--pods", options.pods, "most pods of the flooded function")
      ->check(CLI::Range(std::uint32_t{1}, kPodsMax))
      ->capture_default_str();
  command.add_option("--seed", options.seed, "of the bootstrap; else a random one");
  add_common(command, options);
}

void add_step(CLI::App& app, StepOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "step", "From no pod to many calls at once and back to none, on a node of their own");
  command.add_option("--rounds", options.rounds, "each: the calls, then zero pods again")
      ->check(CLI::Range(std::uint32_t{1}, kRoundsMax))
      ->capture_default_str();
  command.add_option("--concurrent", options.concurrent, "calls at once")
      ->check(CLI::Range(std::uint32_t{1}, kConcurrentMax))
      ->capture_default_str();
  command.add_option("--burn", options.burn_ms, "CPU time that each call takes, ms")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  command.add_option("--pods", options.pods, "most pods of the function; else as many as calls")
      ->check(CLI::Range(std::uint32_t{1}, kPodsMax));
  command.add_option("--seed", options.seed, "of the bootstrap; else a random one");
  add_common(command, options);
}

void add_shop(CLI::App& app, ShopOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "shop", "The shop under the mix of a shop's traffic, and whether its books add up after it");
  const auto mode = [&options](ShopOptions::Mode asked) {
    return [&options, asked] { options.mode = asked; };
  };
  CLI::Option* original =
      command.add_flag_callback("--original", mode(ShopOptions::Mode::kOriginal),
                                "instead / and /products in turn, from zero pods");
  command
      .add_flag_callback("--latency", mode(ShopOptions::Mode::kLatency),
                         "instead an order and a first page, each beside an empty function")
      ->excludes(original);
  command.add_option("--shop", options.shop, "the built shop; else that beside the program")
      ->type_name("FOLDER");
  command.add_option("--rate", options.per_second, "requests a second")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  command
      .add_option_function<std::string>(
          "--time",
          [&options](const std::string& text) { options.time = duration_or_throw("--time", text); },
          "how long: 10s, 2m; else 30s")
      ->type_name("TIME");
  command.add_option("--rounds", options.rounds, "of --latency: 10 warm turns and a sleep each")
      ->check(CLI::Range(std::uint32_t{1}, kRoundsMax))
      ->capture_default_str();
  command.add_option("--seed", options.seed, "of all that is drawn; else a random one");
  add_common(command, options);
}

// The help of the subcommand that was named, if one was.
std::string help_of(CLI::App& app) {
  const auto named = app.get_subcommands();
  return named.empty() ? app.help() : named.front()->help("subito bench");
}

// The parser and what it fills in.
struct BenchParser {
  BenchParser() {
    app.require_subcommand(1);
    app.set_help_flag("-h,--help", "this help");
    add_cold_start(app, cold_start, modes);
    add_idle_cost(app, idle_cost);
    add_fairness(app, fairness);
    add_step(app, step);
    add_shop(app, shop);
    add_suites(app, suites);
    add_page(app, page);
    add_compare(app, compare);
    add_peers(app, peers);
    add_patterns(app, patterns);
  }
  CLI::App app{"Measure this machine's Subito", "subito bench"};
  ColdStartOptions cold_start;
  IdleCostOptions idle_cost;
  FairnessOptions fairness;
  StepOptions step;
  ShopOptions shop;
  SuiteCommands suites;
  PageOptions page;
  CompareOptions compare;
  PeersOptions peers;
  PatternsOptions patterns;
  std::vector<std::string> modes = kStartModes;
};

// The one that was named, if one of the suites was, or one of those that measure nothing.
void take_other(BenchParser& parser, BenchCommand& command) {
  const auto take = [&parser](const char* name, auto& from, auto& to) {
    if (parser.app.got_subcommand(name)) to = std::move(from);
  };
  take("self-check", parser.suites.self_check, command.self_check);
  take("throughput", parser.suites.throughput, command.throughput);
  take("latency", parser.suites.latency, command.latency);
  take("chain", parser.suites.chain, command.chain);
  take("burst", parser.suites.burst, command.burst);
  take("churn", parser.suites.churn, command.churn);
  take("density", parser.suites.density, command.density);
  take("page", parser.page, command.page);
  take("compare", parser.compare, command.compare);
  take("peers", parser.peers, command.peers);
  take("patterns", parser.patterns, command.patterns);
}

}  // namespace

void see_bench(const std::function<void(CLI::App&)>& see) {
  BenchParser parser;
  see(parser.app);
}

Result<BenchCommand> parse_bench(std::vector<std::string> arguments) {
  BenchParser parser;
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  try {
    parser.app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    return Error{ErrorCode::kCancelled, help_of(parser.app), 0};
  } catch (const CLI::ParseError& error) {
    return Error{ErrorCode::kInvalidArgument, error.what(), 0};
  }
  BenchCommand command;
  if (parser.app.got_subcommand("idle-cost")) {
    command.idle_cost = std::move(parser.idle_cost);
  } else if (parser.app.got_subcommand("fairness")) {
    command.fairness = std::move(parser.fairness);
  } else if (parser.app.got_subcommand("step")) {
    command.step = std::move(parser.step);
  } else if (parser.app.got_subcommand("shop")) {
    command.shop = std::move(parser.shop);
  } else if (parser.app.got_subcommand("cold-start")) {
    keep_modes(parser.cold_start, parser.modes);
    command.cold_start = std::move(parser.cold_start);
  } else {
    take_other(parser, command);
  }
  return command;
}

}  // namespace subito::bench
