// Reading: a page of metrics back into samples, line by line: what exposition.h writes, in either
// format, and what others write alike. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace subito::metrics {

struct Sample {
  std::string name;  // as it stands there: "subito_function_requests_total"
  std::vector<std::pair<std::string, std::string>> labels;  // in their order, not escaped
  double value = 0;

  // Empty: it bears no such label.
  std::string_view label(std::string_view label_name) const;
};

// nullopt: a comment, an empty line, or none of the format's. Timestamps and exemplars are skipped.
std::optional<Sample> read_sample(std::string_view line);

}  // namespace subito::metrics
