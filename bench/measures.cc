#include "bench/measures.h"

#include <algorithm>

#include "bench/figures.h"

namespace subito::bench {

Measure times_measure(std::string figure, std::string row, const Samples& samples) {
  Measure measure{std::move(figure), std::move(row), "ms", false, "", {}};
  measure.samples.reserve(samples.size());
  for (const std::int64_t sample : samples) measure.samples.push_back(ms(sample));
  return measure;
}

Measure ratio_measure(std::string figure, std::string row, const Samples& samples,
                      const Samples& reference) {
  Measure measure{std::move(figure), std::move(row), kRatioUnit, false, "", {}};
  for (std::size_t i = 0; i < std::min(samples.size(), reference.size()); ++i) {
    if (reference[i] <= 0) continue;
    measure.samples.push_back(static_cast<double>(samples[i]) / static_cast<double>(reference[i]));
  }
  return measure;
}

nlohmann::ordered_json measures_json(const std::vector<Measure>& measures) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Measure& measure : measures) {
    if (measure.samples.empty()) continue;
    nlohmann::ordered_json one = {{"figure", measure.figure},
                                  {"row", measure.row},
                                  {"unit", measure.unit},
                                  {"better", measure.more_is_better ? "more" : "less"}};
    if (!measure.again.empty()) one["again"] = measure.again;
    if (!measure.counts) one["counts"] = false;
    one["samples"] = measure.samples;
    json.push_back(std::move(one));
  }
  return json;
}

}  // namespace subito::bench
