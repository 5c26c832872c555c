// For tests of pages: an engine with fake pods, and what a page is made of.
#pragma once

#include <string>
#include <vector>

#include "runtime/metrics/reading.h"
#include "runtime/node/fake_pod.h"
#include "runtime/node/metrics/metrics_front.h"

namespace subito::node {

class MetricsFixture : public EngineFixture {
 public:
  MetricsFixture() { functions.put(engine.revision(echo), 0, 0); }

  MetricsPage::Parts parts() {
    return {engine, functions, breakers, gateway, nullptr, [this] { return facts; }};
  }
  // A page at once.
  std::string page(metrics::Format format = metrics::Format::kOpenMetrics) {
    MetricsPage made(parts(), format);
    std::string text;
    while (!made.done()) text += made.next();
    return text;
  }
  void add_functions(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      functions.put(put("f" + std::to_string(i), plain_spec()), 0, 0);
    }
  }

  Functions functions;
  CallBreakers breakers{[](const auto&, const auto&, const auto&) {}};
  gateway::Gateway gateway{engine};
  NodeFacts facts;
};

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Of the sample with that name and these labels, as they stand there; -1: there is none.
inline double sample(const std::string& page, const std::string& name_and_labels) {
  for (const std::string& line : lines_of(page)) {
    if (line.starts_with(name_and_labels + " ")) return metrics::read_sample(line)->value;
  }
  return -1;
}

}  // namespace subito::node
