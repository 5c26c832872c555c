// For tests: where the built samples are and what they print of themselves. Needs SYMBOL_SAMPLES.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

namespace subito::symbols {

inline std::string sample_path(const std::string& name) {
  return std::string(SYMBOL_SAMPLES) + "/symbol_sample_" + name;
}

struct SampleAddresses {
  std::uint64_t caller = 0;  // a return address within sample::outer(int)
  std::uint64_t inner = 0;   // where sample::inner(int) begins
};

inline SampleAddresses run_sample(const std::string& name) {
  FILE* output = ::popen(sample_path(name).c_str(), "r");
  std::array<char, 100> line{};
  EXPECT_NE(std::fgets(line.data(), line.size(), output), nullptr) << name;
  ::pclose(output);
  unsigned long caller = 0;
  unsigned long inner = 0;
  EXPECT_EQ(std::sscanf(line.data(), "%lx %lx", &caller, &inner), 2) << line.data();
  return {caller, inner};
}

}  // namespace subito::symbols
