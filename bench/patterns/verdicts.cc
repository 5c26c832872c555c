#include "bench/patterns/verdicts.h"

#include <algorithm>
#include <optional>

#include "bench/figures.h"
#include "bench/patterns/kinds.h"

namespace subito::bench {

namespace {

struct Best {
  std::string pattern;
  double value = 0;
};

class Judge {
 public:
  Judge(const Book& book, const std::vector<DayCost>& costs, double noise,
        const std::vector<std::string>& apart)
      : book_(book), costs_(costs), ratio_min_(std::max(kVerdictRatioMin, noise)), apart_(apart) {}

  Verdicts judge() {
    days();
    latency();
    cpu();
    throughput();
    memory();
    starts();
    change();
    neighbour();
    kill();
    return std::move(verdicts_);
  }

 private:
  void no(const std::string& sentence) {
    verdicts_.something_else.push_back("Use something else when " + sentence);
  }
  void yes(const std::string& sentence) {
    verdicts_.functions.push_back("Use functions when " + sentence);
  }

  // The best of the others.
  std::optional<Best> other(const Metric& metric, bool most_is_best = false) const {
    std::optional<Best> best;
    for (const std::string& pattern : book_.patterns()) {
      if (pattern == kServerless) continue;
      if (std::find(apart_.begin(), apart_.end(), pattern) != apart_.end()) continue;
      const auto value = book_.median(pattern, metric);
      if (!value || *value <= 0) continue;
      const bool better = !best || (most_is_best ? *value > best->value : *value < best->value);
      if (better) best = Best{pattern, *value};
    }
    return best;
  }
  // That of functions; none where it is 0.
  std::optional<double> ours(const Metric& metric, const std::string& variant = {}) const {
    const auto value = book_.median(kServerless, metric, variant);
    return value && *value > 0 ? value : std::nullopt;
  }

  void days() {
    std::vector<std::string> names;
    for (const DayCost& cost : costs_) {
      if (std::find(names.begin(), names.end(), cost.day) == names.end()) {
        names.push_back(cost.day);
      }
    }
    for (const std::string& name : names) day(name);
  }

  void day(const std::string& name) {
    const DayCost* functions = nullptr;
    const DayCost* best = nullptr;
    for (const DayCost& cost : costs_) {
      if (cost.day != name) continue;
      if (cost.pattern == kServerless) {
        functions = &cost;
      } else if (best == nullptr || cost.cost < best->cost) {
        best = &cost;
      }
    }
    if (functions == nullptr || best == nullptr) return;
    const double ratio = functions->cost / best->cost;
    if (ratio >= kVerdictRatioMin) {
      no(
          format("the load is like the %s day: with functions it costs %.1f times what %s does, by "
                 "the prices of this run.",
                 name.c_str(), ratio, best->pattern.c_str()));
    } else if (ratio <= 1 / kVerdictRatioMin) {
      yes(
          format("the load is like the %s day: the cheapest other, %s, costs %.1f times as much, "
                 "by the prices of this run.",
                 name.c_str(), best->pattern.c_str(), 1 / ratio));
    }
  }

  void latency() {
    const auto best = other(metric::kP50);
    const auto own = ours(metric::kP50);
    if (!best || !own || *own < best->value * ratio_min_) return;
    no(
        format("every microsecond counts: a warm answer takes %.0f µs (median), %.1f times that of "
               "%s.",
               *own, *own / best->value, best->pattern.c_str()));
  }

  void cpu() {
    const auto best = other(metric::kCpu);
    const auto own = ours(metric::kCpu);
    if (!best || !own || *own < best->value * ratio_min_) return;
    no(
        format("the processor is busy all day: a request takes %.0f µs of it, %.1f times that of "
               "%s.",
               *own, *own / best->value, best->pattern.c_str()));
  }

