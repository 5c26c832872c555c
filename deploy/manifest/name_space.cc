#include "deploy/manifest/name_space.h"

#include <algorithm>
#include <set>

#include "deploy/manifest/letters.h"
#include "deploy/manifest/rules.h"

namespace subito::manifest {

namespace {

constexpr std::size_t kHostBytesMax = 253;  // RFC 1035, 2.3.4
constexpr std::uint32_t kPodsMost = 100'000;
constexpr std::uint32_t kMillicoresMost = 100'000'000;
constexpr std::uint64_t kMemoryMost = std::uint64_t{1} << 50;

}  // namespace

std::optional<std::string> check_host(std::string_view host) {
  const bool right = !host.empty() && host.size() <= kHostBytesMax && host.front() != '.' &&
                     host.back() != '.' && std::all_of(host.begin(), host.end(), [](char c) {
                       return is_lower(c) || is_digit(c) || c == '-' || c == '.';
                     });
  if (!right)
    return "host is '" + std::string(host.substr(0, kHostBytesMax)) +
           "', allowed are lower-case letters, digits, '-' and '.', without a port";
  if (host == kLocalhost || host.ends_with(".localhost"))
    return "host is '" + std::string(host) + "', but NAMESPACE.localhost belongs to each already";
  return std::nullopt;
}

std::optional<std::string> check(const Namespace& name_space) {
  if (const auto wrong = check_name(name_space.name)) return "name " + *wrong;
  if (name_space.quota.pods > kPodsMost) return "pods are at most 100000";
  if (name_space.quota.memory_bytes > kMemoryMost) return "memory is at most 1024Ti";
  if (name_space.quota.cpu_millicores > kMillicoresMost) return "cpu is at most 100000";
  if (name_space.hosts.size() > kHostsMax) return "hosts are at most 16";
  std::set<std::string_view> seen;
  for (const std::string& host : name_space.hosts) {
    if (const auto wrong = check_host(host)) return wrong;
    if (!seen.insert(host).second) return "host '" + host + "' is there twice";
  }
  return std::nullopt;
}

std::string no_namespace_words(std::string_view name) {
  const std::string text(name);
  return "there is no namespace " + text +
         "; `subito namespace list` lists those there are, `subito namespace create " + text +
         "` makes it";
}

}  // namespace subito::manifest
