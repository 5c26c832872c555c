// Id<Tag>: an integer id that cannot be mixed up with another kind. Ids carry what a pointer
// would: they are looked up, and an id of something gone is simply not found.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace subito {

template <typename Tag>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(std::uint64_t value) : value_(value) {}
  constexpr std::uint64_t value() const { return value_; }
  constexpr explicit operator bool() const { return value_ != 0; }
  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  std::uint64_t value_ = 0;  // 0: none
};

// Counts up and never hands out the same id twice.
template <typename IdType>
class IdSource {
 public:
  IdType next() { return IdType(++last_); }

 private:
  std::uint64_t last_ = 0;
};

using FunctionId = Id<struct FunctionTag>;
using RevisionId = Id<struct RevisionTag>;
using PodId = Id<struct PodTag>;
using InvocationId = Id<struct InvocationTag>;

}  // namespace subito

template <typename Tag>
struct std::hash<subito::Id<Tag>> {
  std::size_t operator()(subito::Id<Tag> id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value());
  }
};
