// Selector: which functions are meant, by their labels, as Kubernetes writes it:
//
//   app=shop,tier!=web      both hold; "==" is "="
//   tier in (web,cache)     one of them; notin: none of them
//   canary, !canary         it has such a label; it has none
//
// != and notin hold for a function without that label, too. Pure; a value, copied freely.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace subito::manifest {

inline constexpr std::size_t kSelectorBytesMax = 4096;
inline constexpr std::size_t kRequirementsMax = 64;
// Of a key behind its '/', and of a value. What stands before the '/' is a domain.
inline constexpr std::size_t kLabelBytesMax = 63;
inline constexpr std::size_t kLabelDomainBytesMax = 253;

// What is wrong with a label's key or value, as it stands behind "field: ", or nothing.
std::optional<std::string> check_label_key(std::string_view key);
std::optional<std::string> check_label_value(std::string_view value);

class Selector {
 public:
  // kInvalidArgument says what is wrong, and where. An empty text selects everything.
  static Result<Selector> parse(std::string_view text);

  // `Labels`: a map of texts.
  template <typename Labels>
  bool selects(const Labels& labels) const {
    for (const Requirement& requirement : requirements_) {
      const auto label = labels.find(requirement.key);
      const bool there = label != labels.end();
      if (!requirement.holds(there, there ? std::string_view(label->second) : "")) return false;
    }
    return true;
  }

 private:
  struct Requirement {
    enum class Kind : std::uint8_t { kExists, kAbsent, kIn, kNotIn };
    Kind kind = Kind::kExists;
    std::string key;
    std::vector<std::string> values;

    bool holds(bool there, std::string_view value) const;
  };
  class Parser;

  std::vector<Requirement> requirements_;
};

}  // namespace subito::manifest
