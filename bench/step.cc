#include "bench/step.h"

#include <numeric>
#include <random>

#include "bench/bed.h"
#include "bench/capacity.h"
#include "bench/figures.h"
#include "bench/measures.h"

namespace subito::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kFunction = "step";
constexpr const char* kWarmFunction = "warm";  // the same, for the capacity alone
constexpr const char* kWarmIdle = "200ms";     // longer than a pod has nothing to do meanwhile
// What is due is due at once; the load ends with its last answer, or kLoadGrace later.
constexpr std::chrono::seconds kStepTime{1};

// The event of the scale, which changes nothing, comes behind all those of the round.
Status run_round(NodeClient& api, PodEvents& events, const ServerAddress& gateway,
                 StepResult& result) {
  const StepOptions& options = result.options;
  ASSIGN_OR_RETURN(const double per_second,
                   measure_capacity(gateway, burn_path(kWarmFunction, options.burn_ms)));
  result.per_second.push_back(per_second);
  RETURN_IF_ERROR(api.await_zero(options.pool_size));
  Load load;
  load.path = burn_path(kFunction, options.burn_ms);
  load.connections_max = load.requests_max = options.concurrent;
  load.parts = true;
  load.open_first = true;
  ASSIGN_OR_RETURN(const std::vector<LoadResult> calls, run_loads(gateway, {load}, kStepTime));
  const Clock::time_point answered = Clock::now();
  RETURN_IF_ERROR(api.await_zero(0));
  result.to_zero.push_back(std::chrono::nanoseconds(Clock::now() - answered).count());
  add(result.calls, calls[0]);
  ++result.rounds;
  RETURN_IF_ERROR(api.scale(kFunction, options.pods_max()));
  return events.read_until(NodeClient::kScaledReason);
}

nlohmann::ordered_json calls_json(const StepResult& result) {
  nlohmann::ordered_json json = load_json(result.calls, result.errors());
  json["maxMillis"] = ms(percentile(result.calls.samples, 1));
  json["serverTimingMillis"] = parts_json(result.calls);
  return json;
}

nlohmann::ordered_json best_json(const StepResult& result) {
  return {{"p50Millis", ms(result.best_ns(0.5))},
          {"p99Millis", ms(result.best_ns(0.99))},
          {"maxMillis", ms(result.best_ns(1))}};
}

nlohmann::ordered_json pods_json(const StepResult& result) {
  nlohmann::ordered_json json = {{"max", result.options.pods_max()},
                                 {"mostAtOnce", result.pods.most_at_once()},
                                 {"started", result.pods.started()}};
  for (const auto& [reason, count] : result.pods.faults()) json["faults"][reason] = count;
  return json;
}

std::string pods_text(const StepResult& result) {
  std::string text = format("\nPods: %u at most at once, %u started.", result.pods.most_at_once(),
                            result.pods.started());
  for (const auto& [reason, count] : result.pods.faults()) {
    text += " " + reason + ": " + std::to_string(count) + ".";
  }
  return text + " " + answers_text(result.calls) + "\n";
}

std::string table_text(const StepResult& result) {
  const auto call = [&](double fraction) { return ms(percentile(result.calls.samples, fraction)); };
  const auto best = [&](double fraction) { return ms(result.best_ns(fraction)); };
  return "| ms from the step | n | p50 | p99 | max | errors |\n|---|--:|--:|--:|--:|--:|\n" +
         format("| answers | %zu | %.2f | %.2f | %.2f | %u |\n", result.calls.samples.size(),
                call(0.5), call(0.99), call(1), result.errors()) +
         format("| what the CPU allows | | %.2f | %.2f | %.2f | |\n", best(0.5), best(0.99),
                best(1));
}

std::string ratio_row(const char* name, const Ratio& ratio) {
  return format("- %s over what the CPU allows: %.2f (%.2f to %.2f)\n", name, ratio.middle,
                ratio.low, ratio.high);
}

bool p99_kept(const StepResult& result) {
  const double ratio = result.ratio(0.99).middle;
  return ratio > 0 && ratio <= kStepP99RatioMax;
}

const char* verdict(bool met) {
  return met ? "met" : "MISSED";
}

}  // namespace

std::uint32_t StepResult::errors() const {
  return rounds * options.concurrent - count_of(calls, 200);
}

double StepResult::node_per_second() const {
  if (per_second.empty()) return 0;
  return std::accumulate(per_second.begin(), per_second.end(), 0.0) /
         static_cast<double>(per_second.size());
}

