#include "deploy/store/backup.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "deploy/store/store_testing.h"

namespace subito::store {
namespace {

using testing::HasSubstr;

class BackupTest : public testing::Test {
 protected:
  TemporaryFolder folder;
  const std::string data = folder.path() + "/data";
  const std::string backup = folder.path() + "/backup";
  const std::string other = folder.path() + "/other";
};

TEST_F(BackupTest, WhatIsRestoredIsWhatWasThereWhileANodeRan) {
  const auto live = open_or_die(data);
  deploy(*live, "stock", "one");
  deploy(*live, "stock", "two");
  deploy(*live, "cart", "three");
  const auto made = back_up(data, backup);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->functions, 2U);
  EXPECT_EQ(made->revisions, 3U);
  EXPECT_EQ(made->copied, 3U);
  deploy(*live, "stock", "later");

  const auto restored = restore(backup, other, false);
  ASSERT_TRUE(restored) << restored.error().message;
  const auto store = open_or_die(other);
  EXPECT_EQ(marker(*store, "stock"), "two two");
  EXPECT_EQ(marker(*store, "cart"), "three three");
  EXPECT_EQ(store->revisions("stock").value().size(), 2U);
}

TEST_F(BackupTest, ASecondOneCopiesOnlyWhatIsNewAndDropsWhatIsGone) {
  const auto live = open_or_die(data);
  deploy(*live, "stock", "one");
  deploy(*live, "cart", "two");
  ASSERT_TRUE(back_up(data, backup));
  ASSERT_TRUE(live->remove_function("cart"));
  deploy(*live, "stock", "three");
  const auto made = back_up(data, backup);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->copied, 1U);
  EXPECT_EQ(count_files(backup + "/artefacts"), 2);
}

TEST_F(BackupTest, NeitherAForeignFolderNorADataFolderIsWrittenOver) {
  const auto live = open_or_die(data);
  deploy(*live, "stock", "one");
  EXPECT_THAT(back_up(data, data).error().message, HasSubstr("is the data folder of a node"));
  std::filesystem::create_directories(other);
  std::ofstream(other + "/diary") << "mine";
  EXPECT_THAT(back_up(data, other).error().message, HasSubstr("it holds other things"));
  EXPECT_EQ(back_up(folder.path() + "/none", backup).error().code, ErrorCode::kNotFound);
}

TEST_F(BackupTest, ABinaryThatIsLostOrDamagedIsLeftOutAndNamed) {
  const auto live = open_or_die(data);
  deploy(*live, "stock", "one");
  deploy(*live, "stock", "two");
  deploy(*live, "cart", "three");
  std::filesystem::remove(file_with(data + "/artefacts", "one"));
  std::ofstream(file_with(data + "/artefacts", "three")) << "THREE";
  const auto made = back_up(data, backup);
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_EQ(made->gaps.size(), 2U);
  for (const BinaryGap& gap : made->gaps) {
    EXPECT_FALSE(gap.kept);
    EXPECT_THAT(gap.fault, HasSubstr(gap.revisions == "stock 1" ? "No such file" : "its SHA-256"));
  }
  const auto restored = restore(backup, other, false);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->gaps.size(), 2U);
  const auto store = open_or_die(other);
  EXPECT_EQ(marker(*store, "stock"), "two two");
  EXPECT_THAT(marker(*store, "cart"), HasSubstr("not in the store"));
}

TEST_F(BackupTest, WhatItHasOfALostBinaryItKeeps) {
  const auto live = open_or_die(data);
  deploy(*live, "stock", "one");
  ASSERT_TRUE(back_up(data, backup));
  std::filesystem::remove(file_with(data + "/artefacts", "one"));
  const auto made = back_up(data, backup);
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_EQ(made->gaps.size(), 1U);
  EXPECT_TRUE(made->gaps[0].kept);
  ASSERT_TRUE(restore(backup, other, false));
  EXPECT_EQ(marker(*open_or_die(other), "stock"), "one one");
}

TEST_F(BackupTest, ADamagedBinaryOfAnEarlierOneIsMadeAnew) {
  const auto live = open_or_die(data);
  deploy(*live, "stock", "one");
  ASSERT_TRUE(back_up(data, backup));
  std::ofstream(file_with(backup + "/artefacts", "one")) << "two";
  const auto made = back_up(data, backup);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->copied, 1U);
  ASSERT_TRUE(restore(backup, other, false));
  EXPECT_EQ(marker(*open_or_die(other), "stock"), "one one");
}

