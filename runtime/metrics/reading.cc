#include "runtime/metrics/reading.h"

#include <charconv>
#include <limits>

namespace subito::metrics {
namespace {

// `line` stands behind the opening quote; afterwards behind the closing one.
std::optional<std::string> read_quoted(std::string_view& line) {
  std::string value;
  while (!line.empty()) {
    char c = line.front();
    line.remove_prefix(1);
    if (c == '"') return value;
    if (c == '\\') {
      if (line.empty()) return std::nullopt;
      c = line.front() == 'n' ? '\n' : line.front();
      line.remove_prefix(1);
    }
    value += c;
  }
  return std::nullopt;
}

bool read_labels(std::string_view& line, Sample& sample) {
  while (!line.empty() && line.front() != '}') {
    const std::size_t quote = line.find("=\"");
    if (quote == line.npos) return false;
    std::string name(line.substr(0, quote));
    line.remove_prefix(quote + 2);
    auto value = read_quoted(line);
    if (!value) return false;
    sample.labels.emplace_back(std::move(name), *std::move(value));
    if (!line.empty() && line.front() == ',') line.remove_prefix(1);
  }
  if (line.empty()) return false;
  line.remove_prefix(1);
  return true;
}

bool read_value(std::string_view text, double& value) {
  if (text == "+Inf" || text == "Inf") {
    value = std::numeric_limits<double>::infinity();
    return true;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string_view Sample::label(std::string_view label_name) const {
  for (const auto& [name_of, value_of] : labels) {
    if (name_of == label_name) return value_of;
  }
  return {};
}

std::optional<Sample> read_sample(std::string_view line) {
  if (line.empty() || line.front() == '#') return std::nullopt;
  Sample sample;
  const std::size_t end = line.find_first_of("{ ");
  if (end == line.npos || end == 0) return std::nullopt;
  sample.name = line.substr(0, end);
  line.remove_prefix(end);
  if (line.front() == '{') {
    line.remove_prefix(1);
    if (!read_labels(line, sample)) return std::nullopt;
  }
  if (line.empty() || line.front() != ' ') return std::nullopt;
  line.remove_prefix(1);
  if (!read_value(line.substr(0, line.find(' ')), sample.value)) return std::nullopt;
  return sample;
}

}  // namespace subito::metrics
