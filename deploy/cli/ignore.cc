#include "deploy/cli/ignore.h"

#include <fnmatch.h>

#include <algorithm>

namespace subito::cli {

namespace {

bool begins_with(std::string_view text, std::string_view begin) {
  return text.substr(0, begin.size()) == begin;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// Swap, backup and trial files of vim (4913), emacs and others; hidden ones are theirs or git's.
bool is_of_an_editor(std::string_view name) {
  return begins_with(name, ".") || begins_with(name, "#") || ends_with(name, "~") ||
         ends_with(name, ".swp") || ends_with(name, ".swx") || ends_with(name, ".bak") ||
         ends_with(name, ".tmp") || name == "4913";
}

}  // namespace

Ignore::Ignore(std::string_view gitignore) {
  for (std::size_t begin = 0, end; begin < gitignore.size(); begin = end + 1) {
    end = std::min(gitignore.find('\n', begin), gitignore.size());
    std::string_view line = gitignore.substr(begin, end - begin);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    Pattern pattern{"", false, line.back() == '/', line.front() == '!'};
    if (pattern.negated) line.remove_prefix(1);
    if (pattern.folders_only) line.remove_suffix(1);
    pattern.whole_path = line.find('/') != line.npos;
    if (begins_with(line, "/")) line.remove_prefix(1);
    pattern.glob = line;
    if (!line.empty()) patterns_.push_back(std::move(pattern));
  }
}

bool Ignore::ignores(const std::string& path, bool is_folder) const {
  const std::string name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  if (is_of_an_editor(name) || path == "build") return true;
  bool ignored = false;
  for (const Pattern& pattern : patterns_) {
    if (pattern.folders_only && !is_folder) continue;
    const std::string& text = pattern.whole_path ? path : name;
    if (::fnmatch(pattern.glob.c_str(), text.c_str(), FNM_PATHNAME) == 0)
      ignored = !pattern.negated;
  }
  return ignored;
}

}  // namespace subito::cli
