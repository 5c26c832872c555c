#include "deploy/cli/top_view.h"

#include <algorithm>
#include <cstdio>

#include "runtime/metrics/reading.h"

namespace subito::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNanoseconds = 1e9;
constexpr double kMicroseconds = 1e6;

// Of a counter: one that is smaller than before began anew.
double rise(double before, double after) {
  return after < before ? after : after - before;
}

std::string rate_words(double a_second) {
  char text[32];
  std::snprintf(text, sizeof text, a_second < 10 && a_second > 0 ? "%.1f" : "%.0f", a_second);
  return text;
}

std::string count_words(double count) {
  return std::to_string(static_cast<std::int64_t>(count));
}

std::string share_words(double share) {
  return count_words(share * 100 + 0.5) + " %";
}

std::string latency_words(double seconds) {
  return seconds > 0 ? time_words(seconds * kMicroseconds) : "-";
}

std::array<double, metrics::kBucketCount> rises(const TopSample::Function& before,
                                                const TopSample::Function& after) {
  std::array<double, metrics::kBucketCount> counts{};
  double below = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double cumulative = rise(before.cumulative[i], after.cumulative[i]);
    counts[i] = std::max(cumulative - below, 0.0);
    below = cumulative;
  }
  return counts;
}

double key_of(const TopRow& row, TopSort by) {
  switch (by) {
    case TopSort::kRate:
      return row.rate;
    case TopSort::kP50:
      return row.p50;
    case TopSort::kP99:
      return row.p99;
    case TopSort::kErrors:
      return row.errors;
    case TopSort::kStarts:
      return row.starts;
    case TopSort::kPods:
      return row.pods;
    case TopSort::kWaiting:
      return row.waiting;
    case TopSort::kMemory:
      return row.memory_bytes;
    case TopSort::kName:
      return 0;
  }
  return 0;
}

}  // namespace

void TopSample::add_line(std::string_view line) {
  const auto sample = metrics::read_sample(line);
  if (!sample) return;
  const std::string_view name = sample->name;
  if (name == "subito_node_info") version = sample->label("version");
  const std::string_view function = sample->label("function");
  if (function.empty()) {
    const bool busy = sample->label("mode") == "busy";
    return add_of_node(name, busy ? "busy" : std::string(sample->label("state")), sample->value);
  }
  Function& of = functions[std::string(function)];
  const double value = sample->value;
  if (name == "subito_function_requests_total") {
    of.requests += value;
    if (sample->label("code") == "5xx") of.errors += value;
  } else if (name == "subito_function_starts_total") {
    of.starts += value;
  } else if (name == "subito_function_pods") {
    of.pods += value;
  } else if (name == "subito_function_waiting") {
    of.waiting = value;
  } else if (name == "subito_function_memory_bytes") {
    of.memory_bytes = value;
  } else if (name == "subito_function_request_duration_seconds_bucket") {
    const auto* at = std::find(metrics::kBucketLabels.begin(), metrics::kBucketLabels.end(),
                               sample->label("le"));
    if (at == metrics::kBucketLabels.end()) return;
    of.cumulative[static_cast<std::size_t>(at - metrics::kBucketLabels.begin())] = value;
  }
}

void TopSample::add_of_node(std::string_view name, const std::string& state, double value) {
  if (name == "process_start_time_seconds") start_time = value;
  if (name == "subito_node_pods") pods = value;
  if (name == "subito_node_pods_limit") pods_limit = value;
  if (name == "subito_node_waiting") waiting = value;
  if (name == "subito_loop_cpu_seconds_total") loop_seconds = value;
  if (name == "subito_host_cpus") host_cpus = value;
  if (name == "subito_host_cpu_seconds_total" && state == "busy") host_busy_seconds = value;
  if (name == "subito_host_memory_bytes")
    (state == "total" ? memory_total : memory_available) = value;
}

const std::map<std::string, TopSort>& top_sorts() {
  static const std::map<std::string, TopSort> kSorts = {
      {"rate", TopSort::kRate},       {"p50", TopSort::kP50},       {"p99", TopSort::kP99},
      {"errors", TopSort::kErrors},   {"starts", TopSort::kStarts}, {"pods", TopSort::kPods},
      {"waiting", TopSort::kWaiting}, {"memory", TopSort::kMemory}, {"name", TopSort::kName}};
  return kSorts;
}

