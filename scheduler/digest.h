// Digest: one number for a sequence of numbers and decisions, the same on every machine: two runs
// with the same digest decided the same. Each word is mixed in by a multiplication (as FNV-1a does
// with bytes) and a rotation. A value; not for secrets.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "scheduler/effects.h"

namespace subito::scheduler {

class Digest {
 public:
  void add(std::uint64_t word) { value_ = std::rotl((value_ ^ word) * 0x9E3779B97F4A7C15u, 29); }
  void add(Duration duration) { add(static_cast<std::uint64_t>(duration.count())); }
  // Everything that the effect says.
  void add(const Effect& effect);
  void add(std::span<const Effect> effects) {
    for (const Effect& effect : effects) add(effect);
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325u;
};

}  // namespace subito::scheduler
