// ReportFile: the JSON of a report of `subito bench`, read back and checked. Plain values, no
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bench/measures.h"
#include "runtime/base/result.h"

namespace subito::bench {

struct ReportFile {
  std::string name;       // of its file, without folder and ending
  std::string benchmark;  // "cold-start"
  std::string command;
  std::vector<std::pair<std::string, std::string>> machine;  // by its JSON's names
  std::uint64_t errors = 0;
  bool interrupted = false;
  std::vector<std::pair<std::string, std::string>> missing;  // peers, and why
  std::vector<Measure> measures;

  std::string fact(const std::string& name) const;  // of the machine; empty: not told
};

inline constexpr std::size_t kReportBytesMax = 256 << 20;

// kNotFound, or kInvalidArgument: "read report A.json: measures[3].unit: is missing".
Result<ReportFile> read_report_file(const std::string& path);
Result<ReportFile> parse_report(const std::string& path, const std::string& text);

}  // namespace subito::bench
