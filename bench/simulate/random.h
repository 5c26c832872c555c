// Random: numbers that look random and are the same on every machine, from a seed and a stream.
// Streams of one seed are independent: each function draws from its own, so that what one function
// does never moves another's calls. xoshiro256** (Blackman and Vigna), seeded by SplitMix64. A
// value, 32 bytes; for simulation, not for secrets.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "bench/simulate/exact_math.h"

namespace subito::simulate {

// One step of SplitMix64: moves `state`, returns a well mixed number.
inline std::uint64_t split_mix(std::uint64_t& state) {
  std::uint64_t z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream) {
    std::uint64_t state = seed;
    state = split_mix(state) ^ stream;
    for (std::uint64_t& word : state_) word = split_mix(state);
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  // Between 0 and 1, never either.
  double uniform() { return (static_cast<double>(next() >> 12) + 0.5) * 0x1p-52; }
  // One of 0 .. count - 1; the bias is below count / 2^32.
  std::uint32_t below(std::uint32_t count) {
    return static_cast<std::uint32_t>((next() >> 32) * count >> 32);
  }
  double normal() { return inverse_normal(uniform()); }     // mean 0, deviation 1
  double exponential() { return -natural_log(uniform()); }  // mean 1

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace subito::simulate
