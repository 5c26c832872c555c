#include "runtime/base/secret_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace subito {
namespace {

// The VmFlags of the mapping that holds the address, proc(5); and how much of it is locked.
std::string facts_of(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool inside = false;
  std::string facts;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream words(line);
    if (words >> std::hex >> begin >> dash >> end && dash == '-')
      inside = begin <= wanted && wanted < end;
    const bool tells = line.rfind("VmFlags:", 0) == 0 || line.rfind("Locked:", 0) == 0;
    if (inside && tells) facts += line + " ";
  }
  return facts;
}

// The sanitizers make mlock(2) do nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLocks = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kLocks = false;
#else
constexpr bool kLocks = true;
#endif
#else
constexpr bool kLocks = true;
#endif

TEST(LockedBytesTest, AreLockedAndLeftOutOfCoreDumps) {
  LockedBytes bytes = LockedBytes::copy_of("hunter2");
  EXPECT_EQ(bytes.view(), "hunter2");
  const std::string facts = facts_of(bytes.data());
  if (kLocks) {
    EXPECT_NE(facts.find(" lo"), facts.npos) << facts;
  }
  EXPECT_NE(facts.find(" dd"), facts.npos) << facts;
  bytes.shrink(3);
  EXPECT_EQ(bytes.view(), "hun");
}

TEST(SealedFileTest, CanBeReadByWhoeverGetsItAndChangedByNobody) {
  auto file = SealedFile::make("test", "hunter2");
  ASSERT_TRUE(file) << file.error().message;
  for (int i = 0; i < 2; ++i) {  // each from its beginning
    const auto again = file->open_again();
    ASSERT_TRUE(again) << again.error().message;
    char read[16] = {};
    EXPECT_EQ(::read(again->get(), read, sizeof read), 7);
    EXPECT_STREQ(read, "hunter2");
    EXPECT_LT(::write(again->get(), "x", 1), 0);
    EXPECT_NE(::ftruncate(again->get(), 0), 0);
  }
  const SealedFile moved = std::move(*file);
  EXPECT_TRUE(moved.valid());
  EXPECT_TRUE(SealedFile::make("test", "")->valid());
}

TEST(WipeTest, LeavesZeroes) {
  std::string text = "hunter2";
  wipe(text);
  EXPECT_EQ(text, std::string(7, '\0'));
}

TEST(WipeTest, LeavesZeroesInEachFieldOfThatName) {
  std::vector<std::pair<std::string, std::string>> fields = {
      {"authorization", "a"}, {"host", "b"}, {"authorization", "c"}};
  wipe_values(fields, "authorization");
  EXPECT_EQ(fields[0].second, std::string(1, '\0'));
  EXPECT_EQ(fields[1].second, "b");
  EXPECT_EQ(fields[2].second, std::string(1, '\0'));
}

}  // namespace
}  // namespace subito
