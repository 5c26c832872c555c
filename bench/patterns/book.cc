#include "bench/patterns/book.h"

#include <algorithm>

namespace subito::bench {

Spread BookEntry::spread() const {
  std::vector<double> sorted = samples;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t half = sorted.size() / 2;
  const double median =
      sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  return {sorted.front(), median, sorted.back()};
}

void Book::add(const std::string& pattern, const Metric& metric, double sample,
               const std::string& variant) {
  const auto found = std::find_if(measures_.begin(), measures_.end(), [&](const BookEntry& one) {
    return one.pattern == pattern && one.variant == variant &&
           std::string_view(one.metric.name) == metric.name;
  });
  if (found != measures_.end()) {
    found->samples.push_back(sample);
  } else {
    measures_.push_back({pattern, variant, metric, {sample}});
  }
}

const BookEntry* Book::find(const std::string& pattern, const Metric& metric,
                            const std::string& variant) const {
  for (const BookEntry& one : measures_) {
    if (one.pattern == pattern && one.variant == variant &&
        std::string_view(one.metric.name) == metric.name) {
      return &one;
    }
  }
  return nullptr;
}

std::optional<double> Book::median(const std::string& pattern, const Metric& metric,
                                   const std::string& variant) const {
  const BookEntry* found = find(pattern, metric, variant);
  if (found == nullptr) return std::nullopt;
  return found->spread().median;
}

std::vector<std::string> Book::patterns() const {
  std::vector<std::string> names;
  for (const BookEntry& one : measures_) {
    if (std::find(names.begin(), names.end(), one.pattern) == names.end()) {
      names.push_back(one.pattern);
    }
  }
  return names;
}

nlohmann::ordered_json to_json(const Book& book, const std::vector<std::string>& apart) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const BookEntry& one : book.all()) {
    const Spread spread = one.spread();
    const bool emulated = std::find(apart.begin(), apart.end(), one.pattern) != apart.end();
    const std::string_view name = one.metric.name;
    const bool more = name == metric::kThroughput.name || name == metric::kThroughputRatio.name ||
                      name == metric::kKillByItself.name;
    json.push_back({{"figure", std::string(name) + (emulated ? ", emulated" : "")},
                    {"row", one.variant.empty() ? one.pattern : one.pattern + " " + one.variant},
                    {"better", more ? "more" : "less"},
                    {"pattern", one.pattern},
                    {"variant", one.variant},
                    {"metric", one.metric.name},
                    {"unit", one.metric.unit},
                    {"what", one.metric.what},
                    {"n", one.samples.size()},
                    {"least", spread.least},
                    {"median", spread.median},
                    {"most", spread.most},
                    {"samples", one.samples}});
  }
  return json;
}

}  // namespace subito::bench
