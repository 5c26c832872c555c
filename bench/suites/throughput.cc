#include "bench/suites/throughput.h"

#include <algorithm>

#include "bench/figures.h"
#include "bench/suites/warm_peers.h"
#include "bench/suites/warm_suite.h"

namespace subito::bench {

namespace {

double median_us(const Slice& slice) {
  return latency_us(slice, 0.5);
}

std::string throughput_row(const WarmRun& run, const std::string& name, const Series* series) {
  const auto cells = [&](const char* form, const SliceFigure& of) {
    const bool reference = series == nullptr;
    return median_text(form, reference ? reference_spread(run.pairs.series, of)
                                       : figure_spread(*series, of)) +
           " | " + (reference ? "1" : spread_text(ratio_spread(*series, of))) + " | ";
  };
  const TrafficResult traffic = series == nullptr ? run.pairs.reference : series->traffic();
  return format("| %s | %u | %s | ", run.scenario.answer.name, run.scenario.connections,
                name.c_str()) +
         cells("%.0f", answers_per_second) + cells("%.1f", median_us) + cells("%.1f", cpu_us) +
         format("%llu | %llu |\n", static_cast<unsigned long long>(traffic.answers),
                static_cast<unsigned long long>(traffic.errors));
}

std::string table_text(const ThroughputResult& result) {
  std::string text =
      "\n| answer | connections | peer | requests/s | over the reference | p50, µs | over | "
      "CPU µs a request | over | n | errors |\n"
      "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|\n";
  const std::string head = text;
  std::string others;
  for (const WarmRun& run : result.runs) {
    text += throughput_row(run, result.reference, nullptr);
    for (const Series* one : series_of(run, result, false)) {
      text += throughput_row(run, one->name, one);
    }
    for (const Series* one : series_of(run, result, true)) {
      others += throughput_row(run, one->name, one);
    }
  }
  if (others.empty()) return text;
  return text + "\n" + kOtherLanguages + "\n" + head + others;
}

void add_targets(const WarmRun& run, std::vector<WarmTarget>& targets) {
  const auto subito =
      std::find_if(run.pairs.series.begin(), run.pairs.series.end(),
                   [](const Series& series) { return series.name == WarmPeers::kSubito; });
  if (subito == run.pairs.series.end() || subito->pairs.empty()) return;
  const std::string where =
      format(" over nginx, %s, %u connections", run.scenario.answer.name, run.scenario.connections);
  if (run.scenario.connections == 1) {
    targets.push_back(
        {"p50" + where, kOneConnectionRatioMax, false, ratio_spread(*subito, median_us).median});
    return;
  }
  targets.push_back({"requests/s" + where, kPerSecondRatioMin, true,
                     ratio_spread(*subito, answers_per_second).median});
  targets.push_back(
      {"CPU a request" + where, kCpuRatioMax, false, ratio_spread(*subito, cpu_us).median});
}

// Of CPU time, which is the firmer figure, and of requests where the node is what limits them.
void add_observed_targets(const WarmRun& run, std::vector<WarmTarget>& targets) {
  for (const Series& series : run.pairs.series) {
    if (series.name != WarmPeers::kSubito || series.pairs.empty()) continue;
    const std::string where = format(" over a node that tells nothing, %s, %u connections",
                                     run.scenario.answer.name, run.scenario.connections);
    targets.push_back({"CPU a request" + where, kObservedCpuRatioMax, false,
                       ratio_spread(series, cpu_us).median});
    if (run.scenario.connections == 1) continue;
    targets.push_back({"requests/s" + where, kObservedPerSecondRatioMin, true,
                       ratio_spread(series, answers_per_second).median});
  }
}

}  // namespace

Result<ThroughputResult> measure_throughput(const ThroughputOptions& options) {
  ASSIGN_OR_RETURN(const WarmPeers peers, options.observed
                                              ? WarmPeers::make_observed(options.pool_size)
                                              : WarmPeers::make(options.pool_size, options.peers));
  ThroughputResult result;
  describe_suite("throughput", options, peers.all(), result);
  tell_peers(peers, result);
  std::vector<Scenario> scenarios;
  for (const NamedAnswer& answer : {kEmptyAnswer, kJsonAnswer}) {
    for (const std::uint32_t connections : options.connections) {
      scenarios.push_back({answer, connections, 0});
    }
  }
  RETURN_IF_ERROR(run_scenarios(peers.all(), scenarios, result));
  return result;
}

std::vector<WarmTarget> targets_of(const ThroughputResult& result) {
  std::vector<WarmTarget> targets;
  if (result.reference == WarmPeers::kBare) {
    for (const WarmRun& run : result.runs) add_observed_targets(run, targets);
    return targets;
  }
  if (result.reference != "nginx") return targets;
  for (const WarmRun& run : result.runs) add_targets(run, targets);
  return targets;
}

bool promises_kept(const ThroughputResult& result) {
  const std::vector<WarmTarget> targets = targets_of(result);
  return std::all_of(targets.begin(), targets.end(),
                     [](const WarmTarget& target) { return target.met(); });
}

nlohmann::ordered_json to_json(const ThroughputResult& result, const Machine& machine,
                               const std::string& command) {
  nlohmann::ordered_json json = head_json(result, machine, command);
  json["targets"] = targets_json(targets_of(result));
  json["runs"] = nlohmann::ordered_json::array();
  for (const WarmRun& run : result.runs) {
    json["runs"].push_back({{"answer", run.scenario.answer.name},
                            {"connections", run.scenario.connections},
                            {"rounds", run.pairs.rounds},
                            {"peers", peers_json(run, result.reference)}});
  }
  json["measures"] = measures_json(closed_loop_measures(result));
  return json;
}

std::string to_text(const ThroughputResult& result, const Machine& machine,
                    const std::string& command) {
  return head_text(result, machine, command) + table_text(result) +
         "\nThe load generator shares the machine: CPU time a request is the firmer figure. One\n"
         "connection at a time is noise in requests/s: read its p50.\n" +
         targets_text(targets_of(result)) + tail_text(result);
}

}  // namespace subito::bench
