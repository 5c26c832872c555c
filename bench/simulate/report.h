// What a comparison is told as: a table for people, JSON for programs, a page for both. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/simulate/outcome.h"

namespace subito::simulate {

struct Comparison {
  std::string command;
  std::string workload;  // words
  std::string node;      // "cores: always enough, ..."
  std::uint64_t seed = 0;
  std::vector<Outcome> outcomes;

  bool interrupted() const;
  // Of all outcomes, in order.
  std::uint64_t digest() const;
};

std::string to_text(const Comparison& comparison);
nlohmann::ordered_json to_json(const Comparison& comparison);
// One page without anything from elsewhere: figures and plots, for light and dark.
std::string to_html(const Comparison& comparison);

}  // namespace subito::simulate