  void throughput() {
    const auto best = other(metric::kThroughput, true);
    const auto own = ours(metric::kThroughput);
    if (!best || !own) return;
    if (best->value >= *own * ratio_min_) {
      no(format("one host must carry all it can: %s answers %.1f times as many requests.",
                best->pattern.c_str(), best->value / *own));
    } else if (*own >= best->value * ratio_min_) {
      yes(format("one host must carry all it can: it answers %.1f times as many requests as %s.",
                 *own / best->value, best->pattern.c_str()));
    }
  }

  void memory() {
    const auto best = other(metric::kIdleMemory);
    const auto own = ours(metric::kIdleMemory);
    if (!best || !own) return;
    if (*own >= best->value * kVerdictRatioMin) {
      no(
          format("it is one small application: asleep, node and functions take %.1f MB, %s takes "
                 "%.1f MB always on.",
                 *own, best->pattern.c_str(), best->value));
    } else if (*own * kVerdictRatioMin <= best->value) {
      yes(format("most of it sleeps: asleep it takes %.1f MB, the leanest other, %s, %.1f MB.",
                 *own, best->pattern.c_str(), best->value));
    }
  }

  void starts() {
    const auto own = ours(metric::kStart, kStartModes.front());
    if (!own) return;
    if (*own >= kStartMillisFelt) {
      no(
          format("no request may ever wait %.1f ms, the median start of a pod (%s): keep something "
                 "always on.",
                 *own, kStartModes.front().c_str()));
    }
    const auto container = book_.median(kContainers, metric::kStart, "docker run");
    if (container && *container >= *own * kVerdictRatioMin) {
      yes(format("instances come and go: one isolated start takes %.1f ms, docker run %.0f ms.",
                 *own, *container));
    }
  }

  void change() {
    const auto best = other(metric::kChange);
    const auto own = ours(metric::kChange);
    if (!best || !own) return;
    if (*own >= best->value * kChangeRatioMin) {
      no(
          format("every second between a change and its answer counts: it takes %.1f s, in %s "
                 "%.1f s.",
                 *own / 1e3, best->pattern.c_str(), best->value / 1e3));
    } else if (*own * kChangeRatioMin <= best->value) {
      yes(format(
          "it changes often: a change answers after %.1f s, in the quickest other, %s, after "
          "%.1f s.",
          *own / 1e3, best->pattern.c_str(), best->value / 1e3));
    }
  }

  void neighbour() {
    const auto own = ours(metric::kNeighbourRatio);
    if (!own || *own < kNeighbourRatioMin) return;
    no(format(
        "a neighbour must never be felt: beside one that burns all the CPU time it gets, the "
        "p99 of reads was %.1f times that of a quiet host; use a host of its own.",
        *own));
  }

  void kill() {
    const auto own = book_.median(kServerless, metric::kKillByItself);
    if (!own || *own < 1) return;
    const double errors = book_.median(kServerless, metric::kKillErrors).value_or(0);
    for (const std::string& pattern : book_.patterns()) {
      const auto by_itself = book_.median(pattern, metric::kKillByItself);
      if (pattern == kServerless || !by_itself || *by_itself > 0) continue;
      yes(
          format("nobody stands by: a killed instance cost %.0f wrong answers and was replaced; "
                 "in %s it stayed dead until it was started anew.",
                 errors, pattern.c_str()));
      return;
    }
  }

  const Book& book_;
  const std::vector<DayCost>& costs_;
  const double ratio_min_;
  const std::vector<std::string>& apart_;
  Verdicts verdicts_;
};

std::string list_text(const std::vector<std::string>& sentences, const char* none) {
  std::string text;
  for (const std::string& sentence : sentences) text += "- " + sentence + "\n";
  if (sentences.empty()) text += std::string(none) + "\n";
  return text + "\n";
}

}  // namespace

Verdicts verdicts_of(const Book& book, const std::vector<DayCost>& costs, double noise,
                     const std::vector<std::string>& apart) {
  return Judge(book, costs, noise, apart).judge();
}

std::string to_text(const Verdicts& verdicts) {
  return list_text(verdicts.something_else, "No figure of this run speaks for something else.") +
         list_text(verdicts.functions, "No figure of this run speaks for functions.");
}

}  // namespace subito::bench
