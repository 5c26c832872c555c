#include "deploy/store/backup.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deploy/store/store_testing.h"

namespace subito::store {
namespace {

using testing::HasSubstr;

class BackupTest : public testing::Test {
 protected:
  std::string marker(Store& store, const std::string& name) {
    const auto record = store.function(name);
    if (!record) return record.error().message;
    const Revision& revision = record->revision;
    return revision.spec.spec().settings().at("marker") + " " +
           content(store.artefact_path(revision.artefact).value());
  }
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

TEST_F(BackupTest, FunctionsThatAreThereAreNotForgottenUnasked) {
  deploy(*open_or_die(data), "stock", "old");
  ASSERT_TRUE(back_up(data, backup));
  deploy(*open_or_die(other), "cart", "new");
  const auto refused = restore(backup, other, false);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("1 functions are there; --replace"));
  EXPECT_EQ(marker(*open_or_die(other), "cart"), "new new");
  ASSERT_TRUE(restore(backup, other, true));
  const auto store = open_or_die(other);
  EXPECT_FALSE(store->function("cart"));
  EXPECT_EQ(marker(*store, "stock"), "old old");
}

TEST_F(BackupTest, ARunningNodesFolderIsNotRestoredInto) {
  const auto live = open_or_die(data);
  deploy(*live, "stock", "one");
  ASSERT_TRUE(back_up(data, backup));
  const auto refused = restore(backup, data, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kAlreadyExists);
}

TEST_F(BackupTest, ADamagedBinaryIsFoundBeforeAnythingChanges) {
  deploy(*open_or_die(data), "stock", "one");
  ASSERT_TRUE(back_up(data, backup));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(backup + "/artefacts")) {
    if (entry.is_regular_file()) std::ofstream(entry.path()) << "two";
  }
  deploy(*open_or_die(other), "cart", "new");
  const auto refused = restore(backup, other, true);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("its SHA-256 is"));
  EXPECT_EQ(marker(*open_or_die(other), "cart"), "new new");
}

TEST_F(BackupTest, ADamagedOrForeignDatabaseIsRefused) {
  deploy(*open_or_die(data), "stock", "one");
  ASSERT_TRUE(back_up(data, backup));
  std::ofstream(backup + "/state.db") << "not a database, but long enough to look like a header";
  EXPECT_THAT(restore(backup, other, false).error().message, HasSubstr("not a database"));
  EXPECT_THAT(restore(folder.path() + "/none", other, false).error().message,
              HasSubstr("there is no state.db"));
  EXPECT_FALSE(std::filesystem::exists(other + "/state.db"));
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
