// Book: what was measured of the patterns, a list of samples by pattern, variant and metric. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/kit/paired.h"

namespace subito::bench {

struct Metric {
  const char* name;
  const char* unit;  // "ms", "µs", "MB" (1e6 bytes), "1/s", "%", "ratio", "count", "yes" (1) or no
  const char* what;
};

namespace metric {
inline constexpr Metric kUp{"up", "ms",
                            "nothing is there but binaries: up.sh, until all services answer and "
                            "the shop is filled; its shell and its waits of 50 ms included"};
inline constexpr Metric kArtefact{"artefact", "MB", "what is shipped of the shop; Redis is not"};
inline constexpr Metric kIdleMemory{"idleMemory", "MB",
                                    "all processes of the pattern, nobody asks: proportional set "
                                    "sizes, and kernel memory of their groups"};
inline constexpr Metric kLoadMemory{"loadMemory", "MB", "the same under the closed loop"};
inline constexpr Metric kIdleCpu{"idleCpu", "%", "CPU time of all processes, of one core, idle"};
inline constexpr Metric kThroughput{"throughput", "1/s",
                                    "GET /products, closed loop on all connections"};
inline constexpr Metric kCpu{"cpu", "µs", "CPU time of all processes a request, closed loop"};
inline constexpr Metric kP50{"latencyP50", "µs", "GET /products at the fixed rate, median"};
inline constexpr Metric kP99{"latencyP99", "µs", "GET /products at the fixed rate, p99"};
inline constexpr Metric kThroughputRatio{"throughputRatio", "ratio",
                                         "throughput over the reference, pair by pair"};
inline constexpr Metric kCpuRatio{"cpuRatio", "ratio", "cpu over the reference, pair by pair"};
inline constexpr Metric kP50Ratio{"latencyP50Ratio", "ratio",
                                  "latencyP50 over the reference, pair by pair"};
inline constexpr Metric kStart{"start", "ms",
                               "an instance of the catalogue does not run, all else does: decision "
                               "to its first right answer, from Redis"};
inline constexpr Metric kChange{"change", "ms",
                                "a handler's file is new: build, release, first right answer"};
inline constexpr Metric kChangeBuild{"changeBuild", "ms", "of it, compiler and linker"};
inline constexpr Metric kInstanceMemory{"instanceMemory", "MB",
                                        "memory of each further instance, idle"};
inline constexpr Metric kQuietP99{"quietP99", "µs",
                                  "GET /products at the fixed rate, no neighbour"};
inline constexpr Metric kNeighbourP99{"neighbourP99", "µs",
                                      "the same beside one that burns what CPU time it gets"};
inline constexpr Metric kNeighbourRatio{"neighbourRatio", "ratio", "neighbourP99 over quietP99"};
inline constexpr Metric kKillErrors{"killErrors", "count",
                                    "catalogue killed: wrong answers of GET /products, asked every "
                                    "20 ms for 2 s at most"};
inline constexpr Metric kKillOutage{"killOutage", "ms",
                                    "from the kill to the last wrong answer, where it came back by "
                                    "itself within 2 s"};
inline constexpr Metric kKillByItself{"killByItself", "yes", "it came back by itself within 2 s"};
inline constexpr Metric kKillRepair{"killRepair", "ms",
                                    "where it did not: release.sh, of a container docker "
                                    "start, to the first right answer"};
}  // namespace metric

struct BookEntry {
  std::string pattern;  // "2-processes"
  std::string variant;  // of a start: "pooled", "docker run"; else empty
  Metric metric;
  std::vector<double> samples;  // never empty

  Spread spread() const;  // zeros count
};

class Book {
 public:
  void add(const std::string& pattern, const Metric& metric, double sample,
           const std::string& variant = {});

  const std::vector<BookEntry>& all() const { return measures_; }
  const BookEntry* find(const std::string& pattern, const Metric& metric,
                        const std::string& variant = {}) const;
  std::optional<double> median(const std::string& pattern, const Metric& metric,
                               const std::string& variant = {}) const;
  // Patterns in the order in which they came.
  std::vector<std::string> patterns() const;

 private:
  std::vector<BookEntry> measures_;
};

// Each measure with its words, unit and samples.
// With what `bench page` and `bench compare` want of a measure. Those of the patterns in `apart`,
// which run in emulation, are figures of their own: they share no picture with the others.
nlohmann::ordered_json to_json(const Book& book, const std::vector<std::string>& apart = {});

}  // namespace subito::bench