std::optional<TopSort> top_sort_of_key(char key) {
  switch (key) {
    case 'r':
      return TopSort::kRate;
    case '5':
      return TopSort::kP50;
    case '9':
      return TopSort::kP99;
    case 'e':
      return TopSort::kErrors;
    case 's':
      return TopSort::kStarts;
    case 'p':
      return TopSort::kPods;
    case 'w':
      return TopSort::kWaiting;
    case 'm':
      return TopSort::kMemory;
    case 'n':
      return TopSort::kName;
    default:
      return std::nullopt;
  }
}

TopView::TopView(const TopSample* before, const TopSample& after) : after_(after) {
  const double now = static_cast<double>(after.unix_ns) / kNanoseconds;
  // A node that began since has nothing in common with the one before.
  if (before != nullptr && before->start_time != after.start_time) before = nullptr;
  const double then =
      before != nullptr ? static_cast<double>(before->unix_ns) / kNanoseconds : after.start_time;
  seconds_ = std::max(now - then, 1e-3);
  const TopSample none;
  const TopSample& from = before != nullptr ? *before : none;
  for (const auto& [name, function] : after.functions) {
    const auto at = from.functions.find(name);
    const TopSample::Function was = at == from.functions.end() ? TopSample::Function() : at->second;
    const auto counts = rises(was, function);
    TopRow row{name};
    row.rate = rise(was.requests, function.requests) / seconds_;
    row.errors = rise(was.errors, function.errors) / seconds_;
    row.starts = rise(was.starts, function.starts) / seconds_;
    row.p50 = metrics::quantile_seconds(counts, 0.5);
    row.p99 = metrics::quantile_seconds(counts, 0.99);
    row.pods = function.pods;
    row.waiting = function.waiting;
    row.memory_bytes = function.memory_bytes;
    rows_.push_back(std::move(row));
  }
  loop_share_ = rise(from.loop_seconds, after.loop_seconds) / seconds_;
  // Of the host since it began, the node's life tells nothing.
  if (before != nullptr && after.host_cpus > 0) {
    cpu_share_ = rise(from.host_busy_seconds, after.host_busy_seconds) / seconds_ / after.host_cpus;
  }
  sort(TopSort::kRate);
}

void TopView::sort(TopSort by) {
  std::sort(rows_.begin(), rows_.end(), [by](const TopRow& a, const TopRow& b) {
    const double left = key_of(a, by), right = key_of(b, by);
    return left != right ? left > right : a.function < b.function;
  });
}

std::string TopView::headline() const {
  const auto functions = rows_.size();
  std::string text = "subito " + after_.version + ", " + std::to_string(functions) +
                     (functions == 1 ? " function, " : " functions, ") + count_words(after_.pods) +
                     " of " + count_words(after_.pods_limit) + " pods, " +
                     count_words(after_.waiting) + " waiting, loop " + share_words(loop_share_);
  if (cpu_share_ > 0) {
    text += ", CPU " + share_words(cpu_share_) + " of " + count_words(after_.host_cpus);
  }
  return text + ", memory " + size_words(static_cast<std::uint64_t>(after_.memory_available)) +
         " of " + size_words(static_cast<std::uint64_t>(after_.memory_total)) + " free";
}

Table TopView::table(std::size_t rows_max) const {
  Table table(
      {"FUNCTION", "RATE/S", "P50", "P99", "ERRORS/S", "PODS", "WAITING", "STARTS/S", "MEMORY"});
  constexpr std::size_t kErrorsColumn = 4;
  for (const TopRow& row : rows_) {
    if (rows_max-- == 0) break;
    table.add(
        {row.function, rate_words(row.rate), latency_words(row.p50), latency_words(row.p99),
         rate_words(row.errors), count_words(row.pods), count_words(row.waiting),
         rate_words(row.starts),
         row.memory_bytes > 0 ? size_words(static_cast<std::uint64_t>(row.memory_bytes)) : "-"},
        row.errors > 0 ? Colour::kRed : Colour::kNone, kErrorsColumn);
  }
  return table;
}

Json TopView::json() const {
  Json items = Json::array();
  for (const TopRow& row : rows_) {
    items.push_back({{"function", row.function},
                     {"requestsPerSecond", row.rate},
                     {"p50Seconds", row.p50},
                     {"p99Seconds", row.p99},
                     {"errorsPerSecond", row.errors},
                     {"pods", row.pods},
                     {"waiting", row.waiting},
                     {"startsPerSecond", row.starts},
                     {"memoryBytes", row.memory_bytes}});
  }
  return {{"seconds", seconds_},
          {"node",
           {{"version", after_.version},
            {"pods", after_.pods},
            {"podsMax", after_.pods_limit},
            {"waiting", after_.waiting},
            {"loop", loop_share_}}},
          {"items", std::move(items)}};
}

}  // namespace subito::cli
