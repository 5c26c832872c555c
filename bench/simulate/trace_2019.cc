#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <unordered_map>

#include "bench/simulate/csv.h"
#include "bench/simulate/distribution.h"
#include "bench/simulate/merge.h"
#include "bench/simulate/random.h"
#include "bench/simulate/text.h"
#include "bench/simulate/trace.h"

namespace subito::simulate {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kMinutes = 1440;
constexpr std::int64_t kMinuteNanos = 60'000'000'000;
constexpr std::string_view kCalls = "invocations_per_function";
constexpr std::string_view kRunTimes = "function_durations_percentiles";
constexpr std::string_view kMemoryKind = "app_memory_percentiles";

struct MinuteCalls {
  std::uint32_t minute;  // of the whole trace
  std::uint32_t calls;
};

struct TracedFunction {
  std::uint64_t memory_bytes = kMemoryUnknown;
  double log_mean = natural_log(kRunSecondsUnknown);  // of seconds
  double sigma = 0;
  std::vector<MinuteCalls> minutes;
};

struct Trace {
  std::vector<TracedFunction> functions;
  std::unordered_map<std::string, std::uint32_t> by_name;  // "owner/app/function"
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_app;
  std::uint64_t calls = 0;
};

class MinuteSource {
 public:
  MinuteSource(const TracedFunction& function, std::uint64_t seed, std::uint32_t index)
      : function_(&function), random_(seed, index) {}

  TimePoint first() { return next(TimePoint()); }
  Duration service() {
    if (function_->sigma == 0) return of_seconds(exponential(function_->log_mean));
    return of_seconds(exponential(function_->log_mean + function_->sigma * random_.normal()));
  }
  TimePoint next(TimePoint) {
    if (entry_ == function_->minutes.size()) return TimePoint::max();
    const MinuteCalls& now = function_->minutes[entry_];
    const double part = (called_ + random_.uniform()) / now.calls;
    if (++called_ == now.calls) {
      ++entry_;
      called_ = 0;
    }
    return TimePoint(Duration(now.minute * kMinuteNanos +
                              static_cast<std::int64_t>(part * static_cast<double>(kMinuteNanos))));
  }

 private:
  const TracedFunction* function_;
  Random random_;
  std::size_t entry_ = 0;
  std::uint32_t called_ = 0;  // of the entry's calls
};

std::vector<std::string> calls_header() {
  std::vector<std::string> header = {"HashOwner", "HashApp", "HashFunction", "Trigger"};
  for (std::uint32_t i = 1; i <= kMinutes; ++i) header.push_back(std::to_string(i));
  return header;
}

std::vector<std::string> percentile_header(std::vector<std::string> header,
                                           const std::string& prefix,
                                           const std::vector<int>& percentiles) {
  for (const int percentile : percentiles) header.push_back(prefix + std::to_string(percentile));
  return header;
}

Result<std::string> joined_names(const Csv& csv, std::size_t count) {
  std::string name;
  for (std::size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(const std::string_view part, csv.name(i));
    if (i > 0) name += '/';
    name += part;
  }
  return name;
}

Status read_calls(const std::string& file, std::uint32_t day, Trace& trace) {
  ASSIGN_OR_RETURN(Csv csv, Csv::open(file, calls_header()));
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, csv.next());
    if (!more) return ok();
    ASSIGN_OR_RETURN(const std::string app, joined_names(csv, 2));
    ASSIGN_OR_RETURN(const std::string name, joined_names(csv, 3));
    ASSIGN_OR_RETURN([[maybe_unused]] const std::string_view trigger, csv.name(3));
    const auto index = static_cast<std::uint32_t>(trace.functions.size());
    const auto [found, added] = trace.by_name.emplace(name, index);
    if (added) {
      trace.functions.emplace_back();
      trace.by_app[app].push_back(index);
    }
    std::vector<MinuteCalls>& minutes = trace.functions[found->second].minutes;
    if (!minutes.empty() && minutes.back().minute >= day * kMinutes) {
      return csv.wrong(2, "a function that stands in the file only once");
    }
    for (std::uint32_t minute = 0; minute < kMinutes; ++minute) {
      if (csv.field(4 + minute) == "0") continue;
      ASSIGN_OR_RETURN(const std::uint64_t calls, csv.count(4 + minute));
      if (calls == 0) continue;
      minutes.push_back({day * kMinutes + minute, static_cast<std::uint32_t>(calls)});
      trace.calls += calls;
    }
  }
}

