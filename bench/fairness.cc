#include "bench/fairness.h"

#include <random>
#include <thread>

#include "bench/bed.h"
#include "bench/capacity.h"
#include "bench/figures.h"
#include "bench/measures.h"
#include "runtime/base/cpu_turns.h"

namespace subito::bench {

namespace {

using std::chrono::nanoseconds;

// What waits for `flood` longer is refused, so that its queue is short and the rest is told to come
// back: less than the time a client would wait.
constexpr const char* kFloodTimeout = "2s";
// Between the halves of a round: what the flood left in the node is over.
constexpr std::chrono::milliseconds kFloodSettle{500};

bool is_refusal(int status) {
  return status == 429 || status == 503 || status == 504;
}

std::uint32_t refused(const LoadResult& result) {
  std::uint32_t sum = 0;
  for (const auto& [status, count] : result.statuses) sum += is_refusal(status) ? count : 0;
  return sum;
}

std::uint32_t quiet_errors(const LoadResult& result) {
  return result.sent + result.unsent - count_of(result, 200);
}

std::uint32_t flood_errors(const LoadResult& result) {
  return result.sent - count_of(result, 200) - refused(result);
}

// On a thread that goes before others: what is measured is when the answer was there, not when the
// measuring process was.
Result<LoadResult> measure(const ServerAddress& gateway, const Load& load, nanoseconds time) {
  Result<std::vector<LoadResult>> results = fail(ErrorCode::kInternal, "not measured");
  std::thread measuring([&] {
    const Status first = serve_others();
    results = run_loads(gateway, {load}, time);
    if (!first) results = first.error();
  });
  measuring.join();
  if (!results) return results.error();
  return std::move((*results)[0]);
}

// The flood's sender is a process like any other of the host.
Result<LoadResult> measure_beside(const ServerAddress& gateway, const Load& quiet,
                                  const Load& flood, nanoseconds time, LoadResult& flooded) {
  Result<std::vector<LoadResult>> results = fail(ErrorCode::kInternal, "not sent");
  std::thread sending([&] { results = run_loads(gateway, {flood}, time); });
  Result<LoadResult> measured = measure(gateway, quiet, time);
  sending.join();
  if (!results) return results.error();
  flooded = std::move((*results)[0]);
  return measured;
}

Status run_round(const ServerAddress& gateway, FairnessResult& result) {
  Load quiet;
  quiet.path = burn_path("quiet", result.options.burn_ms);
  quiet.per_second = result.options.per_second;
  quiet.parts = true;
  Load flood;
  flood.path = burn_path("flood", result.options.burn_ms);
  flood.per_second = result.flood_per_second;
  flood.connections_max = kConcurrentMax;
  flood.requests_max = kFloodRequestsMax;
  ASSIGN_OR_RETURN(const LoadResult alone, measure(gateway, quiet, result.options.time));
  LoadResult flooded;
  ASSIGN_OR_RETURN(const LoadResult beside,
                   measure_beside(gateway, quiet, flood, result.options.time, flooded));
  add(result.alone, alone);
  add(result.beside, beside);
  add(result.flood, flooded);
  ++result.rounds;
  if (!rest(kFloodSettle)) return fail(ErrorCode::kCancelled, "measure fairness: interrupted");
  return ok();
}

Status deploy_both(NodeClient& api, const std::string& binary, const FairnessOptions& options) {
  RETURN_IF_ERROR(api.deploy({"quiet", binary, "pooled", "5m"}));
  return api.deploy({"flood",
                     binary,
                     "pooled",
                     "5m",
                     {"--max", std::to_string(options.pods), "--timeout", kFloodTimeout}});
}

constexpr const char* kQuietAnswers = "answers of the quiet function";

nlohmann::ordered_json quiet_json(const LoadResult& result) {
  nlohmann::ordered_json json = load_json(result, quiet_errors(result));
  json["serverTimingMillis"] = parts_json(result);
  return json;
}

std::string quiet_row(const char* name, const LoadResult& result) {
  return format("| %s | %zu | %.2f | %.2f | %u |\n", name, result.samples.size(),
                ms(percentile(result.samples, 0.5)), ms(percentile(result.samples, 0.99)),
                quiet_errors(result));
}

std::string ratio_row(const char* name, const Ratio& ratio) {
  return format("- %s beside the flood over alone: %.2f (%.2f to %.2f)\n", name, ratio.middle,
                ratio.low, ratio.high);
}

std::string flood_text(const FairnessResult& result) {
  std::string text = format("\nThe flood: %.0f a second, the node can do %.0f; %u sent, %u not",
                            result.flood_per_second, result.node_per_second, result.flood.sent,
                            result.flood.unsent);
  text += " (all " + std::to_string(kConcurrentMax) + " connections taken). ";
  return text + answers_text(result.flood) +
         format(" %u refused, %u answers with Retry-After.\n", refused(result.flood),
                result.flood.with_retry_after);
}

}  // namespace

std::uint32_t FairnessResult::errors() const {
  return quiet_errors(alone) + quiet_errors(beside) + flood_errors(flood);
}

Ratio FairnessResult::ratio(double fraction) const {
  return ratio_of_percentiles(beside.samples, alone.samples, fraction, seed);
}

bool promises_kept(const FairnessResult& result) {
  const double ratio = result.ratio(0.99).middle;
  return ratio > 0 && ratio <= kP99RatioMax;
}

Result<FairnessResult> measure_fairness(const FairnessOptions& options) {
  ASSIGN_OR_RETURN(Bed bed, Bed::make(options.binary, options.pool_size));
  RETURN_IF_ERROR(deploy_both(bed.api, bed.binary, options));
  FairnessResult result;
  result.options = options;
  result.seed = options.seed ? *options.seed : std::random_device()();
  ASSIGN_OR_RETURN(result.node_per_second,
                   measure_capacity(bed.gateway, burn_path("flood", options.burn_ms)));
  result.flood_per_second = kFloodFactor * result.node_per_second;
  // Its first pod is started by a request that does not count: cold starts are another benchmark.
  Load first;
  first.path = burn_path("quiet", options.burn_ms);
  first.requests_max = 1;
  RETURN_IF_ERROR(run_loads(bed.gateway, {first}, kFloodSettle));
  while (result.rounds < options.rounds) RETURN_IF_ERROR(run_round(bed.gateway, result));
  return result;
}

nlohmann::ordered_json to_json(const FairnessResult& result, const Machine& machine,
                               const std::string& command) {
  nlohmann::ordered_json flood = load_json(result.flood, flood_errors(result.flood));
  flood["refused"] = refused(result.flood);
  flood["withRetryAfter"] = result.flood.with_retry_after;
  return {
      {"benchmark", "fairness"},
      {"command", command},
      {"machine", to_json(machine)},
      {"rounds", result.rounds},
      {"halfRoundSeconds", std::chrono::duration<double>(result.options.time).count()},
      {"burnMillis", result.options.burn_ms},
      {"quietPerSecond", result.options.per_second},
      {"floodPodsMax", result.options.pods},
      {"nodePerSecond", result.node_per_second},
      {"floodPerSecond", result.flood_per_second},
      {"seed", result.seed},
      {"errors", result.errors()},
      {"alone", quiet_json(result.alone)},
      {"beside", quiet_json(result.beside)},
      {"flood", flood},
      {"p50Ratio", to_json(result.ratio(0.5))},
      {"p99Ratio", to_json(result.ratio(0.99))},
      {"measures",
       measures_json({times_measure(kQuietAnswers, "alone", result.alone.samples),
                      times_measure(kQuietAnswers, "beside the flood", result.beside.samples)})},
      {"targets",
       {{{"what", "p99 of quiet"},
         {"ratioMax", kP99RatioMax},
         {"ratio", result.ratio(0.99).middle},
         {"met", promises_kept(result)}}}}};
}

std::string to_text(const FairnessResult& result, const Machine& machine,
                    const std::string& command) {
  const FairnessOptions& options = result.options;
  std::string text = words(machine) + "\n" + command + "\n";
  text += format("%u rounds of twice %g s, seed %llu; a request takes %u ms of CPU time\n",
                 result.rounds, std::chrono::duration<double>(options.time).count(),
                 static_cast<unsigned long long>(result.seed), options.burn_ms);
  text += format("quiet: %u a second; flood: at most %u pods\n", options.per_second, options.pods);
  text +=
      "whoever asks quiet runs before others (nice and turns as the node's loop); the flood's "
      "sender does not\n\n";
  text += "| quiet, ms | n | p50 | p99 | errors |\n|---|--:|--:|--:|--:|\n";
  text += quiet_row("alone", result.alone);
  text += quiet_row("beside the flood", result.beside);
  text += "\n" + ratio_row("p50", result.ratio(0.5)) + ratio_row("p99", result.ratio(0.99));
  text += "\nIts parts as Server-Timing tells them, p50 (p99) in ms\n\n";
  text += parts_text("alone", result.alone) + parts_text("beside the flood", result.beside);
  text += flood_text(result);
  for (const LoadResult* load : {&result.alone, &result.beside, &result.flood}) {
    if (load->broken > 0) text += "\nThe first broken one: " + load->first_fault + "\n";
  }
  return text + format("\n- p99 of quiet at most %g times what it is alone: %.2f, %s\n",
                       kP99RatioMax, result.ratio(0.99).middle,
                       promises_kept(result) ? "met" : "MISSED");
}

}  // namespace subito::bench
