#include "runtime/pods/memory_usage.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace subito::pods {
namespace {

TEST(MemoryUsageTest, FindsTheNumberBehindTheWholeKey) {
  const std::string text = "Pss_Dirty:  7 kB\nPss:     158 kB\nkernel_stack 3\nkernel 4096\n";
  EXPECT_EQ(find_number(text, "Pss"), 158U);
  EXPECT_EQ(find_number(text, "kernel"), 4096U);
  EXPECT_EQ(find_number(text, "swap"), 0U);
}

TEST(MemoryUsageTest, CountsThePagesOfALivingProcess) {
  EXPECT_GT(memory_usage_bytes(getpid(), "/nowhere"), 100'000U);
}

TEST(MemoryUsageTest, IsZeroForAProcessThatIsGone) {
  EXPECT_EQ(memory_usage_bytes(-1, "/nowhere"), 0U);
}

}  // namespace
}  // namespace subito::pods
