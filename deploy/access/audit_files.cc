#include "deploy/access/audit_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "deploy/store/artefacts.h"
#include "runtime/base/time.h"

namespace subito::access {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kPrefix = "audit-";
constexpr std::string_view kSuffix = ".jsonl";

std::optional<std::uint64_t> number_in(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(kSuffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

template <typename OnLine>
void each_line(std::string_view text, const OnLine& on_line) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    on_line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// The time of a line, which is written first and in one form: it sorts as text does. Empty: a power
// cut tore the line before it.
std::string_view time_in(std::string_view line) {
  constexpr std::string_view kField = R"("time":")";
  constexpr std::size_t kTimeBytes = 24;
  const std::size_t at = line.find(kField);
  if (at == line.npos) return {};
  const std::string_view time = line.substr(at + kField.size(), kTimeBytes);
  return time.size() == kTimeBytes ? time : std::string_view();
}

std::optional<std::uint64_t> number_of(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("seq") || !json["seq"].is_number_unsigned())
    return std::nullopt;
  return json["seq"].get<std::uint64_t>();
}

// The last bytes of a file, without the line that they begin in the middle of.
Result<std::string> tail_of(const AuditFile& from, std::uint64_t bytes) {
  std::ifstream file(from.path, std::ios::binary);
  const std::uint64_t skipped = from.bytes > bytes ? from.bytes - bytes : 0;
  file.seekg(static_cast<std::streamoff>(skipped));
  std::stringstream text;
  if (from.bytes > 0) text << file.rdbuf();
  if (!file)
    return fail(ErrorCode::kInternal, "read audit log " + from.path + ": it cannot be read");
  std::string tail = text.str();
  if (skipped > 0) tail.erase(0, std::min(tail.find('\n'), tail.size() - 1) + 1);
  return tail;
}

// Goes on with what `end` knows of later files. True: a whole line is found.
bool look_for_end(std::string_view text, AuditEnd& end) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (text.empty()) return false;
  if (end.last_line.empty()) end.last_line = text.substr(text.rfind('\n') + 1);
  while (true) {
    const std::size_t before = text.rfind('\n');
    if (const auto number = number_of(text.substr(before + 1))) {
      end.seq = *number;
      return true;
    }
    if (before == text.npos) return false;
    text = text.substr(0, before);
  }
}

}  // namespace

std::string audit_path(const std::string& folder, std::uint64_t number) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "/audit-%08llu.jsonl",
                static_cast<unsigned long long>(number));
  return folder + name.data();
}

Result<std::vector<AuditFile>> audit_files(const std::string& folder) {
  std::vector<AuditFile> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;
    if (const auto number = number_in(it->path().filename().string()))
      files.push_back({*number, it->path().string(), it->file_size(gone)});
  }
  if (error) return fail(ErrorCode::kInternal, "read audit log " + folder + ": " + error.message());
  std::sort(files.begin(), files.end(),
            [](const AuditFile& a, const AuditFile& b) { return a.number < b.number; });
  return files;
}

Result<std::string> read_audit_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return fail(ErrorCode::kInternal, "read audit log " + path + ": it cannot be read");
  return text.str();
}

Result<AuditEnd> find_audit_end(const std::vector<AuditFile>& files) {
  AuditEnd end;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    ASSIGN_OR_RETURN(std::string text, tail_of(*file, kAuditTailBytes));
    AuditEnd here = end;
    bool found = look_for_end(text, here);
    if (!found && file->bytes > kAuditTailBytes) {
      ASSIGN_OR_RETURN(text, tail_of(*file, file->bytes));
      here = end;
      found = look_for_end(text, here);
    }
    end = std::move(here);
    if (file == files.rbegin()) end.torn = !text.empty() && text.back() != '\n';
    if (found) break;
  }
  return end;
}

std::string line_hash(std::string_view line) {
  store::Sha256 sha256;
  sha256.update(line);
  return sha256.hex();
}

Result<std::string> read_audit(const std::string& folder, const AuditQuery& query) {
  char since[kRfc3339Size];
  format_rfc3339(query.since_unix_ns, since);
  ASSIGN_OR_RETURN(const auto files, audit_files(folder));
  std::deque<std::string> found;
  bool later = query.seq_max != std::numeric_limits<std::uint64_t>::max();
  for (auto file = files.rbegin(); file != files.rend() && found.size() < query.tail; ++file) {
    auto text = read_audit_file(file->path);
    if (!text) continue;  // it was the oldest, and gone meanwhile
    std::vector<std::string> lines;
    bool older = false;
    each_line(*text, [&](std::string_view line) {
      const std::string_view time = time_in(line);
      if (time.empty() || time >= since)
        lines.emplace_back(line);
      else
        older = true;
    });
    for (auto line = lines.rbegin(); line != lines.rend() && found.size() < query.tail; ++line) {
      later = later && number_of(*line).value_or(query.seq_max + 1) > query.seq_max;
      if (!later) found.push_front(std::move(*line) + "\n");
    }
    if (older) break;
  }
  std::string all;
  for (const std::string& line : found) all += line;
  return all;
}

std::vector<std::string> check_chain(std::string_view lines) {
  std::vector<std::string> faults;
  std::optional<std::uint64_t> seq;
  std::string hash;
  each_line(lines, [&](std::string_view line) {
    const Json json = Json::parse(line, nullptr, false);
    const std::string after = seq ? "line after " + std::to_string(*seq) : "first line";
    const bool whole = json.is_object() && json.contains("seq") &&
                       json["seq"].is_number_unsigned() && json.contains("prev") &&
                       json["prev"].is_string();
    if (!whole) {
      faults.push_back(after + ": it is not whole");
    } else if (seq && json["seq"].get<std::uint64_t>() != *seq + 1) {
      faults.push_back(after + ": it is " + std::to_string(json["seq"].get<std::uint64_t>()) +
                       ", lines are missing");
    } else if (seq && json["prev"].get<std::string>() != hash) {
      faults.push_back("line " + std::to_string(*seq) + ": it was changed");
    }
    if (whole) seq = json["seq"].get<std::uint64_t>();
    hash = line_hash(line);
  });
  return faults;
}

}  // namespace subito::access
