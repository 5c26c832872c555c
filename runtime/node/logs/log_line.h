// A log record as a line of JSON, as it stands in the files: what the API sends, and before it `n`,
// which tells where in its function's log it stands in that life of the node. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "deploy/api/control_plane.h"

namespace subito::node {

struct NumberedRecord {
  std::uint64_t number = 0;
  api::LogRecord record;
};

// With its new line.
std::string to_line(const NumberedRecord& numbered);
// Nothing for what is no such line: cut by the end of a node, or not ours.
std::optional<NumberedRecord> parse_line(std::string_view line);

}  // namespace subito::node
