// Paired slices: every subject is measured in short slices, each beside one of the reference, so
// that what the machine does meanwhile hits both alike. A round has one pair of each subject; the
// order of pairs, and which of a pair comes first, is shuffled by the seed. A subject may be the
// reference itself: its pairs differ by noise alone (A/A). Plain functions, one thread; nothing
// here knows what a slice does.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/kit/generator.h"
#include "runtime/base/result.h"

namespace subito::bench {

struct Slice {
  TrafficResult traffic;
  std::chrono::nanoseconds cpu{0};  // of all processes that served it
  std::uint32_t ended = 0;  // of these, processes that ended meanwhile and took theirs along

  double cpu_us_per_answer() const;
};

struct Subject {
  std::string name;
  std::function<Result<Slice>(std::chrono::nanoseconds)> run;
};

struct Pair {
  Slice subject;
  Slice reference;
};

struct Series {
  std::string name;
  std::vector<Pair> pairs;

  std::uint64_t errors() const;  // of the subject
  std::string first_error() const;
  TrafficResult traffic() const;  // of the subject, all slices
};

// What pairs tell: the middle one and the two that are furthest from it. All 0 of none. A figure of
// 0 was not measured and is left out.
struct Spread {
  double least = 0;
  double median = 0;
  double most = 0;
};
Spread spread_of(std::vector<double> values);

using SliceFigure = std::function<double(const Slice&)>;
// Of the subject over its reference, pair by pair.
Spread ratio_spread(const Series& series, const SliceFigure& figure);
Spread figure_spread(const Series& series, const SliceFigure& figure);  // of the subject alone
// Of the reference's slices in all series together.
Spread reference_spread(const std::vector<Series>& all, const SliceFigure& figure);

struct PairPlan {
  std::uint32_t rounds = 1;
  std::chrono::nanoseconds slice{0};
  std::uint64_t seed = 0;
};

struct PairRun {
  std::vector<Series> series;  // in the order of the subjects
  TrafficResult reference;     // all its slices
  std::uint32_t rounds = 0;    // whole ones
  bool interrupted = false;
  std::uint64_t errors() const;
  std::string first_error() const;
};

// Told before each slice: whose it is and how many are to come, that one included.
using PairProgress = std::function<void(const std::string& name, std::uint32_t slices_left)>;

// One uncounted slice of each, then the rounds. A slice with errors ends the run after it; an
// interrupt ends it too, and the pair that it broke is left out.
Result<PairRun> run_pairs(const Subject& reference, const std::vector<Subject>& subjects,
                          const PairPlan& plan, const PairProgress& progress);

// How many slices run_pairs() takes.
std::uint32_t slices_of(std::size_t subjects, std::uint32_t rounds);

}  // namespace subito::bench
