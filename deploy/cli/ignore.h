// Ignore: which files of a function's folder are not its sources: what a build makes, what is
// hidden, what editors leave while they save, and what its .gitignore names. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace subito::cli {

class Ignore {
 public:
  // The text of the folder's .gitignore, gitignore(5): comments, "!", "/" in front, between and
  // behind, "*" and "?". "**" is taken for "*". Those of folders further down are not looked at.
  explicit Ignore(std::string_view gitignore);

  // `path` relative to the folder, without a slash at its ends. The folders above it were asked
  // about before: what lies in an ignored one is ignored.
  bool ignores(const std::string& path, bool is_folder) const;

 private:
  struct Pattern {
    std::string glob;
    bool whole_path;  // else: of the last part alone
    bool folders_only;
    bool negated;
  };
  std::vector<Pattern> patterns_;
};

}  // namespace subito::cli
