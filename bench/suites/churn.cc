#include "bench/suites/churn.h"

#include <algorithm>
#include <random>

#include "bench/bed.h"
#include "bench/figures.h"
#include "bench/interrupt.h"
#include "bench/kit/paired.h"
#include "bench/progress_line.h"

namespace subito::bench {

namespace {

using Clock = std::chrono::steady_clock;

struct ChurnRunner {
  Bed& bed;
  std::vector<PodEvents> events;  // a row
  ChurnResult& result;
  ProgressLine line{};

  Status round(std::mt19937_64& random);
  Status row(std::size_t index);
};

Status ChurnRunner::round(std::mt19937_64& random) {
  const bool forwards = random() % 2 == 0;
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    const std::size_t index = forwards ? i : result.rows.size() - 1 - i;
    line.show(format("churn: round %u of %u, %s", result.rounds + 1, result.options.rounds,
                     result.rows[index].function.mode.c_str()));
    RETURN_IF_ERROR(row(index));
  }
  ++result.rounds;
  return ok();
}

Status ChurnRunner::row(std::size_t index) {
  ChurnRow& row = result.rows[index];
  RETURN_IF_ERROR(bed.api.await_zero(result.options.pool_size));
  const std::uint32_t before = events[index].tally().started();
  const Load load = start_load(row.function.name, result.options.connections, &row.wrong);
  const Clock::time_point begin = Clock::now();
  ASSIGN_OR_RETURN(const std::vector<LoadResult> calls,
                   run_loads(bed.gateway, {load}, result.options.time));
  RETURN_IF_ERROR(bed.api.await_zero(0));
  const Clock::time_point gone = Clock::now();
  RETURN_IF_ERROR(bed.api.await_zero(result.options.pool_size));
  row.refill.push_back(std::chrono::nanoseconds(Clock::now() - gone).count());
  add(row.calls, calls[0]);
  RETURN_IF_ERROR(bed.api.scale(row.function.name, row.function.pods_max));
  RETURN_IF_ERROR(events[index].read_until(NodeClient::kScaledReason));
  row.per_second.push_back((events[index].tally().started() - before) /
                           std::chrono::duration<double>(gone - begin).count());
  return ok();
}

std::string churn_row(const ChurnResult& result, const ChurnRow& row) {
  const Spread spread = spread_of(row.per_second);
  return format("| %s | %.0f (%.0f to %.0f) | %u | %u | %u | ", row.function.mode.c_str(),
                spread.median, spread.least, spread.most, row.pods.started(),
                count_of(row.calls, 200), row.errors()) +
         words(result.kept) + format(" | %.0f |\n", ms(percentile(row.refill, 0.5)));
}

nlohmann::ordered_json churn_json(const ChurnResult& result, const ChurnRow& row) {
  nlohmann::ordered_json json = {{"start", row.function.mode},
                                 {"podsPerSecond", row.per_second},
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

const ChurnRow* fresh_row(const ChurnResult& result) {
  const auto found = std::find_if(result.rows.begin(), result.rows.end(), [](const ChurnRow& row) {
    return row.function.mode == "fresh" && !row.per_second.empty();
  });
  return found == result.rows.end() ? nullptr : &*found;
}

}  // namespace

// A pod that crashed or did not start is one, though its call may have been answered by another.
std::uint32_t ChurnRow::errors() const {
  std::uint32_t sum = calls.sent + calls.unsent - count_of(calls, 200) + wrong;
  for (const auto& [reason, count] : pods.faults()) sum += count;
  return sum;
}

double ChurnRow::median_per_second() const {
  return spread_of(per_second).median;
}

std::uint32_t ChurnResult::errors() const {
  std::uint32_t sum = 0;
  for (const ChurnRow& row : rows) sum += row.errors();
  return sum;
}

bool promises_kept(const ChurnResult& result) {
  const ChurnRow* row = fresh_row(result);
  return row == nullptr || row->median_per_second() >= kFreshPerSecondMin;
}

Result<ChurnResult> measure_churn(const ChurnOptions& options) {
  ASSIGN_OR_RETURN(const TempFolder folder, TempFolder::make());
  ASSIGN_OR_RETURN(Bed bed, Bed::make("", options.pool_size));
  ChurnResult result;
  result.options = options;
  result.seed = options.seed ? *options.seed : std::random_device()();
  ChurnRunner runner{bed, {}, result};
  for (const char* mode : {"pooled", "fresh"}) {
    ChurnRow row;
    row.function = {std::string("churn-") + mode, mode, "fixed", options.pods};
    RETURN_IF_ERROR(deploy_start(bed.api, folder.path(), row.function));
    ASSIGN_OR_RETURN(PodEvents events, PodEvents::open(bed.node.api_socket(), row.function.name));
    runner.events.push_back(std::move(events));
    result.rows.push_back(std::move(row));
  }
  ASSIGN_OR_RETURN(result.kept, measure_kept_ready(bed.api, options.pool_size));
  std::mt19937_64 random(result.seed);
  while (result.rounds < options.rounds && result.errors() == 0) {
    const Status done = runner.round(random);
    result.interrupted = Interrupt::happened();
    if (result.interrupted) break;
    if (!done) return done.error();
  }
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    result.rows[i].pods = runner.events[i].tally();
  }
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
  return json;
}

std::string to_text(const ChurnResult& result, const Machine& machine, const std::string& command) {
  std::string text = words(machine) + "\n" + command + "\n";
  text +=
      format("%u rounds of %g s each, %u callers, at most %u pods, seed %llu\n\n", result.rounds,
             std::chrono::duration<double>(result.options.time).count(), result.options.connections,
             result.options.pods, static_cast<unsigned long long>(result.seed));
  text +=
      "| start | pods started and ended a second | pods | answers | errors | kept ready on the "
      "node "
      "| refilled after, p50 ms |\n|---|--:|--:|--:|--:|---|--:|\n";
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
