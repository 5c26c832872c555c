#include "bench/suites/burst.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "bench/figures.h"
#include "bench/progress_line.h"

namespace subito::bench {

namespace {

using Clock = std::chrono::steady_clock;

// What is due is due at once; the load ends with its last answer, or kLoadGrace later.
constexpr std::chrono::seconds kBurstTime{1};

struct BurstRunner {
  BurstResult& result;
  ProgressLine line{};

  Status round(StartBed& bed, std::mt19937_64& random);
  Status row(StartBed& bed, std::size_t index);
};

Status BurstRunner::round(StartBed& bed, std::mt19937_64& random) {
  std::vector<std::size_t> order(result.rows.size());
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  for (const std::size_t index : order) {
    const BurstRow& row_now = result.rows[index];
    line.show(format("burst: round %u of %u, %u at once, %s", result.rounds + 1,
                     result.options.rounds, row_now.at_once, row_now.function.name.c_str()));
    RETURN_IF_ERROR(row(bed, index));
  }
  return ok();
}

Status BurstRunner::row(StartBed& bed, std::size_t index) {
  NodeClient& api = bed.bed.api;
  BurstRow& row = result.rows[index];
  RETURN_IF_ERROR(api.await_zero(result.options.pool_size));
  Load load = start_load(row.function, row.at_once, &row.wrong);
  load.requests_max = row.at_once;
  // No rate: all are due at once, as each has a connection.
  ASSIGN_OR_RETURN(const std::vector<LoadResult> calls,
                   run_loads(bed.bed.gateway, {load}, kBurstTime));
  const Clock::time_point answered = Clock::now();
  RETURN_IF_ERROR(api.await_zero(result.options.pool_size));
  row.refill.push_back(std::chrono::nanoseconds(Clock::now() - answered).count());
  const std::int64_t hold = row.function.what.hold.count();
  row.first.push_back(percentile(calls[0].samples, 0) - hold);
  row.all.push_back(percentile(calls[0].samples, 1) - hold);
  add(row.calls, calls[0]);
  RETURN_IF_ERROR(api.scale(row.function.name, row.function.pods_max));
  return bed.events[index].read_until(NodeClient::kScaledReason);
}

void add_rows(const BurstOptions& options, const MeasuredFunction& what,
              std::vector<BurstRow>& rows) {
  for (const std::string& mode : kStartModes) {
    for (const char* policy : {"instant", "fixed"}) {
      for (const std::uint32_t at_once : options.at_once) {
        BurstRow row;
        const std::string name =
            what.name + "-" + mode + "-" + policy + "-" + std::to_string(at_once);
        row.function = {name, mode, policy, pods_that_fit(what, at_once), 0, what};
        row.at_once = at_once;
        rows.push_back(std::move(row));
      }
    }
  }
}

Result<std::vector<BurstRow>> rows_of(const BurstOptions& options) {
  std::vector<BurstRow> rows;
  for (const std::string& name : options.functions) {
    ASSIGN_OR_RETURN(const MeasuredFunction what, measured_function(name));
    add_rows(options, what, rows);
  }
  return rows;
}

std::vector<Measure> measures_of(const BurstResult& result) {
  std::vector<Measure> measures;
  for (const BurstRow& row : result.rows) {
    const std::string where = format("%u calls at once, ", row.at_once) + row.function.what.name;
    const std::string name = row.function.mode + ", " + row.function.policy;
    measures.push_back(times_measure(where + ": until the first was answered", name, row.first));
    measures.push_back(times_measure(where + ": until all were answered", name, row.all));
    measures.push_back(times_measure(where + ": until the pool was full again", name, row.refill));
  }
  return measures;
}

double all_ms(const BurstRow& row) {
  return ms(percentile(row.all, 0.5));
}

// The row that the promise is about; null: it was not run.
const BurstRow* promised(const BurstResult& result) {
  for (const BurstRow& row : result.rows) {
    const bool pods_each = row.function.mode == "pooled" && row.function.policy == "fixed" &&
                           row.function.what.name == kHeldFunction;
    if (pods_each && row.at_once == kBurstCalls && !row.all.empty()) return &row;
  }
  return nullptr;
}

std::string burst_row(const BurstResult& result, const BurstRow& row) {
  return format("| %s | %s | %s | %u | %.1f | %.1f | %.1f | %u | %u | %u | ",
                row.function.what.name.c_str(), row.function.mode.c_str(),
                row.function.policy.c_str(), row.at_once, ms(percentile(row.first, 0.5)),
                all_ms(row), ms(percentile(row.all, 1)), row.pods.most_at_once(),
                row.pods.started(), row.errors()) +
         words(result.kept) + format(" | %.0f |\n", ms(percentile(row.refill, 0.5)));
}

nlohmann::ordered_json burst_json(const BurstResult& result, const BurstRow& row) {
  nlohmann::ordered_json json = {{"function", row.function.what.name},
                                 {"start", row.function.mode},
                                 {"policy", row.function.policy},
                                 {"podsMax", row.function.pods_max},
                                 {"atOnce", row.at_once},
                                 {"calls", load_json(row.calls, row.errors())},
                                 {"wrongBodies", row.wrong},
                                 {"firstMillis", millis_json(row.first)},
                                 {"allMillis", millis_json(row.all)},
                                 {"podsStarted", row.pods.started()},
                                 {"podsMostAtOnce", row.pods.most_at_once()},
                                 {"kept", to_json(result.kept)}};
  json["kept"]["refillMillis"] = millis_json(row.refill);
  for (const auto& [reason, count] : row.pods.faults()) json["faults"][reason] = count;
  return json;
}

}  // namespace

bool promises_kept(const BurstResult& result) {
  const BurstRow* row = promised(result);
  return row == nullptr ||
         (row->errors() == 0 && row->pods.most_at_once() >= kBurstCalls &&
          all_ms(*row) <= std::chrono::duration<double, std::milli>(kBurstMax).count());
}

Result<BurstResult> measure_burst(const BurstOptions& options) {
  BurstResult result;
  result.options = options;
  ASSIGN_OR_RETURN(result.rows, rows_of(options));
  BurstRunner runner{result};
  RETURN_IF_ERROR(run_start_rounds(
      result, [&](StartBed& bed, std::mt19937_64& random) { return runner.round(bed, random); }));
  return result;
}

nlohmann::ordered_json to_json(const BurstResult& result, const Machine& machine,
                               const std::string& command) {
  nlohmann::ordered_json json = {
      {"benchmark", "burst"},        {"command", command},
      {"machine", to_json(machine)}, {"rounds", result.rounds},
      {"seed", result.seed},         {"emptySandboxes", result.options.pool_size},
      {"errors", result.errors()},   {"interrupted", result.interrupted}};
  json["targets"] = nlohmann::ordered_json::array();
  if (const BurstRow* row = promised(result)) {
    json["targets"].push_back({{"what", "100 pods from zero, all of which have answered"},
                               {"millisMax", kBurstMax.count()},
                               {"millis", all_ms(*row)},
                               {"pods", row->pods.most_at_once()},
                               {"met", promises_kept(result)}});
  }
  json["rows"] = nlohmann::ordered_json::array();
  for (const BurstRow& row : result.rows) json["rows"].push_back(burst_json(result, row));
  json["measures"] = measures_json(measures_of(result));
  return json;
}

std::string to_text(const BurstResult& result, const Machine& machine, const std::string& command) {
  std::string text = words(machine) + "\n" + command + "\n";
  text += format("%u rounds, seed %llu; times in ms from the moment when all calls were due\n\n",
                 result.rounds, static_cast<unsigned long long>(result.seed));
  text +=
      "| function | start | policy | at once | first, p50 | all answered, p50 | most | pods at "
      "once "
      "| pods started | errors | kept ready on the node | refilled after, p50 |\n"
      "|---|---|---|--:|--:|--:|--:|--:|--:|--:|---|--:|\n";
  for (const BurstRow& row : result.rows) text += burst_row(result, row);
  text +=
      "\nPods started: of all rounds; at once: the most of any. Policy `fixed` starts one for each "
      "call\nthat finds none free, `instant` (the default) as many as pay; short calls free their "
      "pods for\nothers. `held` answers after 250 ms, which its times leave out, so that no pod "
      "has "
      "two calls.\n`heavy` has no more pods than half of the available memory holds.\n";
  for (const BurstRow& row : result.rows) {
    if (row.errors() == 0) continue;
    text += "\n" + row.function.name + ": " + answers_text(row.calls) + " " +
            row.calls.first_fault + format(" Wrong bodies: %u.\n", row.wrong);
  }
  if (result.interrupted) text += "\nInterrupted: what there is up to then.\n";
  if (const BurstRow* row = promised(result)) {
    text += format(
        "\n- %u pods from zero, all of which have answered within %lld ms in the median round: "
        "%.1f with "
        "%u pods, %s\n",
        kBurstCalls, static_cast<long long>(kBurstMax.count()), all_ms(*row),
        row->pods.most_at_once(), promises_kept(result) ? "met" : "MISSED");
  }
  return text;
}

}  // namespace subito::bench
