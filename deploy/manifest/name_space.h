// A namespace of functions: its name, what all its pods together may take, and the hosts by which
// clients reach its routes. Plain values, pure checks; the store keeps them, the node obeys them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace subito::manifest {

inline constexpr std::size_t kNamespacesMax = 1000;          // of a node
inline constexpr std::size_t kHostsMax = 16;                 // of a namespace
inline constexpr std::string_view kLocalhost = "localhost";  // NS.localhost is always one of NS

// Of all pods of a namespace together, by their limits, and of its requests; 0: none but the
// node's.
struct Quota {
  std::uint32_t pods = 0;
  std::uint64_t memory_bytes = 0;
  std::uint32_t cpu_millicores = 0;
  std::uint32_t requests_per_s = 0;  // of all its functions; as many at once
  friend bool operator==(const Quota&, const Quota&) = default;
  bool limits() const { return pods != 0 || memory_bytes != 0 || cpu_millicores != 0; }
};

struct Namespace {
  std::string name;
  std::int64_t created_unix_ns = 0;
  Quota quota{};
  std::vector<std::string> hosts{};  // lower case, beside NS.localhost
};

// What is wrong, for a person; nothing: it is right.
std::optional<std::string> check_host(std::string_view host);
std::optional<std::string> check(const Namespace& name_space);

// Why what names a namespace cannot be done where there is none of that name, and what to do.
std::string no_namespace_words(std::string_view name);

}  // namespace subito::manifest
