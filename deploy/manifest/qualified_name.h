// The name by which a node knows a function: NAME in namespace `default`, NAME.NAMESPACE in any
// other. Neither part can hold a '.', so that each qualified name means one function. It is what
// stands in the paths of the API and in /function/NAME.NAMESPACE.
#pragma once

#include <string>
#include <string_view>

#include "deploy/manifest/defaults.h"

namespace subito::manifest {

struct QualifiedName {
  std::string name;
  std::string name_space;  // never empty
  friend bool operator==(const QualifiedName&, const QualifiedName&) = default;
};

// The namespace may be empty: `default`.
inline std::string qualified_name(std::string_view name, std::string_view name_space) {
  if (name_space.empty() || name_space == kNamespace) return std::string(name);
  return std::string(name) + "." + std::string(name_space);
}

inline std::string qualified_name(const Metadata& metadata) {
  return qualified_name(metadata.name(), metadata.namespace_());
}

// Splits at the first '.'; whether the parts are names of the right form it does not ask.
inline QualifiedName split_qualified(std::string_view qualified) {
  const std::size_t dot = qualified.find('.');
  if (dot == std::string_view::npos) return {std::string(qualified), kNamespace};
  return {std::string(qualified.substr(0, dot)), std::string(qualified.substr(dot + 1))};
}

}  // namespace subito::manifest
