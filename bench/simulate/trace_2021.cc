#include <algorithm>
#include <unordered_map>

#include "bench/simulate/csv.h"
#include "bench/simulate/distribution.h"
#include "bench/simulate/text.h"
#include "bench/simulate/trace.h"

namespace subito::simulate {
namespace {

constexpr std::size_t kRowsMax = 100'000'000;

struct Row {
  Duration start;
  Duration service;
  std::uint32_t function;
};

class Rows final : public Workload {
 public:
  Rows(std::shared_ptr<const std::vector<Row>> rows, TimePoint end)
      : rows_(std::move(rows)), end_(end) {}

  bool next(Arrival& arrival) override {
    if (at_ == rows_->size()) return false;
    const Row& row = (*rows_)[at_++];
    arrival = {TimePoint(row.start), row.function, row.service};
    return arrival.at < end_;
  }

 private:
  std::shared_ptr<const std::vector<Row>> rows_;
  TimePoint end_;
  std::size_t at_ = 0;
};

Result<std::vector<Row>> read_rows(Csv& csv, std::size_t& functions) {
  std::vector<Row> rows;
  std::unordered_map<std::string, std::uint32_t> by_name;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, csv.next());
    if (!more) break;
    ASSIGN_OR_RETURN(const std::string_view app, csv.name(0));
    ASSIGN_OR_RETURN(const std::string_view function, csv.name(1));
    ASSIGN_OR_RETURN(const double end, csv.number(2));
    ASSIGN_OR_RETURN(const double took, csv.number(3));
    constexpr double kDays31 = 31 * 86'400.0;
    if (end > kDays31) return csv.wrong(2, "a time of at most 31 days, in seconds");
    if (took > kDays31) return csv.wrong(3, "at most 31 days, in seconds");
    if (rows.size() == kRowsMax) return csv.wrong(0, "at most 100,000,000 rows");
    const auto index = static_cast<std::uint32_t>(by_name.size());
    const auto found = by_name.emplace(std::string(app) + "/" + std::string(function), index).first;
    const Duration service = of_seconds(took);
    rows.push_back({of_seconds(end) - service, service, found->second});
  }
  functions = by_name.size();
  return rows;
}

}  // namespace

Result<Plan> trace_2021_plan(const std::string& file) {
  ASSIGN_OR_RETURN(Csv csv, Csv::open(file, {"app", "func", "end_timestamp", "duration"}));
  std::size_t functions = 0;
  ASSIGN_OR_RETURN(std::vector<Row> rows, read_rows(csv, functions));
  if (rows.empty()) return fail(ErrorCode::kProtocol, file + ":2: there are no rows");
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.start < b.start; });
  // A call may have begun before the trace did.
  const Duration first = rows.front().start;
  for (Row& row : rows) row.start -= first;
  Plan plan;
  plan.duration = rows.back().start + Duration(1);
  plan.functions.assign(functions, FunctionFacts{kMemoryUnknown});
  plan.words = "Azure's trace of 2021, " + grouped(functions) + " functions, " +
               grouped(rows.size()) + " calls in " + words(plan.duration);
  auto shared = std::make_shared<const std::vector<Row>>(std::move(rows));
  plan.begin = [shared](TimePoint end) { return std::make_unique<Rows>(shared, end); };
  return plan;
}

}  // namespace subito::simulate
