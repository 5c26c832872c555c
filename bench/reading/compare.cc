#include "bench/reading/compare.h"

#include <algorithm>
#include <cmath>

#include "bench/figures.h"

namespace subito::bench {

namespace {

constexpr std::uint64_t kBootstrapSeed = 1;
constexpr double kFraction = 1e6;  // what is left of a sample's fraction: a millionth of its unit

// A ratio of two medians has no unit, and so any will do.
Samples scaled(const std::vector<double>& values) {
  Samples samples;
  samples.reserve(values.size());
  for (const double value : values) samples.push_back(std::llround(value * kFraction));
  return samples;
}

Ratio ratio_of(const std::vector<double>& above, const std::vector<double>& below) {
  return ratio_of_medians(scaled(above), scaled(below), kBootstrapSeed);
}

double median_of(const std::vector<double>& values) {
  return static_cast<double>(percentile(scaled(values), 0.5)) / kFraction;
}

const Measure* find_measure(const ReportFile& report, const Measure& like) {
  const auto found =
      std::find_if(report.measures.begin(), report.measures.end(), [&](const Measure& measure) {
        return measure.figure == like.figure && measure.row == like.row &&
               measure.unit == like.unit;
      });
  return found == report.measures.end() ? nullptr : &*found;
}

// How far a ratio's interval goes from 1, either way, as a number from 1 on.
double far_end(const Ratio& ratio) {
  if (ratio.low <= 0) return 1;
  return std::max({ratio.high, 1 / ratio.low, 1.0});
}

// Of a row that was measured again, over the first one; a ratio to it is compared with 1.
Ratio again_over_first(const ReportFile& report, const Measure& again) {
  if (again.unit == kRatioUnit) return ratio_of(again.samples, {1});
  Measure first = again;
  first.row = again.again;
  const Measure* found = find_measure(report, first);
  return found == nullptr ? Ratio{} : ratio_of(again.samples, found->samples);
}

double noise_of_halves(const Measure& measure) {
  const auto middle =
      measure.samples.begin() + static_cast<std::ptrdiff_t>(measure.samples.size() / 2);
  const double first = median_of({measure.samples.begin(), middle});
  const double second = median_of({middle, measure.samples.end()});
  if (first <= 0 || second <= 0) return 1;
  return std::max(first / second, second / first);
}

double noise_of(const ReportFile& report, const Measure& measure) {
  double noise = 0;
  for (const Measure& other : report.measures) {
    if (other.figure != measure.figure || other.again.empty()) continue;
    if (other.samples.size() < kComparedSamplesMin) continue;
    noise = std::max(noise, far_end(again_over_first(report, other)));
  }
  return noise > 0 ? noise : noise_of_halves(measure);
}

Verdict verdict_of(const Change& change) {
  if (std::min(change.n_a, change.n_b) < kComparedSamplesMin) return Verdict::kTooFew;
  const bool rose = change.ratio.low > change.noise;
  const bool fell = change.ratio.high < 1 / change.noise;
  if (!rose && !fell) return Verdict::kWithinNoise;
  return rose == change.more_is_better ? Verdict::kBetter : Verdict::kWorse;
}

Change change_of(const ReportFile& a, const Measure& in_a, const ReportFile& b,
                 const Measure& in_b) {
  Change change{in_a.figure,
                in_a.row,
                in_a.unit,
                in_a.more_is_better,
                median_of(in_a.samples),
                median_of(in_b.samples)};
  change.n_a = in_a.samples.size();
  change.n_b = in_b.samples.size();
  change.ratio = ratio_of(in_b.samples, in_a.samples);
  change.noise = std::max(noise_of(a, in_a), noise_of(b, in_b));
  change.verdict = verdict_of(change);
  return change;
}

Change only_in(const Measure& measure, Verdict verdict) {
  Change change{measure.figure, measure.row, measure.unit, measure.more_is_better};
  const bool in_a = verdict == Verdict::kOnlyInA;
  (in_a ? change.median_a : change.median_b) = median_of(measure.samples);
  (in_a ? change.n_a : change.n_b) = measure.samples.size();
  change.verdict = verdict;
  return change;
}

std::vector<std::string> differing_of(const ReportFile& a, const ReportFile& b) {
  std::vector<std::string> differing;
  const auto look = [&](const std::string& what, const std::string& in_a, const std::string& in_b) {
    if (in_a != in_b) differing.push_back(what + ": " + in_a + ", then " + in_b);
  };
  look("benchmark", a.benchmark, b.benchmark);
  look("command", a.command, b.command);
  for (const auto& [name, value] : a.machine) look(name, value, b.fact(name));
  for (const auto& [name, value] : b.machine) {
    if (a.fact(name).empty()) look(name, "", value);
  }
  for (const ReportFile* report : {&a, &b}) {
    if (report->errors > 0) {
      differing.push_back(report->name + " had " + std::to_string(report->errors) + " errors");
    }
    if (report->interrupted) differing.push_back(report->name + " was interrupted");
  }
  return differing;
}

std::string shown(double value) {
  return format("%.4g", value);
}

std::string change_row(const Change& change) {
  const bool both = change.n_a > 0 && change.n_b > 0;
  return "| " + change.figure + " | " + change.row + " | " +
         (change.n_a > 0 ? shown(change.median_a) : "-") + " | " +
         (change.n_b > 0 ? shown(change.median_b) : "-") + " | " + change.unit + " | " +
         (both ? format("%.3f (%.3f to %.3f)", change.ratio.middle, change.ratio.low,
                        change.ratio.high)
               : std::string("-")) +
         " | " + (both ? format("%.3f", change.noise) : std::string("-")) + " | " +
         words(change.verdict) + " |\n";
}

std::size_t count_of(const ReportChanges& changes, Verdict verdict) {
  return static_cast<std::size_t>(
      std::count_if(changes.changes.begin(), changes.changes.end(),
                    [&](const Change& change) { return change.verdict == verdict; }));
}

}  // namespace

const char* words(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBetter:
      return "changed: better";
    case Verdict::kWorse:
      return "changed: WORSE";
    case Verdict::kWithinNoise:
      return "within noise";
    case Verdict::kTooFew:
      return "too few samples";
    case Verdict::kOnlyInA:
      return "only in A";
    case Verdict::kOnlyInB:
      return "only in B";
  }
  return "";
}

