#include "bench/page_cache.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fstream>

#include "bench/temp_folder.h"
#include "runtime/base/unique_fd.h"

namespace subito::bench {
namespace {

constexpr std::size_t kPages = 8;
constexpr long kTmpfsMagic = 0x01021994;  // statfs(2)

class PageCache : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = TempFolder::make();
    ASSERT_TRUE(folder);
    folder_.emplace(*std::move(folder));
    struct statfs found {};
    ASSERT_EQ(::statfs(folder_->path().c_str(), &found), 0);
    if (found.f_type == kTmpfsMagic) GTEST_SKIP() << "SKIPPED: the temporary folder is a tmpfs";
    file_ = folder_->path() + "/file";
    std::ofstream(file_) << std::string(kPages * 4096, 'x');
  }
  std::optional<TempFolder> folder_;
  std::string file_;
};

TEST_F(PageCache, OfOneFileIsDropped) {
  const auto before = cached_pages(file_);
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_EQ(*before, kPages) << "it was just written";
  const Status dropped = drop_cached_pages(file_);
  ASSERT_TRUE(dropped) << dropped.error().message;
  EXPECT_EQ(cached_pages(file_).value_or(1), 0U);
}

TEST_F(PageCache, SaysWhenPagesStay) {
  const UniqueFd fd(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
  void* mapped = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED | MAP_POPULATE, fd.get(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  const Status dropped = drop_cached_pages(file_);
  ::munmap(mapped, 4096);
  ASSERT_FALSE(dropped);
  EXPECT_THAT(dropped.error().message, testing::HasSubstr("stay; a process has them mapped"));
}

TEST(PageCacheFile, ThatIsNotThereIsAnError) {
  EXPECT_FALSE(drop_cached_pages("/nonexistent"));
  EXPECT_FALSE(cached_pages("/nonexistent"));
}

}  // namespace
}  // namespace subito::bench
