#include "bench/simulate/report.h"

#include <algorithm>

#include "bench/figures.h"
#include "bench/simulate/text.h"
#include "scheduler/digest.h"

namespace subito::simulate {
namespace {

using Json = nlohmann::ordered_json;

using bench::format;

std::string time_at(const Histogram& histogram, double fraction) {
  return words(Duration(histogram.percentile(fraction)));
}

std::string slowdown_at(const Histogram& slowdown, double fraction) {
  return format("%.4g", static_cast<double>(slowdown.percentile(fraction)) / 1000);
}

template <typename Row>
struct Column {
  const char* head;
  std::string (*cell)(const Row&);
};
const Column<Outcome> kColumns[] = {
    {"policy", [](const Outcome& it) { return it.policy; }},
    {"start", [](const Outcome& it) { return it.cold_start; }},
    {"cold", [](const Outcome& it) { return format("%.3g %%", 100 * it.cold_share()); }},
    {"wait p99", [](const Outcome& it) { return time_at(it.waiting, 0.99); }},
    {"p99.9", [](const Outcome& it) { return time_at(it.waiting, 0.999); }},
    {"resp. p50", [](const Outcome& it) { return time_at(it.response, 0.5); }},
    {"p99", [](const Outcome& it) { return time_at(it.response, 0.99); }},
    {"slow p50", [](const Outcome& it) { return slowdown_at(it.slowdown, 0.5); }},
    {"p99", [](const Outcome& it) { return slowdown_at(it.slowdown, 0.99); }},
    {"functions'", [](const Outcome& it) { return format("%.4g", it.slowdown_p99_functions); }},
    {"GB h used", [](const Outcome& it) { return format("%.4g", it.gb_seconds_used / 3600); }},
    {"idle", [](const Outcome& it) { return format("%.4g", it.gb_seconds_idle / 3600); }},
    {"pod h", [](const Outcome& it) { return format("%.4g", it.pod_seconds / 3600); }},
    {"starts/s", [](const Outcome& it) { return format("%.3g", it.starts_per_second()); }},
    {"refused", [](const Outcome& it) { return grouped(it.lost()); }},
};

// A line of the table by function.
struct Line {
  const Outcome* outcome;
  const FunctionOutcome* function;
};

template <int status>
std::string refused_with(const Line& line) {
  const auto found = line.function->refused.find(status);
  return grouped(found == line.function->refused.end() ? 0 : found->second);
}

const Column<Line> kFunctionColumns[] = {
    {"policy", [](const Line& it) { return it.outcome->policy; }},
    {"start", [](const Line& it) { return it.outcome->cold_start; }},
    {"function", [](const Line& it) { return it.function->name; }},
    {"arrived", [](const Line& it) { return grouped(it.function->arrived); }},
    {"completed", [](const Line& it) { return grouped(it.function->completed); }},
    {"429", refused_with<429>},
    {"503", refused_with<503>},
    {"504", refused_with<504>},
    {"508", refused_with<508>},
    {"failed", [](const Line& it) { return grouped(it.function->failed); }},
    {"resp. p50", [](const Line& it) { return time_at(it.function->response, 0.5); }},
    {"p99", [](const Line& it) { return time_at(it.function->response, 0.99); }},
    {"slow p50", [](const Line& it) { return slowdown_at(it.function->slowdown, 0.5); }},
    {"p99", [](const Line& it) { return slowdown_at(it.function->slowdown, 0.99); }},
};

// Characters, not bytes: those that continue one do not count.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

template <typename Row, std::size_t count>
std::string table(const Column<Row> (&columns)[count], const std::vector<Row>& rows) {
  std::vector<std::string> lines(rows.size() + 1);
  for (const Column<Row>& column : columns) {
    std::vector<std::string> cells = {column.head};
    for (const Row& row : rows) cells.push_back(column.cell(row));
    std::size_t width = 0;
    for (const std::string& cell : cells) width = std::max(width, width_of(cell));
    const bool left = &column == columns;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string space(width - width_of(cells[i]), ' ');
      lines[i] += (left ? "" : "  ") + (left ? cells[i] + space : space + cells[i]);
    }
  }
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string table_by_function(const std::vector<Outcome>& outcomes) {
  std::vector<Line> lines;
  for (const Outcome& outcome : outcomes) {
    for (const FunctionOutcome& function : outcome.functions)
      lines.push_back({&outcome, &function});
  }
  return lines.empty() ? "" : "\nby function\n" + table(kFunctionColumns, lines);
}

std::string refusals(const Outcome& outcome) {
  std::string text;
  for (std::size_t i = 0; i < outcome.refused.size(); ++i) {
    if (outcome.refused[i] == 0) continue;
    text += "  " + grouped(outcome.refused[i]) + " " +
            std::string(scheduler::to_string(static_cast<scheduler::RefuseReason>(i))) + "\n";
  }
  if (outcome.cancelled > 0) {
    text += "  " + grouped(outcome.cancelled) + " the deadline passed in the pod\n";
  }
  if (outcome.looped > 0) {
    text += "  " + grouped(outcome.looped) + " calls of functions went round or too deep\n";
  }
  if (outcome.failed > 0) {
    text +=
        "  " + grouped(outcome.failed) + " failed with a call of theirs, or with their caller\n";
  }
  return text.empty() ? text : outcome.policy + ", " + outcome.cold_start + ", refused:\n" + text;
}

Json times_json(const Histogram& histogram, double per_unit) {
  Json json;
  for (const auto& [name, fraction] : {std::pair("p50", 0.5), std::pair("p90", 0.9),
                                       std::pair("p99", 0.99), std::pair("p999", 0.999)}) {
    json[name] = static_cast<double>(histogram.percentile(fraction)) / per_unit;
  }
  json["max"] = static_cast<double>(histogram.max()) / per_unit;
  return json;
}

Json functions_json(const Outcome& outcome) {
  Json functions = Json::array();
  for (const FunctionOutcome& it : outcome.functions) {
    Json refused = Json::object();
    for (const auto& [status, count] : it.refused) refused[std::to_string(status)] = count;
    functions.push_back({{"name", it.name},
                         {"arrived", it.arrived},
                         {"completed", it.completed},
                         {"failed", it.failed},
                         {"refused", refused},
                         {"responseMicros", times_json(it.response, 1e3)},
                         {"slowdown", times_json(it.slowdown, 1e3)}});
  }
  return functions;
}

Json outcome_json(const Outcome& outcome) {
  Json refused = Json::object();
  for (std::size_t i = 0; i < outcome.refused.size(); ++i) {
    if (outcome.refused[i] == 0) continue;
    const auto reason = static_cast<scheduler::RefuseReason>(i);
    refused[std::string(scheduler::to_string(reason))] = outcome.refused[i];
  }
  return {{"policy", outcome.policy},
          {"coldStart", outcome.cold_start},
          {"arrived", outcome.arrived},
          {"completed", outcome.completed},
          {"cold", outcome.cold},
          {"coldShare", outcome.cold_share()},
          {"refused", refused},
          {"cancelled", outcome.cancelled},
          {"looped", outcome.looped},
          {"failed", outcome.failed},
          {"waitingMicros", times_json(outcome.waiting, 1e3)},
          {"responseMicros", times_json(outcome.response, 1e3)},
          {"slowdown", times_json(outcome.slowdown, 1e3)},
          {"slowdownP99OfFunctions", outcome.slowdown_p99_functions},
          {"functions", functions_json(outcome)},
          {"starts", outcome.starts},
          {"startsPerSecond", outcome.starts_per_second()},
          {"podsPeak", outcome.pods_peak},
          {"podSeconds", outcome.pod_seconds},
          {"gbSecondsUsed", outcome.gb_seconds_used},
          {"gbSecondsIdle", outcome.gb_seconds_idle},
          {"podsOverTime", outcome.pods_over_time},
          {"podsOverTimeBucketSeconds", std::chrono::duration<double>(outcome.bucket).count()},
          {"coveredSeconds", std::chrono::duration<double>(outcome.covered).count()},
          {"interrupted", outcome.interrupted},
          {"digest", hex(outcome.digest)},
          {"cpuSeconds", outcome.cpu_seconds}};
}

}  // namespace

bool Comparison::interrupted() const {
  return std::any_of(outcomes.begin(), outcomes.end(),
                     [](const Outcome& outcome) { return outcome.interrupted; });
}

std::uint64_t Comparison::digest() const {
  scheduler::Digest all;
  for (const Outcome& outcome : outcomes) all.add(outcome.digest);
  return all.value();
}

std::string to_text(const Comparison& comparison) {
  std::string text = comparison.workload + "\n" + comparison.node + "\n";
  text += format("seed %llu, digest ", static_cast<unsigned long long>(comparison.seed)) +
          hex(comparison.digest()) + "\n\n" + table(kColumns, comparison.outcomes);
  text += table_by_function(comparison.outcomes);
  double cpu = 0;
  double calls = 0;
  std::string refused;
  for (const Outcome& outcome : comparison.outcomes) {
    if (outcome.digest == 0) continue;  // lived, not simulated
    cpu += outcome.cpu_seconds;
    calls += static_cast<double>(outcome.arrived);
    refused += refusals(outcome);
  }
  text += "\n" + refused;
  text += format("%s calls in %.1f s of one core, %.2f million a second\n",
                 grouped(static_cast<std::uint64_t>(calls)).c_str(), cpu,
                 cpu > 0 ? calls / cpu / 1e6 : 0);
  if (comparison.interrupted()) {
    text += "Interrupted " + words(comparison.outcomes.back().covered) + " into the last run.\n";
  }
  return text;
}

Json to_json(const Comparison& comparison) {
  Json runs = Json::array();
  for (const Outcome& outcome : comparison.outcomes) runs.push_back(outcome_json(outcome));
  return {{"command", comparison.command},
          {"workload", comparison.workload},
          {"node", comparison.node},
          {"seed", comparison.seed},
          {"digest", hex(comparison.digest())},
          {"interrupted", comparison.interrupted()},
          {"runs", runs}};
}

}  // namespace subito::simulate