bool ReportChanges::got_worse() const {
  return count_of(*this, Verdict::kWorse) > 0;
}

ReportChanges compare(const ReportFile& a, const ReportFile& b) {
  ReportChanges result{a.name, b.name, differing_of(a, b), {}};
  for (const Measure& measure : a.measures) {
    if (!measure.counts) continue;
    const Measure* other = find_measure(b, measure);
    result.changes.push_back(other == nullptr ? only_in(measure, Verdict::kOnlyInA)
                                              : change_of(a, measure, b, *other));
  }
  for (const Measure& measure : b.measures) {
    if (!measure.counts || find_measure(a, measure) != nullptr) continue;
    result.changes.push_back(only_in(measure, Verdict::kOnlyInB));
  }
  return result;
}

nlohmann::ordered_json to_json(const ReportChanges& changes) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Change& change : changes.changes) {
    rows.push_back({{"figure", change.figure},
                    {"row", change.row},
                    {"unit", change.unit},
                    {"samplesA", change.n_a},
                    {"samplesB", change.n_b},
                    {"medianA", change.median_a},
                    {"medianB", change.median_b},
                    {"ratio", to_json(change.ratio)},
                    {"noise", change.noise},
                    {"verdict", words(change.verdict)}});
  }
  return {{"a", changes.name_a},
          {"b", changes.name_b},
          {"differing", changes.differing},
          {"worse", count_of(changes, Verdict::kWorse)},
          {"changes", rows}};
}

std::string to_text(const ReportChanges& changes) {
  std::string text = "A is " + changes.name_a + ", B is " + changes.name_b + "\n";
  for (const std::string& one : changes.differing) text += "differs: " + one + "\n";
  text +=
      "\n| figure | row | A, median | B, median | unit | B over A, 95 % | noise up to | verdict |\n"
      "|---|---|--:|--:|---|--:|--:|---|\n";
  for (const Change& change : changes.changes) text += change_row(change);
  text += format("\n%zu better, %zu worse, %zu within noise, %zu with fewer than %zu samples.\n",
                 count_of(changes, Verdict::kBetter), count_of(changes, Verdict::kWorse),
                 count_of(changes, Verdict::kWithinNoise), count_of(changes, Verdict::kTooFew),
                 kComparedSamplesMin);
  return text +
         "Changed is what lies with its whole interval beyond the noise: the larger of what each "
         "run differs\nby from itself. Of a hundred rows that did not change a few may be called "
         "changed all the same:\nrun both again before you believe one.\n";
}

}  // namespace subito::bench