std::int64_t StepResult::best_ns(double fraction) const {
  if (per_second.empty()) return 0;
  return static_cast<std::int64_t>(1e9 * fraction * options.concurrent / node_per_second());
}

Ratio StepResult::ratio(double fraction) const {
  return ratio_of_percentiles(calls.samples, {best_ns(fraction)}, fraction, seed);
}

bool promises_kept(const StepResult& result) {
  return p99_kept(result) && result.errors() == 0;
}

Result<StepResult> measure_step(const StepOptions& options) {
  ASSIGN_OR_RETURN(Bed bed, Bed::make(options.binary, options.pool_size));
  StepResult result;
  result.options = options;
  result.seed = options.seed ? *options.seed : std::random_device()();
  RETURN_IF_ERROR(bed.api.deploy({kWarmFunction, bed.binary, "pooled", kWarmIdle}));
  RETURN_IF_ERROR(bed.api.deploy(
      {kFunction, bed.binary, "pooled", "0s", {"--max", std::to_string(options.pods_max())}}));
  ASSIGN_OR_RETURN(PodEvents events, PodEvents::open(bed.node.api_socket(), kFunction));
  while (result.rounds < options.rounds) {
    RETURN_IF_ERROR(run_round(bed.api, events, bed.gateway, result));
  }
  result.pods = events.tally();
  return result;
}

nlohmann::ordered_json to_json(const StepResult& result, const Machine& machine,
                               const std::string& command) {
  const double p99 = result.ratio(0.99).middle;
  return {
      {"benchmark", "step"},
      {"command", command},
      {"machine", to_json(machine)},
      {"rounds", result.rounds},
      {"concurrent", result.options.concurrent},
      {"burnMillis", result.options.burn_ms},
      {"emptySandboxes", result.options.pool_size},
      {"nodePerSecond", result.node_per_second()},
      {"nodePerSecondByRound", result.per_second},
      {"seed", result.seed},
      {"errors", result.errors()},
      {"calls", calls_json(result)},
      {"best", best_json(result)},
      {"pods", pods_json(result)},
      {"toZeroMillis",
       {{"p50", ms(percentile(result.to_zero, 0.5))}, {"max", ms(percentile(result.to_zero, 1))}}},
      {"measures",
       measures_json({times_measure("from the step to an answer", "calls", result.calls.samples),
                      times_measure("from the last answer to no pod", "rounds", result.to_zero)})},
      {"p50Ratio", to_json(result.ratio(0.5))},
      {"p99Ratio", to_json(result.ratio(0.99))},
      {"targets",
       {{{"what", "p99 over what the CPU allows"},
         {"ratioMax", kStepP99RatioMax},
         {"ratio", p99},
         {"met", p99_kept(result)}},
        {{"what", "errors"},
         {"max", 0},
         {"errors", result.errors()},
         {"met", result.errors() == 0}}}}};
}

std::string to_text(const StepResult& result, const Machine& machine, const std::string& command) {
  const StepOptions& options = result.options;
  std::string text = words(machine) + "\n" + command + "\n";
  text += format("%u rounds of %u calls at once, seed %llu; a call takes %u ms of CPU time\n",
                 result.rounds, options.concurrent, static_cast<unsigned long long>(result.seed),
                 options.burn_ms);
  text +=
      format("At most %u pods, %u empty sandboxes kept; ", options.pods_max(), options.pool_size);
  text += format("the node can do %.1f a second, measured before each round\n\n",
                 result.node_per_second());
  text += table_text(result);
  text += "\n" + ratio_row("p50", result.ratio(0.5)) + ratio_row("p99", result.ratio(0.99));
  text += format("- no pod any more after the last answer, ms: p50 %.2f, max %.2f\n",
                 ms(percentile(result.to_zero, 0.5)), ms(percentile(result.to_zero, 1)));
  text += parts_text("Server-Timing, p50 (p99) in ms", result.calls);
  text += pods_text(result);
  if (result.calls.broken > 0) {
    text += "\nThe first broken one: " + result.calls.first_fault + "\n";
  }
  text += format("\n- p99 at most %g times what the CPU allows: %.2f, %s\n", kStepP99RatioMax,
                 result.ratio(0.99).middle, verdict(p99_kept(result)));
  return text + format("- no error: %u, %s\n", result.errors(), verdict(result.errors() == 0));
}

}  // namespace subito::bench
