#include "bench/bench.h"

#include <cstdio>
#include <optional>

#include "bench/breakdown.h"
#include "bench/cold_start.h"
#include "bench/fairness.h"
#include "bench/idle_cost.h"
#include "bench/interrupt.h"
#include "bench/machine.h"
#include "bench/options.h"
#include "bench/patterns/patterns.h"
#include "bench/report.h"
#include "bench/shop/shop.h"
#include "bench/step.h"
#include "bench/suites/burst.h"
#include "bench/suites/chain.h"
#include "bench/suites/churn.h"
#include "bench/suites/density.h"
#include "bench/suites/latency.h"
#include "bench/suites/self_check.h"
#include "bench/suites/throughput.h"

namespace subito::bench {

namespace {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kInterrupted = 130;  // as a shell tells SIGINT

int complain(const Error& error) {
  std::fprintf(stderr, "subito bench: %s\n", error.message.c_str());
  return Interrupt::happened() ? kInterrupted : kFailed;
}

// What was told to --report is told to the screen too.
int tell(const std::string& title, const std::string& text, const nlohmann::ordered_json& json,
         bool as_json, const std::string& report) {
  std::printf("%s\n", as_json ? json.dump(2).c_str() : text.c_str());
  if (report.empty()) return kOk;
  if (const auto written = write_report(report, title, text, json); !written) {
    return complain(written.error());
  }
  return kOk;
}

int cold_start(const ColdStartOptions& options, const std::string& command) {
  const Machine machine = describe_machine(own_program());
  const auto measured = measure_cold_start(options);
  if (!measured) return complain(measured.error());
  const ColdStartResult& result = *measured;
  const ColdStartReport report{options, result, machine, command};
  const int told =
      tell("Cold start", to_text(report), to_json(report), options.json, options.report);
  if (result.interrupted) return kInterrupted;
  if (options.check && !promises_kept(report)) return kFailed;
  return result.errors() > 0 ? kFailed : told;
}

int idle_cost(const IdleCostOptions& options, const std::string& command) {
  const Machine machine = describe_machine(own_program());
  const auto result = measure_idle_cost(options);
  if (!result) return complain(result.error());
  const int told = tell("Idle cost", to_text(*result, machine, command),
                        to_json(*result, machine, command), options.json, options.report);
  return options.check && !promises_kept(*result) ? kFailed : told;
}

// One whose answers may be wrong.
template <typename Outcome, typename Options>
int run_loaded(const char* title, Result<Outcome> (*measure)(const Options&),
               const Options& options, const std::string& command) {
  const Machine machine = describe_machine(own_program());
  const auto result = measure(options);
  if (!result) return complain(result.error());
  const int told = tell(title, to_text(*result, machine, command),
                        to_json(*result, machine, command), options.json, options.report);
  if (options.check && !promises_kept(*result)) return kFailed;
  return result->errors() > 0 ? kFailed : told;
}

// One that an interrupt ends early, with what there is.
template <typename Outcome, typename Options>
int run_interruptible(const char* title, Result<Outcome> (*measure)(const Options&),
                      const Options& options, const std::string& command) {
  const Machine machine = describe_machine(own_program());
  const auto result = measure(options);
  if (!result) return complain(result.error());
  const int told = tell(title, to_text(*result, machine, command),
                        to_json(*result, machine, command), options.json, options.report);
  if (result->interrupted) return kInterrupted;
  if (options.check && !promises_kept(*result)) return kFailed;
  return result->errors() > 0 ? kFailed : told;
}

std::optional<int> run_suite(const BenchCommand& asked, const std::string& command) {
  if (asked.self_check) {
    return run_interruptible("Self-check", measure_self_check, *asked.self_check, command);
  }
  if (asked.throughput) {
    return run_interruptible("Throughput", measure_throughput, *asked.throughput, command);
  }
  if (asked.latency) {
    return run_interruptible("Latency", measure_latency, *asked.latency, command);
  }
  if (asked.chain) return run_interruptible("Chain", measure_chain, *asked.chain, command);
  if (asked.burst) return run_interruptible("Burst", measure_burst, *asked.burst, command);
  if (asked.churn) return run_interruptible("Churn", measure_churn, *asked.churn, command);
  if (asked.density) return run_interruptible("Density", measure_density, *asked.density, command);
  if (asked.patterns) {
    return run_interruptible("Patterns", measure_patterns, *asked.patterns, command);
  }
  return std::nullopt;
}

}  // namespace

int run_bench(const std::vector<std::string>& arguments) {
  const auto parsed = parse_bench(arguments);
  if (!parsed && parsed.error().code == ErrorCode::kCancelled) {
    std::printf("%s", parsed.error().message.c_str());
    return kOk;
  }
  if (!parsed) {
    std::fprintf(stderr, "subito bench: %s\nTry `subito bench --help`\n",
                 parsed.error().message.c_str());
    return kUsage;
  }
  std::string command = "subito bench";
  for (const std::string& argument : arguments) command += " " + argument;
  const Interrupt interrupt;
  if (parsed->page) return run_page(*parsed->page);
  if (parsed->compare) return run_compare(*parsed->compare);
  if (parsed->peers) return run_peers(*parsed->peers);
  if (parsed->fairness) return run_loaded("Fairness", measure_fairness, *parsed->fairness, command);
  if (parsed->step) return run_loaded("Step", measure_step, *parsed->step, command);
  if (parsed->shop) return run_interruptible("Shop", measure_shop, *parsed->shop, command);
  if (const auto suite = run_suite(*parsed, command)) return *suite;
  if (parsed->cold_start && parsed->cold_start->breakdown) {
    return run_interruptible("Breakdown of a start", measure_breakdown, *parsed->cold_start,
                             command);
  }
  return parsed->cold_start ? cold_start(*parsed->cold_start, command)
                            : idle_cost(*parsed->idle_cost, command);
}

}  // namespace subito::bench
