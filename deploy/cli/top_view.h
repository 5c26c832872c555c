// TopView: what `subito top` shows, made of two looks at the metrics of a node: rates and
// percentiles of the time between them, states of the second. Pure values.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/cli/words.h"
#include "runtime/metrics/duration_buckets.h"

namespace subito::cli {

// One look: a page of metrics, line by line.
struct TopSample {
  struct Function {
    double requests = 0, errors = 0, starts = 0;  // since the node began
    std::array<double, metrics::kBucketCount> cumulative{};
    double pods = 0, waiting = 0, memory_bytes = 0;  // now
  };
  std::int64_t unix_ns = 0;
  std::map<std::string, Function, std::less<>> functions;
  std::string version;
  double start_time = 0;  // of the node, Unix seconds
  double pods = 0, pods_limit = 0, waiting = 0, loop_seconds = 0;
  double host_busy_seconds = 0, host_cpus = 0, memory_total = 0, memory_available = 0;

  void add_line(std::string_view line);

 private:
  void add_of_node(std::string_view name, const std::string& state, double value);
};

enum class TopSort : std::uint8_t {
  kRate,
  kP50,
  kP99,
  kErrors,
  kStarts,
  kPods,
  kWaiting,
  kMemory,
  kName
};
// By the names of --sort.
const std::map<std::string, TopSort>& top_sorts();
// What a key of the keyboard sorts by, unless it is none of them.
std::optional<TopSort> top_sort_of_key(char key);

struct TopRow {
  std::string function;
  double rate = 0, errors = 0, starts = 0;  // a second
  double p50 = 0, p99 = 0;                  // seconds; of no request 0
  double pods = 0, waiting = 0, memory_bytes = 0;
};

class TopView {
 public:
  // `before` null: of the time since the node began.
  TopView(const TopSample* before, const TopSample& after);

  void sort(TopSort by);
  const std::vector<TopRow>& rows() const { return rows_; }
  // "subito 0.1.0, 12 functions, 5 of 256 pods, 3 waiting, loop 12 %, CPU 40 % of 2, ..."
  std::string headline() const;
  Table table(std::size_t rows_max) const;
  nlohmann::ordered_json json() const;

 private:
  double seconds_ = 0;
  std::vector<TopRow> rows_;
  TopSample after_;
  double loop_share_ = 0;
  double cpu_share_ = 0;
};

}  // namespace subito::cli
