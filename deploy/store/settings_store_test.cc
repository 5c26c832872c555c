#include "deploy/store/settings_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/store/store_testing.h"

namespace subito::store {
namespace {

using testing::HasSubstr;

class SettingsStoreTest : public testing::Test {
 protected:
  static StoredValues text(const std::string& key, const std::string& value) {
    return {{key, StoredValue{value, "", value.size()}}};
  }
  SettingsStore& objects() { return store_->objects(); }

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_ = open_or_die(folder_.path());
  const ObjectId config_{ObjectKind::kConfig, "default", "shop"};
  const ObjectId secret_{ObjectKind::kSecret, "default", "shop"};
};

TEST_F(SettingsStoreTest, KeepsObjectsOfBothKindsAndAllNamespacesApart) {
  const ObjectId elsewhere{ObjectKind::kConfig, "tests", "shop"};
  ASSERT_TRUE(objects().change(config_, text("A", "1"), {}));
  ASSERT_TRUE(objects().change(secret_, {{"A", {"sealed", "k1", 2}}}, {}));
  ASSERT_TRUE(objects().change(elsewhere, text("A", "3"), {}));
  store_.reset();
  store_ = open_or_die(folder_.path());
  EXPECT_EQ(objects().values(config_)->at("A").bytes, "1");
  EXPECT_EQ(objects().values(elsewhere)->at("A").bytes, "3");
  EXPECT_EQ(objects().values(secret_)->at("A").key_id, "k1");
  EXPECT_EQ(objects().list(ObjectKind::kConfig, "")->size(), 2U);
  EXPECT_EQ(objects().list(ObjectKind::kConfig, "tests")->size(), 1U);
  const auto secret = objects().find(secret_);
  ASSERT_TRUE(secret) << secret.error().message;
  EXPECT_EQ(secret->keys.at(0).bytes, 2U) << "the size of the value, not of what is sealed";
  EXPECT_TRUE(*objects().has_secrets());
  ASSERT_TRUE(objects().remove(secret_));
  EXPECT_FALSE(*objects().has_secrets());
  EXPECT_EQ(objects().remove(secret_).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(objects().find(config_));
}

TEST_F(SettingsStoreTest, ChangesAllOfAnObjectOrNothing) {
  ASSERT_TRUE(objects().change(config_, {{"A", {"1", "", 1}}, {"B", {"2", "", 1}}}, {}));
  ASSERT_TRUE(objects().change(config_, text("A", "9"), {"B"}));
  EXPECT_EQ(objects().values(config_)->size(), 1U);
  const auto missing = objects().change(config_, text("A", "lost"), {"NONE"});
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("config shop: it has no key 'NONE'"));
  EXPECT_EQ(objects().values(config_)->at("A").bytes, "9");
  EXPECT_EQ(objects().change(secret_, {}, {"A"}).error().code, ErrorCode::kNotFound);
}

TEST_F(SettingsStoreTest, HoldsToItsLimits) {
  const std::string large(kObjectBytesMax, 'x');
  const auto over = objects().change(config_, text("A", large), {});
  EXPECT_EQ(over.error().code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(over.error().message, HasSubstr("at most 1048576 are allowed"));
  EXPECT_FALSE(objects().find(config_)) << "half of it stayed";
  EXPECT_TRUE(objects().change(config_, text("A", large.substr(1)), {}));
  StoredValues many;
  for (int i = 0; i <= kObjectKeysMax; ++i) many["K" + std::to_string(i)] = {"", "", 0};
  EXPECT_THAT(objects().change(secret_, many, {}).error().message, HasSubstr("more than 256 keys"));
}

TEST_F(SettingsStoreTest, ResealsEveryValueOrNone) {
  ASSERT_TRUE(objects().change(secret_, {{"A", {"a", "k1", 1}}, {"B", {"b", "k1", 1}}}, {}));
  ASSERT_TRUE(objects().change(config_, text("A", "1"), {}));
  int left = 1;
  const auto failing = [&](const auto&, const auto&, const auto&) -> Result<StoredValue> {
    if (left-- == 0) return fail(ErrorCode::kInternal, "no");
    return StoredValue{"new", "k2", 1};
  };
  EXPECT_FALSE(objects().reseal(failing));
  EXPECT_EQ(objects().values(secret_)->at("A").key_id, "k1");
  left = 2;
  EXPECT_TRUE(objects().reseal(failing));
  EXPECT_EQ(objects().values(secret_)->at("B").key_id, "k2");
  EXPECT_EQ(objects().values(config_)->at("A").bytes, "1");
}

}  // namespace
}  // namespace subito::store
