// What changed from one report to another beyond noise: of each figure the ratio of medians with a
// 95 % interval by bootstrap, against how far the two runs differ from themselves. Pure.
//
// The noise of a run is the ratio of what it measured twice (`again`), at the far end of its
// interval, the worst of the figure; without such a row that of the first half of its samples to
// the second. Changed is what has its whole interval beyond the larger noise of the two runs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/reading/report_file.h"
#include "bench/statistics.h"

namespace subito::bench {

enum class Verdict { kBetter, kWorse, kWithinNoise, kTooFew, kOnlyInA, kOnlyInB };
const char* words(Verdict verdict);  // "within noise"

struct Change {
  std::string figure;
  std::string row;
  std::string unit;
  bool more_is_better = false;
  double median_a = 0;
  double median_b = 0;
  Ratio ratio{};     // B over A
  double noise = 1;  // a ratio up to this, or down to 1 / this, is noise
  std::size_t n_a = 0;
  std::size_t n_b = 0;
  Verdict verdict = Verdict::kTooFew;
};

struct ReportChanges {
  std::string name_a;
  std::string name_b;
  std::vector<std::string> differing;  // what else differs: "commit: abc, then def"
  std::vector<Change> changes;
  bool got_worse() const;
};

// With fewer samples of either run nothing is said.
inline constexpr std::size_t kComparedSamplesMin = 4;

ReportChanges compare(const ReportFile& a, const ReportFile& b);

nlohmann::ordered_json to_json(const ReportChanges& changes);
std::string to_text(const ReportChanges& changes);

}  // namespace subito::bench
