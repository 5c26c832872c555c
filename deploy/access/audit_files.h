// The files of the audit log: names, lines, and the chain through them. Blocking; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace subito::access {

struct AuditFile {
  std::uint64_t number = 0;
  std::string path;
  std::uint64_t bytes = 0;
};

std::string audit_path(const std::string& folder, std::uint64_t number);
Result<std::vector<AuditFile>> audit_files(const std::string& folder);  // the oldest first
Result<std::string> read_audit_file(const std::string& path);

// How to go on behind the lines of some files.
struct AuditEnd {
  std::uint64_t seq = 0;  // of the last line that is whole; 0: there is none
  std::string last_line;  // of any kind, without its end: what the next one's `prev` is of
  bool torn = false;      // the last file does not end with the end of a line
};
// Goes back from the last to the file that has a whole line: a crash or a full disk leaves files
// that are empty, or hold nothing but a torn line. Reads kAuditTailBytes of one where that will do.
Result<AuditEnd> find_audit_end(const std::vector<AuditFile>& files);
inline constexpr std::uint64_t kAuditTailBytes = 64 << 10;  // the longest line has some 10 KiB

// What `prev` of the next line is.
std::string line_hash(std::string_view line);

struct AuditQuery {
  std::int64_t since_unix_ns = 0;
  std::size_t tail = 1000;  // the last so many
  // Of those up to that number: whoever follows the log is told of later ones otherwise.
  std::uint64_t seq_max = std::numeric_limits<std::uint64_t>::max();
};
inline constexpr std::size_t kAuditTailMax = 10'000;

// Lines, the oldest first, each with its end.
Result<std::string> read_audit(const std::string& folder, const AuditQuery& query);

// What is wrong with the chain through the lines: changed, missing, cut off; empty: nothing. The
// first of them is believed.
std::vector<std::string> check_chain(std::string_view lines);

}  // namespace subito::access
