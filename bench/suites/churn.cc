#include "bench/suites/churn.h"

#include <algorithm>
#include <random>

#include "bench/figures.h"
#include "bench/kit/paired.h"
#include "bench/progress_line.h"

namespace subito::bench {

namespace {

using Clock = std::chrono::steady_clock;

struct ChurnRunner {
  ChurnResult& result;
  ProgressLine line{};

  Status round(StartBed& bed, std::mt19937_64& random);
  Status row(StartBed& bed, std::size_t index);
};

Status ChurnRunner::round(StartBed& bed, std::mt19937_64& random) {
  const bool forwards = random() % 2 == 0;
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    const std::size_t index = forwards ? i : result.rows.size() - 1 - i;
    line.show(format("churn: round %u of %u, %s", result.rounds + 1, result.options.rounds,
                     result.rows[index].function.name.c_str()));
    RETURN_IF_ERROR(row(bed, index));
  }
  return ok();
}

Status ChurnRunner::row(StartBed& bed, std::size_t index) {
  NodeClient& api = bed.bed.api;
  PodEvents& events = bed.events[index];
  ChurnRow& row = result.rows[index];
  RETURN_IF_ERROR(api.await_zero(result.options.pool_size));
  const std::uint32_t before = events.tally().started();
  const Load load = start_load(row.function, result.options.connections, &row.wrong);
  const Clock::time_point begin = Clock::now();
  ASSIGN_OR_RETURN(const std::vector<LoadResult> calls,
                   run_loads(bed.bed.gateway, {load}, result.options.time));
  RETURN_IF_ERROR(api.await_zero(0));
  const Clock::time_point gone = Clock::now();
  RETURN_IF_ERROR(api.await_zero(result.options.pool_size));
  row.refill.push_back(std::chrono::nanoseconds(Clock::now() - gone).count());
  add(row.calls, calls[0]);
  RETURN_IF_ERROR(api.scale(row.function.name, row.function.pods_max));
  RETURN_IF_ERROR(events.read_until(NodeClient::kScaledReason));
  row.per_second.push_back((events.tally().started() - before) /
                           std::chrono::duration<double>(gone - begin).count());
  return ok();
}

std::string churn_row(const ChurnResult& result, const ChurnRow& row) {
  const Spread spread = spread_of(row.per_second);
  return format("| %s | %s | %.0f (%.0f to %.0f) | %u | %u | %u | ", row.function.what.name.c_str(),
                row.function.mode.c_str(), spread.median, spread.least, spread.most,
                row.pods.started(), count_of(row.calls, 200), row.errors()) +
         words(result.kept) + format(" | %.0f |\n", ms(percentile(row.refill, 0.5)));
}

nlohmann::ordered_json churn_json(const ChurnResult& result, const ChurnRow& row) {
  nlohmann::ordered_json json = {{"function", row.function.what.name},
                                 {"start", row.function.mode},
                                 {"podsMax", row.function.pods_max},
                                 {"podsPerSecondMedian", row.median_per_second()},
                                 {"podsStarted", row.pods.started()},
                                 {"podsMostAtOnce", row.pods.most_at_once()},
                                 {"calls", load_json(row.calls, row.errors())},
                                 {"wrongBodies", row.wrong},
                                 {"kept", to_json(result.kept)}};
  json["kept"]["refillMillis"] = millis_json(row.refill);
  for (const auto& [reason, count] : row.pods.faults()) json["faults"][reason] = count;
  return json;
}

std::vector<Measure> measures_of(const ChurnResult& result) {
  std::vector<Measure> measures;
  for (const ChurnRow& row : result.rows) {
    measures.push_back({"pods started and ended a second, " + row.function.what.name,
                        row.function.mode, "1/s", true, "", row.per_second});
    measures.push_back(times_measure("until the pool was full again, " + row.function.what.name,
                                     row.function.mode, row.refill));
  }
  return measures;
}

const ChurnRow* fresh_row(const ChurnResult& result) {
  const auto found = std::find_if(result.rows.begin(), result.rows.end(), [](const ChurnRow& row) {
    return row.function.mode == "fresh" && row.function.what.name == kPromisedFunction &&
           !row.per_second.empty();
  });
  return found == result.rows.end() ? nullptr : &*found;
}

}  // namespace

