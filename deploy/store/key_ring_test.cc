#include "deploy/store/key_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "deploy/store/store_testing.h"

namespace subito::store {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kPlace[] = "default/payment-key/value";

TEST(KeyRingTest, OpensWhatItSealed) {
  const KeyRing ring = KeyRing::make();
  const Sealed sealed = ring.seal("hunter2", kPlace);
  EXPECT_EQ(sealed.key_id, ring.id());
  EXPECT_EQ(sealed.bytes.size(), 7 + kSealBytes);
  EXPECT_THAT(sealed.bytes, Not(HasSubstr("hunter2")));
  EXPECT_EQ(ring.open(sealed, kPlace)->view(), "hunter2");
  EXPECT_NE(ring.seal("hunter2", kPlace).bytes, sealed.bytes) << "equal values look alike";
  EXPECT_EQ(ring.open(ring.seal("", kPlace), kPlace)->size(), 0U);
}

TEST(KeyRingTest, RefusesWhatWasChangedOrBelongsElsewhere) {
  const KeyRing ring = KeyRing::make();
  const Sealed sealed = ring.seal("hunter2", kPlace);
  EXPECT_EQ(ring.open(sealed, "default/other/value").error().code, ErrorCode::kInvalidArgument);
  Sealed changed = sealed;
  changed.bytes.back() = static_cast<char>(changed.bytes.back() ^ 1);
  EXPECT_EQ(ring.open(changed, kPlace).error().code, ErrorCode::kInvalidArgument);
  changed.bytes.resize(3);
  EXPECT_EQ(ring.open(changed, kPlace).error().code, ErrorCode::kInvalidArgument);
  const auto other = KeyRing::make().open(sealed, kPlace);
  EXPECT_EQ(other.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(other.error().message, HasSubstr("sealed with key " + ring.id()));
}

TEST(KeyRingTest, ComesBackFromItsFileWhichIsItsOwnersAlone) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/etc/secret.key";
  KeyRing ring = KeyRing::make();
  EXPECT_EQ(KeyRing::load(file).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(ring.save(file, false));
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0400U);
  EXPECT_EQ(KeyRing::load(file)->id(), ring.id());
  EXPECT_EQ(KeyRing::make().save(file, false).error().code, ErrorCode::kAlreadyExists);
  ::chmod(file.c_str(), 0440);
  EXPECT_THAT(KeyRing::load(file).error().message, HasSubstr("chmod 400 " + file));
}

TEST(KeyRingTest, IsKeptInTheFolderOfTheProcessWhenItsFileNamesNone) {
  const TemporaryFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const KeyRing ring = KeyRing::make();
  const Status saved = ring.save("rel.key", false);
  const Status again = ring.save("rel.key", true);
  std::filesystem::current_path(before);
  ASSERT_TRUE(saved) << saved.error().message;
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(KeyRing::load(folder.path() + "/rel.key")->id(), ring.id());
}

TEST(KeyRingTest, OpensWithOldKeysAndSealsWithTheFirst) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/secret.key";
  KeyRing ring = KeyRing::make();
  const Sealed old = ring.seal("hunter2", kPlace);
  ring.add_new();
  ASSERT_TRUE(ring.save(file, true));
  auto both = KeyRing::load(file);
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(both->size(), 2U);
  EXPECT_EQ(both->open(old, kPlace)->view(), "hunter2");
  EXPECT_NE(both->seal("hunter2", kPlace).key_id, old.key_id);
  both->keep_first();
  EXPECT_FALSE(both->open(old, kPlace));
}

TEST(KeyRingTest, TellsAFileThatIsNoKeyWithoutItsContent) {
  for (const std::string& text :
       {std::string(), std::string("secret"), std::string(64, 'g'), std::string(66, '0')}) {
    const auto ring = KeyRing::parse(text);
    ASSERT_FALSE(ring) << text;
    EXPECT_THAT(ring.error().message, Not(HasSubstr("secret\n")));
  }
  EXPECT_TRUE(KeyRing::parse(std::string(64, 'a')));
}

}  // namespace
}  // namespace subito::store
