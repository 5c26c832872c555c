// What the warm suites tell, in words and in JSON: rows of peers with their ratios to the
// reference. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/measures.h"
#include "bench/suites/warm_slice.h"

namespace subito::bench {

// One scenario, run.
struct WarmRun {
  Scenario scenario;
  PairRun pairs;
};

// A suite of them.
struct WarmResult {
  std::string suite;  // "throughput"
  std::uint64_t seed = 0;
  PairPlan plan;
  std::uint32_t pool_size = 0;
  std::string reference;                                   // a peer's name
  std::vector<std::pair<std::string, std::string>> peers;  // name and what it is
  std::vector<std::string> other_languages;  // of the peers: hosts of functions in another one
  std::vector<MissingPeer> missing;
  std::string nginx_version;
  std::vector<WarmRun> runs;
  bool interrupted = false;

  std::uint64_t errors() const;
};

// Figures of a slice.
double answers_per_second(const Slice& slice);
double cpu_us(const Slice& slice);
// 0 when there are too few answers for it.
double latency_us(const Slice& slice, double fraction);

// A promise: `name` over the reference, by a figure.
struct WarmTarget {
  std::string what;
  double bound = 0;
  bool at_least = false;  // else at most
  double value = 0;       // 0: not measured
  bool met() const { return value > 0 && (at_least ? value >= bound : value <= bound); }
};
std::string targets_text(const std::vector<WarmTarget>& targets);
nlohmann::ordered_json targets_json(const std::vector<WarmTarget>& targets);

// "1.52 (1.40 to 1.61)"; "-" when it was not measured.
std::string spread_text(const Spread& spread);
// Its median by a form of printf(3): "%.1f"; "-" as above.
std::string median_text(const char* form, const Spread& spread);
nlohmann::ordered_json spread_json(const Spread& spread);

// Machine, command, plan, peers.
std::string head_text(const WarmResult& result, const Machine& machine, const std::string& command);
// Peers that are missing, errors, an interrupt.
std::string tail_text(const WarmResult& result);
nlohmann::ordered_json head_json(const WarmResult& result, const Machine& machine,
                                 const std::string& command);
// A peer of a run: its figures, their ratios, the percentiles that its answers allow. `series`
// null: the reference.
nlohmann::ordered_json peer_json(const WarmRun& run, const std::string& name, const Series* series);
// All of them, the reference first.
nlohmann::ordered_json peers_json(const WarmRun& run, const std::string& reference);

// A figure of a run's slices, of each peer, and the same over the reference, pair by pair.
struct WarmFigure {
  std::string name;  // "requests a second"
  std::string unit;
  bool more_is_better = false;
  SliceFigure of;
};
// Hosts of other languages are a figure of their own.
void add_measures(const WarmRun& run, const WarmResult& result, const std::string& where,
                  const WarmFigure& figure, std::vector<Measure>& measures);
// The series of a run whose peers are hosts of other languages, or those that are not.
std::vector<const Series*> series_of(const WarmRun& run, const WarmResult& result,
                                     bool other_languages);
inline constexpr const char* kOtherLanguages = "hosts of functions in other languages";
// Requests a second, CPU time a request and p50, of each run.
std::vector<Measure> closed_loop_measures(const WarmResult& result);

}  // namespace subito::bench
