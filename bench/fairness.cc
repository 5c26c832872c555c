#include "bench/fairness.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <random>
#include <thread>

#include "bench/node_client.h"
#include "bench/private_node.h"

namespace subito::bench {

namespace {

// What waits for `flood` longer is refused, so that its queue is short and the rest is told to come
// back: less than the time a client would wait.
constexpr const char* kFloodTimeout = "2s";
constexpr std::chrono::seconds kCapacityTime{1};
// Between the halves of a round: what the flood left in the node is over.
constexpr std::chrono::milliseconds kFloodSettle{500};

std::string path_of(const char* function, const FairnessOptions& options) {
  return std::string("/function/") + function + "/?burn_ms=" + std::to_string(options.burn_ms);
}

bool is_refusal(int status) {
  return status == 429 || status == 503 || status == 504;
}

std::uint32_t count_of(const LoadResult& result, int status) {
  const auto found = result.statuses.find(status);
  return found == result.statuses.end() ? 0 : found->second;
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

void add(LoadResult& all, const LoadResult& one) {
  all.sent += one.sent;
  all.unsent += one.unsent;
  for (const auto& [status, count] : one.statuses) all.statuses[status] += count;
  all.with_retry_after += one.with_retry_after;
  if (all.broken == 0) all.first_fault = one.first_fault;
  all.broken += one.broken;
  all.samples.insert(all.samples.end(), one.samples.begin(), one.samples.end());
  for (const auto& [name, samples] : one.parts) {
    all.parts[name].insert(all.parts[name].end(), samples.begin(), samples.end());
  }
}

// As many callers as cores, twice: enough to keep all cores busy.
Result<double> measure_node(const ServerAddress& gateway, const FairnessOptions& options) {
  Load load;
  load.path = path_of("flood", options);
  load.connections_max = 2 * std::max(1U, std::thread::hardware_concurrency());
  ASSIGN_OR_RETURN(const std::vector<LoadResult> results,
                   run_loads(gateway, {load}, kCapacityTime));
  const std::uint32_t answers = count_of(results[0], 200);
  if (answers == 0) {
    return fail(ErrorCode::kFailedPrecondition, "measure what the node can do: no answer with 200");
  }
  return answers / std::chrono::duration<double>(kCapacityTime).count();
}

Status run_round(const ServerAddress& gateway, FairnessResult& result) {
  Load quiet;
  quiet.path = path_of("quiet", result.options);
  quiet.per_second = result.options.per_second;
  quiet.parts = true;
  Load flood;
  flood.path = path_of("flood", result.options);
  flood.per_second = result.flood_per_second;
  flood.connections_max = kFloodConnectionsMax;
  flood.requests_max = kFloodRequestsMax;
  ASSIGN_OR_RETURN(const std::vector<LoadResult> alone,
                   run_loads(gateway, {quiet}, result.options.time));
  ASSIGN_OR_RETURN(const std::vector<LoadResult> beside,
                   run_loads(gateway, {quiet, flood}, result.options.time));
  add(result.alone, alone[0]);
  add(result.beside, beside[0]);
  add(result.flood, beside[1]);
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

double ms(std::int64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

nlohmann::ordered_json load_json(const LoadResult& result, std::uint32_t errors) {
  nlohmann::ordered_json json = {
      {"sent", result.sent}, {"unsent", result.unsent}, {"errors", errors}};
  for (const auto& [status, count] : result.statuses) {
    json["statuses"][std::to_string(status)] = count;
  }
  if (result.broken > 0) json["firstFault"] = result.first_fault;
  json["p50Millis"] = ms(percentile(result.samples, 0.5));
  json["p99Millis"] = ms(percentile(result.samples, 0.99));
  return json;
}

nlohmann::ordered_json quiet_json(const LoadResult& result) {
  nlohmann::ordered_json json = load_json(result, quiet_errors(result));
  for (const auto& [name, samples] : result.parts) {
    json["serverTimingMillis"][name] = {{"p50", ms(percentile(samples, 0.5))},
                                        {"p99", ms(percentile(samples, 0.99))}};
  }
  json["samplesMillis"] = nlohmann::ordered_json::array();
  for (const std::int64_t sample : result.samples) json["samplesMillis"].push_back(ms(sample));
  return json;
}

nlohmann::ordered_json ratio_json(const Ratio& ratio) {
  return {{"middle", ratio.middle}, {"low95", ratio.low}, {"high95", ratio.high}};
}

template <typename... Values>
std::string format(const char* form, Values... values) {
  char text[300];
  std::snprintf(text, sizeof text, form, values...);
  return text;
}

std::string quiet_row(const char* name, const LoadResult& result) {
  return format("| %s | %zu | %.2f | %.2f | %u |\n", name, result.samples.size(),
                ms(percentile(result.samples, 0.5)), ms(percentile(result.samples, 0.99)),
                quiet_errors(result));
}

std::string parts_text(const char* name, const LoadResult& result) {
  std::string text = std::string("- ") + name + ":";
  for (const auto& [part, samples] : result.parts) {
    text += format(" %s %.2f (%.2f),", part.c_str(), ms(percentile(samples, 0.5)),
                   ms(percentile(samples, 0.99)));
  }
  text.back() = '\n';
  return text;
}

std::string ratio_row(const char* name, const Ratio& ratio) {
  return format("- %s beside the flood over alone: %.2f (%.2f to %.2f)\n", name, ratio.middle,
                ratio.low, ratio.high);
}

std::string flood_text(const FairnessResult& result) {
  std::string text = format("\nThe flood: %.0f a second, the node can do %.0f; %u sent, %u not",
                            result.flood_per_second, result.node_per_second, result.flood.sent,
                            result.flood.unsent);
  text += " (all " + std::to_string(kFloodConnectionsMax) + " connections taken). Answers:";
  for (const auto& [status, count] : result.flood.statuses) {
    text += format(" %d: %u,", status, count);
  }
  return text + format(" broken: %u. %u refused, %u answers with Retry-After.\n",
                       result.flood.broken, refused(result.flood), result.flood.with_retry_after);
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
  const std::string program = own_program();
  const std::filesystem::path build = std::filesystem::path(program).parent_path().parent_path();
  const std::string binary =
      options.binary.empty() ? (build / "functions/echo").string() : options.binary;
  ASSIGN_OR_RETURN(const PrivateNode node, PrivateNode::start(program, options.pool_size));
  ASSIGN_OR_RETURN(NodeClient api, NodeClient::connect(program, node.api_socket()));
  ASSIGN_OR_RETURN(const ServerAddress gateway, parse_gateway_url(api.facts().gateway_url));
  RETURN_IF_ERROR(deploy_both(api, binary, options));
  FairnessResult result;
  result.options = options;
  result.seed = options.seed ? *options.seed : std::random_device()();
  ASSIGN_OR_RETURN(result.node_per_second, measure_node(gateway, options));
  result.flood_per_second = kFloodFactor * result.node_per_second;
  // Its first pod is started by a request that does not count: cold starts are another benchmark.
  Load first;
  first.path = path_of("quiet", options);
  first.requests_max = 1;
  RETURN_IF_ERROR(run_loads(gateway, {first}, kFloodSettle));
  while (result.rounds < options.rounds) RETURN_IF_ERROR(run_round(gateway, result));
  return result;
}

nlohmann::ordered_json to_json(const FairnessResult& result, const Machine& machine,
                               const std::string& command) {
  nlohmann::ordered_json flood = load_json(result.flood, flood_errors(result.flood));
  flood["refused"] = refused(result.flood);
  flood["withRetryAfter"] = result.flood.with_retry_after;
  return {{"benchmark", "fairness"},
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
          {"p50Ratio", ratio_json(result.ratio(0.5))},
          {"p99Ratio", ratio_json(result.ratio(0.99))},
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
  text +=
      format("quiet: %u a second; flood: at most %u pods\n\n", options.per_second, options.pods);
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