// Read from the last day to the first: the first that knows a function counts.
Status read_run_times(const std::string& file, Trace& trace) {
  const std::vector<std::string> header = percentile_header(
      {"HashOwner", "HashApp", "HashFunction", "Average", "Count", "Minimum", "Maximum"},
      "percentile_Average_", {0, 1, 25, 50, 75, 99, 100});
  constexpr std::size_t kAverage = 3;
  constexpr std::size_t kLower = 9;
  constexpr std::size_t kUpper = 11;
  ASSIGN_OR_RETURN(Csv csv, Csv::open(file, header));
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, csv.next());
    if (!more) return ok();
    ASSIGN_OR_RETURN(const std::string name, joined_names(csv, 3));
    ASSIGN_OR_RETURN(const double average, csv.number(kAverage));
    ASSIGN_OR_RETURN(const double lower, csv.number(kLower));
    ASSIGN_OR_RETURN(const double upper, csv.number(kUpper));
    const auto found = trace.by_name.find(name);
    if (found == trace.by_name.end()) continue;
    TracedFunction& function = trace.functions[found->second];
    constexpr double kQuartiles = 1.349;  // of a normal distribution lie that many sigma apart
    constexpr double kSigmaMax = 2;
    if (lower > 0 && upper > lower) {
      function.sigma = std::min(natural_log(upper / lower) / kQuartiles, kSigmaMax);
    }
    // Averages are whole milliseconds: 0 is less than one.
    function.log_mean =
        natural_log(std::max(average, 0.5) / 1000) - function.sigma * function.sigma / 2;
  }
}

Status read_memory(const std::string& file, Trace& trace) {
  const std::vector<std::string> header =
      percentile_header({"HashOwner", "HashApp", "SampleCount", "AverageAllocatedMb"},
                        "AverageAllocatedMb_pct", {1, 5, 25, 50, 75, 95, 99, 100});
  constexpr std::size_t kAverage = 3;
  ASSIGN_OR_RETURN(Csv csv, Csv::open(file, header));
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, csv.next());
    if (!more) return ok();
    ASSIGN_OR_RETURN(const std::string app, joined_names(csv, 2));
    ASSIGN_OR_RETURN(const double megabytes, csv.number(kAverage));
    const auto found = trace.by_app.find(app);
    if (found == trace.by_app.end()) continue;
    for (const std::uint32_t function : found->second) {
      trace.functions[function].memory_bytes =
          static_cast<std::uint64_t>(std::max(megabytes, 1.0) * 1e6);
    }
  }
}

// The files by kind; those of calls by name, which tells the day.
struct Files {
  std::map<std::string, std::string> calls, run_times, memory;
  bool add(const fs::path& path) {
    const std::string name = path.filename().string();
    auto& kind = name.starts_with(kCalls)      ? calls
                 : name.starts_with(kRunTimes) ? run_times
                                               : memory;
    if (&kind == &memory && !name.starts_with(kMemoryKind)) return false;
    kind.emplace(name, path.string());
    return true;
  }
};

Result<Files> find_files(const std::vector<std::string>& paths) {
  Files files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      for (const auto& entry : fs::directory_iterator(path, error)) files.add(entry.path());
    } else if (!files.add(path)) {
      return fail(ErrorCode::kInvalidArgument,
                  "--trace-2019: " + path + " begins with none of " + std::string(kCalls) + ", " +
                      std::string(kRunTimes) + ", " + std::string(kMemoryKind));
    }
  }
  if (files.calls.empty()) {
    return fail(ErrorCode::kNotFound,
                "--trace-2019: no file " + std::string(kCalls) + "... in " + paths.front());
  }
  return files;
}

}  // namespace

Result<Plan> trace_2019_plan(const std::vector<std::string>& paths, std::uint64_t seed) {
  ASSIGN_OR_RETURN(const Files files, find_files(paths));
  auto trace = std::make_shared<Trace>();
  std::uint32_t days = 0;
  for (const auto& [name, path] : files.calls) RETURN_IF_ERROR(read_calls(path, days++, *trace));
  for (auto it = files.run_times.rbegin(); it != files.run_times.rend(); ++it) {
    RETURN_IF_ERROR(read_run_times(it->second, *trace));
  }
  for (auto it = files.memory.rbegin(); it != files.memory.rend(); ++it) {
    RETURN_IF_ERROR(read_memory(it->second, *trace));
  }
  Plan plan;
  plan.duration = std::chrono::hours(24) * days;
  plan.words = "Azure's trace of 2019, " + grouped(trace->functions.size()) + " functions, " +
               grouped(trace->calls) + " calls in " + words(plan.duration);
  for (const TracedFunction& function : trace->functions) {
    plan.functions.push_back({function.memory_bytes});
  }
  trace->by_name.clear();
  trace->by_app.clear();
  plan.begin = [trace, seed](TimePoint end) {
    std::vector<MinuteSource> sources;
    sources.reserve(trace->functions.size());
    for (std::uint32_t i = 0; i < trace->functions.size(); ++i) {
      sources.emplace_back(trace->functions[i], seed, i);
    }
    return std::make_unique<Merge<MinuteSource>>(std::move(sources), end);
  };
  return plan;
}

}  // namespace subito::simulate
