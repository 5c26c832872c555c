#include "runtime/pods/memory_usage.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "runtime/pods/home.h"

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

TEST(ReadAheadTest, BringsAFileIntoThePageCache) {
  constexpr std::size_t kBytes = 3 << 20;
  char path[] = "/tmp/subito-artefact-XXXXXX";
  const UniqueFd file(::mkstemp(path));
  ASSERT_EQ(::write(file.get(), std::string(kBytes, 'x').data(), kBytes),
            static_cast<ssize_t>(kBytes));
  ASSERT_EQ(::fsync(file.get()), 0);
  ASSERT_EQ(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
  void* mapped = ::mmap(nullptr, kBytes, PROT_READ, MAP_SHARED, file.get(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  const auto missing = [&] {
    std::vector<unsigned char> pages(kBytes / 4096);
    EXPECT_EQ(::mincore(mapped, kBytes, pages.data()), 0);
    return std::count_if(pages.begin(), pages.end(), [](auto page) { return (page & 1) == 0; });
  };
  if (missing() == 0) GTEST_SKIP() << "/tmp is all memory";
  read_ahead(path);
  for (int i = 0; i < 2'000 && missing() > 0; ++i) ::usleep(5'000);
  EXPECT_EQ(missing(), 0);
  ::munmap(mapped, kBytes);
  ::unlink(path);
}

}  // namespace
}  // namespace subito::pods
