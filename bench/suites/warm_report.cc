#include "bench/suites/warm_report.h"

#include <algorithm>
#include <iterator>

#include "bench/figures.h"
#include "bench/kit/percentiles.h"

namespace subito::bench {

namespace {

using Json = nlohmann::ordered_json;

Json traffic_json(const TrafficResult& traffic) {
  Json json = {{"answers", traffic.answers}, {"errors", traffic.errors}};
  if (traffic.errors > 0) json["firstError"] = traffic.first_error;
  for (const auto& [fraction, name] : kPercentiles) {
    if (!enough_for(fraction, traffic.latency.count())) continue;
    json["latencyMicros"][name] = static_cast<double>(traffic.latency.percentile(fraction)) / 1e3;
  }
  json["latencyMicros"]["max"] = static_cast<double>(traffic.latency.max()) / 1e3;
  if (traffic.lateness.count() > 0) {
    json["generatorLateMicrosP99"] = static_cast<double>(traffic.lateness.percentile(0.99)) / 1e3;
  }
  if (traffic.answers > 0) {
    json["generatorCpuMicros"] =
        static_cast<double>(traffic.own_cpu.count()) / 1e3 / static_cast<double>(traffic.answers);
  }
  return json;
}

std::uint32_t ended_in(const Series& series) {
  std::uint32_t ended = 0;
  for (const Pair& pair : series.pairs) ended += pair.subject.ended;
  return ended;
}

constexpr std::string_view kAgain = "-again";

// The row that this one is a second measurement of; empty: none.
std::string measured_before(const std::string& peer) {
  if (!peer.ends_with(kAgain)) return "";
  return peer.substr(0, peer.size() - kAgain.size());
}

}  // namespace

std::vector<const Series*> series_of(const WarmRun& run, const WarmResult& result,
                                     bool other_languages) {
  std::vector<const Series*> wanted;
  for (const Series& series : run.pairs.series) {
    const auto& others = result.other_languages;
    const bool other = std::find(others.begin(), others.end(), series.name) != others.end();
    if (other == other_languages) wanted.push_back(&series);
  }
  return wanted;
}

void add_measures(const WarmRun& run, const WarmResult& result, const std::string& where,
                  const WarmFigure& figure, std::vector<Measure>& measures) {
  for (const bool other : {false, true}) {
    const std::string name =
        figure.name + ", " + where + (other ? std::string("; ") + kOtherLanguages : "");
    const bool more = figure.more_is_better;
    Measure of_reference{name, result.reference, figure.unit, more, "", {}, false};
    std::vector<Measure> absolute;
    std::vector<Measure> ratios;
    for (const Series* series : series_of(run, result, other)) {
      const std::string again = measured_before(series->name);
      absolute.push_back({name, series->name, figure.unit, more, again, {}, false});
      ratios.push_back(
          {name + ", over " + result.reference, series->name, kRatioUnit, more, again, {}});
      for (const Pair& pair : series->pairs) {
        const double mine = figure.of(pair.subject);
        const double its = figure.of(pair.reference);
        if (mine > 0) absolute.back().samples.push_back(mine);
        if (its > 0) of_reference.samples.push_back(its);
        if (mine > 0 && its > 0) ratios.back().samples.push_back(mine / its);
      }
    }
    measures.push_back(std::move(of_reference));
    std::move(absolute.begin(), absolute.end(), std::back_inserter(measures));
    std::move(ratios.begin(), ratios.end(), std::back_inserter(measures));
  }
}

std::vector<Measure> closed_loop_measures(const WarmResult& result) {
  const auto p50 = [](const Slice& slice) { return latency_us(slice, 0.5); };
  std::vector<Measure> measures;
  for (const WarmRun& run : result.runs) {
    const std::string where =
        format("%s, %u connections", run.scenario.answer.name, run.scenario.connections);
    add_measures(run, result, where, {"requests a second", "1/s", true, answers_per_second},
                 measures);
    add_measures(run, result, where, {"CPU time a request", "us", false, cpu_us}, measures);
    add_measures(run, result, where, {"p50 of answers", "us", false, p50}, measures);
  }
  return measures;
}

std::uint64_t WarmResult::errors() const {
  std::uint64_t sum = 0;
  for (const WarmRun& run : runs) sum += run.pairs.errors();
  return sum;
}

double answers_per_second(const Slice& slice) {
  return slice.traffic.per_second();
}

double cpu_us(const Slice& slice) {
  return slice.cpu_us_per_answer();
}

double latency_us(const Slice& slice, double fraction) {
  if (!enough_for(fraction, slice.traffic.latency.count())) return 0;
  return static_cast<double>(slice.traffic.latency.percentile(fraction)) / 1e3;
}

std::string targets_text(const std::vector<WarmTarget>& targets) {
  std::string text = targets.empty() ? "" : "\nTargets, medians of pairs\n\n";
  for (const WarmTarget& target : targets) {
    text += "- " + target.what +
            format(", %s %g: %.2f, %s\n", target.at_least ? "at least" : "at most", target.bound,
                   target.value, target.met() ? "met" : "MISSED");
  }
  return text;
}

Json targets_json(const std::vector<WarmTarget>& targets) {
  Json json = Json::array();
  for (const WarmTarget& target : targets) {
    json.push_back({{"what", target.what},
                    {target.at_least ? "min" : "max", target.bound},
                    {"value", target.value},
                    {"met", target.met()}});
  }
  return json;
}

std::string spread_text(const Spread& spread) {
  if (spread.median <= 0) return "-";
  return format("%.2f (%.2f to %.2f)", spread.median, spread.least, spread.most);
}

std::string median_text(const char* form, const Spread& spread) {
  return spread.median <= 0 ? "-" : format(form, spread.median);
}

Json spread_json(const Spread& spread) {
  return {{"least", spread.least}, {"median", spread.median}, {"most", spread.most}};
}

std::string head_text(const WarmResult& result, const Machine& machine,
                      const std::string& command) {
  std::string text = words(machine) + "\n" + command + "\n";
  text += format("%u rounds of paired slices of %g s, seed %llu; ratios over %s, pair by pair: ",
                 result.plan.rounds, std::chrono::duration<double>(result.plan.slice).count(),
                 static_cast<unsigned long long>(result.seed), result.reference.c_str());
  text += "median (least to most)\n";
  if (!result.nginx_version.empty()) text += "nginx: " + result.nginx_version + ", one worker\n";
  text += format("kept ready by Subito: %u empty sandboxes, and the pods that the load made\n\n",
                 result.pool_size);
  for (const auto& [name, what] : result.peers) text += "- " + name + ": " + what + "\n";
  return text;
}

std::string tail_text(const WarmResult& result) {
  std::string text;
  for (const MissingPeer& peer : result.missing) {
    text += "\n" + peer.name + " was left out: " + peer.reason + "\n";
  }
  for (const WarmRun& run : result.runs) {
    if (run.pairs.errors() == 0) continue;
    text += format("\n%llu errors (%s, %u connections), the first: ",
                   static_cast<unsigned long long>(run.pairs.errors()), run.scenario.answer.name,
                   run.scenario.connections) +
            run.pairs.first_error() + "\n";
  }
  if (result.interrupted) text += "\nInterrupted: what there is up to then.\n";
  return text;
}

Json head_json(const WarmResult& result, const Machine& machine, const std::string& command) {
  Json peers = Json::object();
  for (const auto& [name, what] : result.peers) peers[name] = what;
  Json missing = Json::object();
  for (const MissingPeer& peer : result.missing) missing[peer.name] = peer.reason;
  return {{"benchmark", result.suite},
          {"command", command},
          {"machine", to_json(machine)},
          {"nginx", result.nginx_version},
          {"rounds", result.plan.rounds},
          {"sliceSeconds", std::chrono::duration<double>(result.plan.slice).count()},
          {"seed", result.seed},
          {"emptySandboxes", result.pool_size},
          {"reference", result.reference},
          {"peers", peers},
          {"missing", missing},
          {"errors", result.errors()},
          {"interrupted", result.interrupted}};
}

Json peer_json(const WarmRun& run, const std::string& name, const Series* series) {
  Json json = {{"name", name}};
  json.update(traffic_json(series == nullptr ? run.pairs.reference : series->traffic()));
  const auto figure = [&](const SliceFigure& of) {
    return spread_json(series == nullptr ? reference_spread(run.pairs.series, of)
                                         : figure_spread(*series, of));
  };
  json["perSecond"] = figure(answers_per_second);
  json["cpuMicros"] = figure(cpu_us);
  if (series == nullptr) return json;
  json["pairs"] = series->pairs.size();
  json["processesEndedMeanwhile"] = ended_in(*series);
  json["perSecondRatio"] = spread_json(ratio_spread(*series, answers_per_second));
  json["cpuRatio"] = spread_json(ratio_spread(*series, cpu_us));
  for (const auto& [fraction, percentile] : kPercentiles) {
    const Spread spread = ratio_spread(
        *series, [fraction = fraction](const Slice& s) { return latency_us(s, fraction); });
    if (spread.median > 0) json["latencyRatio"][percentile] = spread_json(spread);
  }
  return json;
}

Json peers_json(const WarmRun& run, const std::string& reference) {
  Json json = Json::array();
  json.push_back(peer_json(run, reference, nullptr));
  for (const Series& series : run.pairs.series) {
    json.push_back(peer_json(run, series.name, &series));
  }
  return json;
}

}  // namespace subito::bench