TEST_F(BackupTest, AFirstOneThatWasInterruptedIsBegunAnew) {
  const auto live = open_or_die(data);
  deploy(*live, "stock", "one");
  std::filesystem::create_directories(backup + "/artefacts");
  std::ofstream(backup + "/state.db.new") << "half";
  std::ofstream(backup + "/artefacts/incoming-abcdef") << "half";
  const auto made = back_up(data, backup);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_FALSE(std::filesystem::exists(backup + "/state.db.new"));
  EXPECT_EQ(count_files(backup + "/artefacts"), 1);
}

TEST_F(BackupTest, OneAtATimeWritesToAFolder) {
  const auto live = open_or_die(data);
  deploy(*live, "stock", "one");
  ASSERT_TRUE(back_up(data, backup));
  const UniqueFd first(::open((backup + "/backup.lock").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(first.get(), LOCK_EX), 0);
  EXPECT_EQ(back_up(data, backup).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(restore(backup, other, false).error().code, ErrorCode::kUnavailable);
}

TEST_F(BackupTest, NeitherWaitsForWhoWritesNorKeepsAnyoneFromIt) {
  const auto live = open_or_die(data);
  deploy(*live, "stock", "one");
  auto writing = Transaction::begin(live->database());
  ASSERT_TRUE(writing);
  ASSERT_TRUE(live->database().execute("DELETE FROM functions"));
  const auto made = back_up(data, backup);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->functions, 1U);
}

// In namespaces of its own, which end with it: 0 it is whole, 1 it is not, 2 none can be made.
int back_up_read_only(const std::string& data, const std::string& backup) {
  if (::unshare(::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) return 2;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount(data.c_str(), data.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
      ::mount(nullptr, data.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0)
    return 2;
  const auto made = back_up(data, backup);
  if (!made) std::fprintf(stderr, "%s\n", made.error().message.c_str());
  return made && made->functions == 2 && made->gaps.empty() ? 0 : 1;
}

// Three ways a node leaves its folder, then the disk falls back to read-only.
TEST_F(BackupTest, ADiskThatIsReadOnlyCanBeRead) {
  const auto copy_all = std::filesystem::copy_options::recursive;
  auto live = open_or_die(data);
  deploy(*live, "stock", "one");
  deploy(*live, "cart", "two");
  std::filesystem::copy(data, folder.path() + "/killed", copy_all);
  std::filesystem::copy(data, folder.path() + "/log-alone", copy_all);
  std::filesystem::remove(folder.path() + "/log-alone/state.db-shm");
  ASSERT_GT(std::filesystem::file_size(folder.path() + "/log-alone/state.db-wal"), 0U);
  live.reset();
  ASSERT_FALSE(std::filesystem::exists(data + "/state.db-wal"));
  for (const char* left : {"/data", "/killed", "/log-alone"}) {
    const std::string into = backup + left;
    const pid_t child = ::fork();
    if (child == 0) ::_exit(back_up_read_only(folder.path() + left, into));
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2) GTEST_SKIP() << "no namespace of mounts";
    EXPECT_EQ(status, 0) << left;
    EXPECT_FALSE(std::filesystem::exists(into + "/source.db")) << left;
    const auto restored = restore(into, other + left, false);
    ASSERT_TRUE(restored) << restored.error().message;
    EXPECT_EQ(marker(*open_or_die(other + left), "cart"), "two two");
  }
}

// Deploys until it is killed; each forgets the binary before the last.
[[noreturn]] void deploy_for_ever(const std::string& data) {
  const auto store = Store::open(data);
  for (int i = 1; store; ++i) {
    auto writer = (*store)->begin_artefact();
    if (!writer || !writer->write(std::to_string(i))) break;
    const auto hash = writer->finish("");
    if (!hash) break;
    auto spec = function("stock", std::to_string(i));
    spec.mutable_spec()->mutable_rollout()->set_revisions_kept(1);
    const auto candidate = (*store)->prepare(spec, *hash);
    if (!candidate || !(*store)->commit(*candidate)) break;
  }
  ::_exit(1);
}

TEST_F(BackupTest, IsWholeThoughDeploysForgetBinariesMeanwhile) {
  deploy(*open_or_die(data), "stock", "0");
  const pid_t child = ::fork();
  if (child == 0) deploy_for_ever(data);
  ASSERT_GT(child, 0);
  for (int i = 0; i < 10; ++i) {
    const auto made = back_up(data, backup);
    EXPECT_TRUE(made) << made.error().message;
  }
  ::kill(child, SIGKILL);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "it deployed to the end";
  ASSERT_TRUE(restore(backup, other, false));
  const auto store = open_or_die(other);
  const auto record = store->function("stock");
  ASSERT_TRUE(record);
  EXPECT_EQ(content(store->artefact_path(record->revision.artefact).value()),
            record->revision.spec.spec().settings().at("marker"));
}

}  // namespace
}  // namespace subito::store
