#include "bench/server_timing.h"

#include <charconv>

namespace subito::bench {

namespace {

// Cuts the part before `separator` off, without surrounding spaces.
std::string_view take_part(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  std::string_view part = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  while (part.starts_with(' ')) part.remove_prefix(1);
  while (part.ends_with(' ')) part.remove_suffix(1);
  return part;
}

}  // namespace

std::vector<ServerTiming> parse_server_timing(std::string_view value) {
  std::vector<ServerTiming> timings;
  while (!value.empty()) {
    std::string_view entry = take_part(value, ',');
    ServerTiming timing;
    timing.name = take_part(entry, ';');
    while (!entry.empty()) {
      std::string_view part = take_part(entry, ';');
      if (part.starts_with("desc=")) timing.description = part.substr(5);
      if (part.starts_with("dur=")) {
        part.remove_prefix(4);
        std::from_chars(part.data(), part.data() + part.size(), timing.milliseconds);
      }
    }
    if (!timing.name.empty()) timings.push_back(std::move(timing));
  }
  return timings;
}

}  // namespace subito::bench
