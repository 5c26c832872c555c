// Selection: the functions that a list, a watcher or a follower of logs means: those of one
// namespace or of all, and of these perhaps those with some labels, or one. A value; it stays as it
// was made.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "deploy/manifest/qualified_name.h"

namespace subito::api {

struct Selection {
  std::string name_space = manifest::kNamespace;  // empty: all
  // Qualified names; absent: all of the namespace.
  std::optional<std::set<std::string>> names;

  bool contains(const std::string& function) const {
    if (names) return names->contains(function);
    return name_space.empty() || manifest::split_qualified(function).name_space == name_space;
  }
};

}  // namespace subito::api
