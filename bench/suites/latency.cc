#include "bench/suites/latency.h"

#include <algorithm>

#include "bench/figures.h"
#include "bench/kit/percentiles.h"
#include "bench/suites/warm_peers.h"
#include "bench/suites/warm_suite.h"

namespace subito::bench {

namespace {

// What it can do, after a slice that does not count. An error when it cannot without errors.
Result<double> capacity_of(const WarmPeer& peer, std::chrono::nanoseconds slice) {
  const Scenario scenario{kJsonAnswer, kCapacityConnections, 0};
  Slice measured;
  for (int i = 0; i < 2; ++i) {
    ASSIGN_OR_RETURN(measured, measure_slice(peer, scenario, slice));
    if (measured.traffic.interrupted) {
      return fail(ErrorCode::kCancelled, "measure what " + peer.name + " can do: interrupted");
    }
    if (measured.traffic.errors > 0) {
      return fail(ErrorCode::kProtocol,
                  "measure what " + peer.name + " can do: " + measured.traffic.first_error);
    }
  }
  return measured.traffic.per_second();
}

std::string latency_cell(const TrafficResult& traffic, double fraction) {
  if (!enough_for(fraction, traffic.latency.count())) return "-";
  return format("%.0f", static_cast<double>(traffic.latency.percentile(fraction)) / 1e3);
}

std::string latency_row(const WarmRun& run, const std::string& name, const Series* series) {
  const TrafficResult traffic = series == nullptr ? run.pairs.reference : series->traffic();
  const auto ratio = [&](double fraction) {
    if (series == nullptr) return std::string("1");
    return spread_text(
        ratio_spread(*series, [&](const Slice& slice) { return latency_us(slice, fraction); }));
  };
  std::string text = format("| %.0f | %s |", run.scenario.per_second, name.c_str());
  for (const PercentileName& percentile : kPercentiles) {
    text += " " + latency_cell(traffic, percentile.fraction) + " |";
  }
  const double late = static_cast<double>(traffic.lateness.percentile(0.99)) / 1e3;
  return text + " " + ratio(0.5) + " | " + ratio(0.99) +
         format(" | %.0f | %llu | %llu |\n", late, static_cast<unsigned long long>(traffic.answers),
                static_cast<unsigned long long>(traffic.errors));
}

std::string table_text(const LatencyResult& result) {
  std::string text = "\n| a second | peer |";
  std::string line = "|--:|---|";
  for (const PercentileName& percentile : kPercentiles) {
    text += std::string(" ") + percentile.name + ", µs |";
    line += "--:|";
  }
  text += " p50 over | p99 over | sent late, p99 | n | errors |\n" + line;
  text += "--:|--:|--:|--:|--:|\n";
  const std::string head = text;
  std::string others;
  for (const WarmRun& run : result.runs) {
    text += latency_row(run, result.reference, nullptr);
    for (const Series* one : series_of(run, result, false))
      text += latency_row(run, one->name, one);
    for (const Series* one : series_of(run, result, true)) {
      others += latency_row(run, one->name, one);
    }
  }
  if (others.empty()) return text;
  return text + "\n" + kOtherLanguages + "\n" + head + others;
}

// A rate is named by its place: what it was differs from run to run.
std::vector<Measure> latency_measures(const LatencyResult& result) {
  std::vector<Measure> measures;
  for (std::size_t i = 0; i < result.runs.size(); ++i) {
    const WarmRun& run = result.runs[i];
    const std::string where = i < result.percents.size()
                                  ? format("at %u %% of what both can do", result.percents[i])
                                  : format("at %.0f a second", run.scenario.per_second);
    for (const auto& [fraction, name] : {std::pair(0.5, "p50"), std::pair(0.99, "p99")}) {
      const auto of = [fraction = fraction](const Slice& slice) {
        return latency_us(slice, fraction);
      };
      add_measures(run, result, where, {std::string(name) + " of answers", "us", false, of},
                   measures);
    }
  }
  return measures;
}

}  // namespace

Result<LatencyResult> measure_latency(const LatencyOptions& options) {
  ASSIGN_OR_RETURN(const WarmPeers peers, WarmPeers::make(options.pool_size, options.peers));
  LatencyResult result;
  describe_suite("latency", options, peers.all(), result);
  tell_peers(peers, result);
  std::vector<double> rates = {static_cast<double>(options.per_second)};
  if (options.per_second == 0) {
    ASSIGN_OR_RETURN(result.subito_per_second, capacity_of(peers.subito(), options.slice));
    ASSIGN_OR_RETURN(result.reference_per_second, capacity_of(peers.all().front(), options.slice));
    const double most = std::min(result.subito_per_second, result.reference_per_second);
    rates.clear();
    result.percents = options.percents;
    for (const std::uint32_t percent : options.percents) rates.push_back(most * percent / 100);
  }
  std::vector<Scenario> scenarios;
  for (const double rate : rates) scenarios.push_back({kJsonAnswer, options.connections, rate});
  RETURN_IF_ERROR(run_scenarios(peers.all(), scenarios, result));
  return result;
}

nlohmann::ordered_json to_json(const LatencyResult& result, const Machine& machine,
                               const std::string& command) {
  nlohmann::ordered_json json = head_json(result, machine, command);
  json["capacityPerSecond"] = {{"subito", result.subito_per_second},
                               {"reference", result.reference_per_second}};
  json["runs"] = nlohmann::ordered_json::array();
  for (const WarmRun& run : result.runs) {
    json["runs"].push_back({{"answer", run.scenario.answer.name},
                            {"connections", run.scenario.connections},
                            {"perSecond", run.scenario.per_second},
                            {"rounds", run.pairs.rounds},
                            {"peers", peers_json(run, result.reference)}});
  }
  json["measures"] = measures_json(latency_measures(result));
  return json;
}

std::string to_text(const LatencyResult& result, const Machine& machine,
                    const std::string& command) {
  std::string text = head_text(result, machine, command);
  if (result.subito_per_second > 0) {
    text += format("\nAt most, %u connections, closed loop: subito %.0f a second, %s %.0f.\n",
                   kCapacityConnections, result.subito_per_second, result.reference.c_str(),
                   result.reference_per_second);
  }
  return text + table_text(result) +
         "\n200 bytes of JSON; times from when a request was due. A percentile p is told from "
         "10 / (1 - p)\nanswers on; of a ratio, from so many in each slice. \"Sent late\": µs from "
         "when due to when sent,\nwhich is the generator's own doing as long as a connection is "
         "free.\n" +
         tail_text(result);
}

}  // namespace subito::bench
