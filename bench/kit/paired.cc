#include "bench/kit/paired.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "bench/interrupt.h"

namespace subito::bench {

namespace {

// Warming up takes a part of a slice: connections, caches and pods are there after it.
constexpr int kWarmUpParts = 2;

class PairRunner {
 public:
  PairRunner(const Subject& reference, const std::vector<Subject>& subjects, const PairPlan& plan,
             const PairProgress& progress)
      : reference_(reference),
        subjects_(subjects),
        plan_(plan),
        progress_(progress),
        random_(plan.seed),
        left_(slices_of(subjects.size(), plan.rounds)) {
    for (const Subject& subject : subjects) run_.series.push_back({subject.name, {}});
  }

  Result<PairRun> run() {
    RETURN_IF_ERROR(warm_up(reference_));
    for (const Subject& subject : subjects_) RETURN_IF_ERROR(warm_up(subject));
    while (run_.rounds < plan_.rounds && !over()) RETURN_IF_ERROR(round());
    return std::move(run_);
  }

 private:
  bool over() {
    run_.interrupted = run_.interrupted || Interrupt::happened();
    return run_.interrupted || run_.errors() > 0;
  }

  Status warm_up(const Subject& subject) {
    if (over()) return ok();
    progress_(subject.name + ", warming up", left_--);
    ASSIGN_OR_RETURN(const Slice slice, subject.run(plan_.slice / kWarmUpParts));
    run_.interrupted = run_.interrupted || slice.traffic.interrupted;
    if (slice.traffic.errors == 0) return ok();
    return fail(ErrorCode::kProtocol, "warm up " + subject.name + ": " + slice.traffic.first_error);
  }

  Status round() {
    std::vector<std::size_t> order(subjects_.size());
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random_);
    for (const std::size_t index : order) {
      if (over()) return ok();
      RETURN_IF_ERROR(pair(index));
    }
    if (!run_.interrupted) ++run_.rounds;
    return ok();
  }

  Status pair(std::size_t index) {
    const bool reference_first = random_() % 2 == 0;
    Pair pair;
    for (const bool reference : {reference_first, !reference_first}) {
      const Subject& whose = reference ? reference_ : subjects_[index];
      progress_(whose.name, left_--);
      ASSIGN_OR_RETURN(Slice slice, whose.run(plan_.slice));
      if (slice.traffic.interrupted) {
        run_.interrupted = true;
        return ok();
      }
      (reference ? pair.reference : pair.subject) = std::move(slice);
    }
    add(run_.reference, pair.reference.traffic);
    run_.series[index].pairs.push_back(std::move(pair));
    return ok();
  }

  const Subject& reference_;
  const std::vector<Subject>& subjects_;
  const PairPlan& plan_;
  const PairProgress& progress_;
  std::mt19937_64 random_;
  std::uint32_t left_;
  PairRun run_;
};

}  // namespace

double Slice::cpu_us_per_answer() const {
  if (traffic.answers == 0) return 0;
  return static_cast<double>(cpu.count()) / 1e3 / static_cast<double>(traffic.answers);
}

std::uint64_t Series::errors() const {
  std::uint64_t sum = 0;
  for (const Pair& pair : pairs) sum += pair.subject.traffic.errors;
  return sum;
}

std::string Series::first_error() const {
  for (const Pair& pair : pairs) {
    if (pair.subject.traffic.errors > 0) return pair.subject.traffic.first_error;
  }
  return {};
}

TrafficResult Series::traffic() const {
  TrafficResult all;
  for (const Pair& pair : pairs) add(all, pair.subject.traffic);
  return all;
}

Spread spread_of(std::vector<double> values) {
  std::erase_if(values, [](double value) { return value <= 0; });
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {values.front(), median, values.back()};
}

Spread ratio_spread(const Series& series, const SliceFigure& figure) {
  std::vector<double> ratios;
  for (const Pair& pair : series.pairs) {
    const double above = figure(pair.subject);
    const double below = figure(pair.reference);
    if (above > 0 && below > 0) ratios.push_back(above / below);
  }
  return spread_of(std::move(ratios));
}

Spread figure_spread(const Series& series, const SliceFigure& figure) {
  std::vector<double> figures;
  for (const Pair& pair : series.pairs) figures.push_back(figure(pair.subject));
  return spread_of(std::move(figures));
}

Spread reference_spread(const std::vector<Series>& all, const SliceFigure& figure) {
  std::vector<double> figures;
  for (const Series& series : all) {
    for (const Pair& pair : series.pairs) figures.push_back(figure(pair.reference));
  }
  return spread_of(std::move(figures));
}

std::uint64_t PairRun::errors() const {
  std::uint64_t sum = reference.errors;
  for (const Series& one : series) sum += one.errors();
  return sum;
}

std::string PairRun::first_error() const {
  for (const Series& one : series) {
    if (one.errors() > 0) return one.name + ": " + one.first_error();
  }
  return reference.first_error;
}

Result<PairRun> run_pairs(const Subject& reference, const std::vector<Subject>& subjects,
                          const PairPlan& plan, const PairProgress& progress) {
  return PairRunner(reference, subjects, plan, progress).run();
}

std::uint32_t slices_of(std::size_t subjects, std::uint32_t rounds) {
  const auto count = static_cast<std::uint32_t>(subjects);
  return 1 + count + 2 * count * rounds;
}

}  // namespace subito::bench