double ChurnRow::median_per_second() const {
  return spread_of(per_second).median;
}

bool promises_kept(const ChurnResult& result) {
  const ChurnRow* row = fresh_row(result);
  return row == nullptr || row->median_per_second() >= kFreshPerSecondMin;
}

Result<ChurnResult> measure_churn(const ChurnOptions& options) {
  ChurnResult result;
  result.options = options;
  for (const std::string& name : options.functions) {
    ASSIGN_OR_RETURN(const MeasuredFunction what, measured_function(name));
    for (const std::string& mode : kStartModes) {
      ChurnRow row;
      row.function = {name + "-" + mode, mode, "fixed", pods_that_fit(what, options.pods), 0, what};
      result.rows.push_back(std::move(row));
    }
  }
  ChurnRunner runner{result};
  RETURN_IF_ERROR(run_start_rounds(
      result, [&](StartBed& bed, std::mt19937_64& random) { return runner.round(bed, random); }));
  return result;
}

nlohmann::ordered_json to_json(const ChurnResult& result, const Machine& machine,
                               const std::string& command) {
  nlohmann::ordered_json json = {
      {"benchmark", "churn"},
      {"command", command},
      {"machine", to_json(machine)},
      {"rounds", result.rounds},
      {"seconds", std::chrono::duration<double>(result.options.time).count()},
      {"connections", result.options.connections},
      {"podsMax", result.options.pods},
      {"seed", result.seed},
      {"errors", result.errors()},
      {"interrupted", result.interrupted}};
  json["targets"] = nlohmann::ordered_json::array();
  if (const ChurnRow* row = fresh_row(result)) {
    json["targets"].push_back({{"what", "fresh starts and ends a second"},
                               {"min", kFreshPerSecondMin},
                               {"value", row->median_per_second()},
                               {"met", promises_kept(result)}});
  }
  json["rows"] = nlohmann::ordered_json::array();
  for (const ChurnRow& row : result.rows) json["rows"].push_back(churn_json(result, row));
  json["measures"] = measures_json(measures_of(result));
  return json;
}

std::string to_text(const ChurnResult& result, const Machine& machine, const std::string& command) {
  std::string text = words(machine) + "\n" + command + "\n";
  text +=
      format("%u rounds of %g s each, %u callers, at most %u pods, seed %llu\n\n", result.rounds,
             std::chrono::duration<double>(result.options.time).count(), result.options.connections,
             result.options.pods, static_cast<unsigned long long>(result.seed));
  text +=
      "| function | start | pods started and ended a second | pods | answers | errors | kept ready "
      "on the "
      "node "
      "| refilled after, p50 ms |\n|---|---|--:|--:|--:|--:|---|--:|\n";
  for (const ChurnRow& row : result.rows) text += churn_row(result, row);
  for (const ChurnRow& row : result.rows) {
    if (row.errors() == 0) continue;
    text += "\n" + row.function.name + ": " + answers_text(row.calls) + " " + row.calls.first_fault;
    for (const auto& [reason, count] : row.pods.faults()) {
      text += " " + reason + ": " + std::to_string(count) + ".";
    }
    text += "\n";
  }
  if (result.interrupted) text += "\nInterrupted: what there is up to then.\n";
  if (const ChurnRow* row = fresh_row(result)) {
    text += format("\n- fresh, at least %g a second: %.0f, %s\n", kFreshPerSecondMin,
                   row->median_per_second(), promises_kept(result) ? "met" : "MISSED");
  }
  return text;
}

}  // namespace subito::bench
