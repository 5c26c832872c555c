#include "deploy/access/failures.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace subito::access {

std::string Failures::key_of(std::string_view address) {
  std::string key(address);
  in6_addr ipv6{};
  if (::inet_pton(AF_INET6, key.c_str(), &ipv6) != 1) return key;
  constexpr std::size_t kPrefixBytes = 8;
  std::fill(ipv6.s6_addr + kPrefixBytes, ipv6.s6_addr + sizeof ipv6.s6_addr, std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, &ipv6, text.data(), text.size());
  return text.data();
}

std::optional<Duration> Failures::wait_of(std::string_view address, TimePoint now) const {
  const auto found = by_key_.find(key_of(address));
  if (found == by_key_.end() || found->second->until <= now) return std::nullopt;
  return found->second->until - now;
}

void Failures::failed(std::string_view address, TimePoint now) {
  const std::string key = key_of(address);
  auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    if (addresses_.size() == kAddressesMax) {
      by_key_.erase(addresses_.back().key);
      addresses_.pop_back();
    }
    addresses_.push_front({key, 0, now, now});
    found = by_key_.emplace(key, addresses_.begin()).first;
  }
  addresses_.splice(addresses_.begin(), addresses_, found->second);
  Address& entry = addresses_.front();
  if (now - entry.last >= kFailuresForgotten) entry.failures = 0;
  entry.last = now;
  if (++entry.failures <= kFailuresFree) return;
  // 6th: 1 s, 7th: 2 s, ... 12th: 64 s, cut to 60.
  const std::uint32_t doublings = std::min(entry.failures - kFailuresFree - 1, 6U);
  entry.until = now + std::min<Duration>(kFirstWait * (1U << doublings), kLongestWait);
}

}  // namespace subito::access
