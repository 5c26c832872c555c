// OwnGroup: a control group at the top of every hierarchy, made by someone we started and removed,
// with all below it, when this goes. One thread.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/unique_fd.h"

namespace subito::bench {

class OwnGroup {
 public:
  explicit OwnGroup(std::string name);
  OwnGroup(OwnGroup&& other) noexcept = default;
  OwnGroup& operator=(OwnGroup&&) = delete;
  ~OwnGroup();

 private:
  std::string name_;
  // Roots of all hierarchies, open: a mount may be hidden from us later. Empty: moved from.
  std::vector<UniqueFd> hierarchies_;
};

}  // namespace subito::bench
