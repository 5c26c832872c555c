#include "bench/simulate/csv.h"

#include <charconv>
#include <cmath>

namespace subito::simulate {
namespace {

// A word of a message: what a broken file holds may be long, and is no text.
std::string shown(std::string_view text) {
  constexpr std::size_t kShownMax = 40;
  std::string out(text.substr(0, kShownMax));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text.size() > kShownMax ? out + "..." : out;
}

}  // namespace

Result<Csv> Csv::open(const std::string& file, const std::vector<std::string>& header) {
  std::ifstream stream(file);
  if (!stream) return errno_error("open trace " + file);
  Csv csv(file, std::move(stream));
  if (!csv.read_line()) return fail(ErrorCode::kProtocol, file + ":1: is empty, not a header");
  csv.header_ = header;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (i < csv.fields_.size() && csv.fields_[i] == header[i]) continue;
    const std::string found = i < csv.fields_.size() ? shown(csv.fields_[i]) : "missing";
    return csv.at_line("field " + std::to_string(i + 1) + " of the header is '" + found +
                       "', it must be '" + header[i] + "'");
  }
  if (csv.fields_.size() > header.size()) {
    return csv.at_line("the header has " + std::to_string(csv.fields_.size()) +
                       " fields, it must have " + std::to_string(header.size()));
  }
  return csv;
}

Result<bool> Csv::next() {
  if (!read_line()) return false;
  if (line_.size() > kLineMax) return at_line("the line is longer than 1 MiB");
  if (fields_.size() != header_.size()) {
    return at_line("has " + std::to_string(fields_.size()) + " fields, the header has " +
                   std::to_string(header_.size()));
  }
  return true;
}

bool Csv::read_line() {
  fields_.clear();
  ++number_;
  if (!std::getline(stream_, line_)) return false;
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  std::string_view rest = line_;
  for (std::size_t comma = rest.find(','); comma != rest.npos; comma = rest.find(',')) {
    fields_.push_back(rest.substr(0, comma));
    rest.remove_prefix(comma + 1);
  }
  fields_.push_back(rest);
  return true;
}

Result<std::uint64_t> Csv::count(std::size_t index) const {
  const std::string_view text = fields_[index];
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr std::uint64_t kMax = 1'000'000'000;
  if (error != std::errc() || end != text.data() + text.size() || value > kMax) {
    return wrong(index, "a whole number from 0 to 1000000000");
  }
  return value;
}

Result<double> Csv::number(std::size_t index) const {
  const std::string_view text = fields_[index];
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr double kMax = 1e12;
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0 && value <= kMax)) {
    return wrong(index, "a number from 0 on");
  }
  return value;
}

Result<std::string_view> Csv::name(std::size_t index) const {
  if (fields_[index].empty()) return wrong(index, "a name");
  return fields_[index];
}

Error Csv::wrong(std::size_t index, const std::string& allowed) const {
  return at_line("field " + std::to_string(index + 1) + " (" + header_[index] + ") is '" +
                 shown(fields_[index]) + "', allowed is " + allowed);
}

Error Csv::at_line(const std::string& reason) const {
  return Error{ErrorCode::kProtocol, file_ + ":" + std::to_string(number_) + ": " + reason, 0};
}

}  // namespace subito::simulate
