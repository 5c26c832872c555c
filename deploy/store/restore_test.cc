#include <gmock/gmock.h>

#include "deploy/store/backup.h"
#include "deploy/store/store_testing.h"
#include "deploy/store/tokens.h"

namespace subito::store {
namespace {

using testing::HasSubstr;

class RestoreTest : public testing::Test {
 protected:
  // A backup of one function, whose binary says "old".
  void make_backup() {
    deploy(*open_or_die(data), "stock", "old");
    ASSERT_TRUE(back_up(data, backup));
  }
  static TokenRecord token(const std::string& id) {
    return {id, "name-" + id, "hash-" + id, "*:admin", 1, "uid 0", 0, 0};
  }
  // Database and log of a node that was killed while it had `cart`.
  void leave_killed(const std::string& at) {
    const auto live = open_or_die(folder.path() + "/running");
    deploy(*live, "cart", "new");
    std::filesystem::copy(folder.path() + "/running", at, std::filesystem::copy_options::recursive);
    ASSERT_GT(std::filesystem::file_size(at + "/state.db-wal"), 0U);
  }
  TemporaryFolder folder;
  const std::string data = folder.path() + "/data";
  const std::string backup = folder.path() + "/backup";
  const std::string other = folder.path() + "/other";
};

TEST_F(RestoreTest, FunctionsThatAreThereAreNotForgottenUnasked) {
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

TEST_F(RestoreTest, ARunningNodesFolderIsNotRestoredInto) {
  const auto live = open_or_die(data);
  deploy(*live, "stock", "one");
  ASSERT_TRUE(back_up(data, backup));
  const auto refused = restore(backup, data, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kAlreadyExists);
  EXPECT_TRUE(refused.error().message.ends_with("; end it first")) << refused.error().message;
}

TEST_F(RestoreTest, ADamagedBinaryIsFoundBeforeAnythingChanges) {
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

TEST_F(RestoreTest, ADamagedOrForeignDatabaseIsRefused) {
  deploy(*open_or_die(data), "stock", "one");
  ASSERT_TRUE(back_up(data, backup));
  std::ofstream(backup + "/state.db") << "not a database, but long enough to look like a header";
  EXPECT_THAT(restore(backup, other, false).error().message, HasSubstr("not a database"));
  EXPECT_THAT(restore(folder.path() + "/none", other, false).error().message,
              HasSubstr("there is no state.db"));
  EXPECT_FALSE(std::filesystem::exists(other + "/state.db"));
}

TEST_F(RestoreTest, TheLogOfAnOldDatabaseDoesNotUndoIt) {
  make_backup();
  leave_killed(other);
  std::filesystem::remove(other + "/state.db");
  const auto restored = restore(backup, other, false);
  ASSERT_TRUE(restored) << restored.error().message;
  const auto store = open_or_die(other);
  EXPECT_EQ(marker(*store, "stock"), "old old");
  EXPECT_FALSE(store->function("cart"));
}

TEST_F(RestoreTest, WhatAKilledNodeHadIsSeenAndReplaced) {
  make_backup();
  leave_killed(other);
  EXPECT_THAT(restore(backup, other, false).error().message, HasSubstr("1 functions are there"));
  ASSERT_TRUE(restore(backup, other, true));
  EXPECT_EQ(marker(*open_or_die(other), "stock"), "old old");
}

TEST_F(RestoreTest, ADamagedDatabaseIsReplacedWhenAsked) {
  make_backup();
  { const auto store = open_or_die(other); }
  std::ofstream(other + "/state.db") << std::string(8192, 'x');
  const auto refused = restore(backup, other, false);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("--replace puts the backup in its place"));
  const auto restored = restore(backup, other, true);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_TRUE(restored->revocations_unknown);
  EXPECT_EQ(marker(*open_or_die(other), "stock"), "old old");
}

TEST_F(RestoreTest, ADamagedBinaryOfTheSameSizeIsReplaced) {
  make_backup();
  std::ofstream(file_with(data + "/artefacts", "old")) << "odd";
  const auto restored = restore(backup, data, true);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->copied, 1U);
  EXPECT_EQ(marker(*open_or_die(data), "stock"), "old old");
}

TEST_F(RestoreTest, ABinaryThatWentUntoldIsAnErrorAndChangesNothing) {
  make_backup();
  std::filesystem::remove(file_with(backup + "/artefacts", "old"));
  deploy(*open_or_die(other), "cart", "new");
  EXPECT_THAT(restore(backup, other, true).error().message, HasSubstr("No such file"));
  EXPECT_EQ(marker(*open_or_die(other), "cart"), "new new");
}

TEST_F(RestoreTest, WhateverANodeWouldForgetIsNotForgottenUnasked) {
  make_backup();
  {
    const auto store = open_or_die(folder.path() + "/tokens");
    ASSERT_TRUE(TokenTable(*store).add(token("a")));
    const auto objects = open_or_die(folder.path() + "/objects");
    ASSERT_TRUE(objects->database().execute("INSERT INTO objects VALUES (1, 'shop', 'key', 1, 1)"));
    const auto namespaces = open_or_die(folder.path() + "/namespaces");
    manifest::Namespace shop;
    shop.name = "shop";
    ASSERT_TRUE(namespaces->put_namespace(shop));
  }
  const auto refusal = [&](const char* kind) {
    return restore(backup, folder.path() + kind, false).error().message;
  };
  EXPECT_THAT(refusal("/tokens"), HasSubstr(": 1 tokens are there; --replace"));
  EXPECT_THAT(refusal("/objects"), HasSubstr(": 1 config objects and secrets are there"));
  EXPECT_THAT(refusal("/namespaces"), HasSubstr(": 1 namespaces are there"));
  { const auto empty = open_or_die(other); }
  EXPECT_TRUE(restore(backup, other, false));
}

TEST_F(RestoreTest, ATokenThatWasRevokedMeanwhileStaysRevoked) {
  {
    const auto store = open_or_die(data);
    TokenTable tokens(*store);
    ASSERT_TRUE(tokens.add(token("a")));
    ASSERT_TRUE(tokens.add(token("b")));
    ASSERT_TRUE(back_up(data, backup));
    ASSERT_TRUE(tokens.revoke("a", 77));
  }
  const auto restored = restore(backup, data, true);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->tokens, 1U);
  EXPECT_EQ(restored->revoked, 1U);
  const auto store = open_or_die(data);
  const auto tokens = TokenTable(*store).all().value();
  ASSERT_EQ(tokens.size(), 2U);
  EXPECT_EQ(tokens[0].revoked_unix_ns, 77);
  EXPECT_EQ(tokens[1].revoked_unix_ns, 0);
}

}  // namespace
}  // namespace subito::store
