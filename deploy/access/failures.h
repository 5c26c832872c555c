// Failures: slows down whoever shows unknown tokens. After kFailuresFree of them an address is told
// to wait before it shows another: a second, then twice as long each time, up to a minute. A right
// token from there need not (see Gate): 256 random bits are not guessed, waiting or not, and behind
// a proxy everybody has one address. Pure.
//
// An address of IPv6 counts as its /64, which one client may choose from. Bounded: the address that
// failed longest ago is forgotten for a new one.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/base/time.h"

namespace subito::access {

inline constexpr std::uint32_t kFailuresFree = 5;
inline constexpr Duration kFirstWait = std::chrono::seconds(1);
inline constexpr Duration kLongestWait = std::chrono::seconds(60);
// An address that did not fail for so long begins anew.
inline constexpr Duration kFailuresForgotten = std::chrono::minutes(10);
inline constexpr std::size_t kAddressesMax = 4096;

class Failures {
 public:
  // How long that address must wait still; nothing: it may try.
  std::optional<Duration> wait_of(std::string_view address, TimePoint now) const;
  void failed(std::string_view address, TimePoint now);
  std::size_t size() const { return addresses_.size(); }

 private:
  struct Address {
    std::string key;
    std::uint32_t failures = 0;
    TimePoint last;
    TimePoint until;
  };
  static std::string key_of(std::string_view address);

  std::list<Address> addresses_;  // who failed last is first
  std::unordered_map<std::string, std::list<Address>::iterator> by_key_;
};

}  // namespace subito::access
