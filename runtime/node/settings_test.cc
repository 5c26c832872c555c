#include "runtime/node/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "deploy/manifest/defaults.h"
#include "runtime/node/control_testing.h"
#include "runtime/protocol/pod.pb.h"

namespace subito::node {
namespace {

using api::ObjectKind;
using manifest::GivenObject;
using testing::HasSubstr;
using testing::Not;

// A node that may be started again over the same data.
class SettingsTest : public testing::Test {
 protected:
  void restart() {
    node.reset();
    node.emplace(folder.path());
    ASSERT_TRUE(node->control.load());
    node->settle();
  }
  Settings& settings() { return node->settings; }
  void set_secret(const std::string& name, const std::string& value) {
    const auto set = settings().set_secret(name, "value", value);
    ASSERT_TRUE(set) << set.error().message;
    node->settle();
  }

  // "shop", which lists a secret "bank" and the config "shop".
  manifest::Function shop(int min = 0) {
    manifest::Function function = ControlFixture::function("shop");
    function.mutable_spec()->mutable_scaling()->set_min(min);
    function.mutable_spec()->add_secrets()->set_name("bank");
    manifest::apply_defaults(function);
    return function;
  }
  std::string deploy(const manifest::Function& function) {
    return node->deploy(function, store::put(*node->store, "binary"));
  }
  const Revision& revision() { return *node->functions.find("shop")->revision; }

  // What pods of the function find: the values that they are sent.
  static protocol::Values values_of(const pods::GrantsPtr& grants) {
    protocol::Values values;
    if (!grants || !grants->values.valid()) return values;
    const UniqueFd file = *grants->values.open_again();
    std::string bytes(grants->values.size(), '\0');
    EXPECT_EQ(::read(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    EXPECT_TRUE(values.ParseFromString(bytes));
    return values;
  }
  std::string secret_of_pods() {
    const protocol::Values values = values_of(revision().grants);
    return values.secrets_size() == 1 ? values.secrets(0).value() : "";
  }
  std::vector<FakePod*> living(const std::string& secret) {
    std::vector<FakePod*> found;
    for (const Pod* pod : node->engine.pods().all()) {
      const protocol::Values values = values_of(pod->revision->grants);
      if (pod->draining || values.secrets_size() != 1 || values.secrets(0).value() != secret)
        continue;
      for (const auto& fake : node->home->pods) {
        if (fake->spec.id == pod->id) found.push_back(fake.get());
      }
    }
    return found;
  }
  void hello_all(const std::string& secret) {
    for (FakePod* pod : living(secret)) pod->hello();
    node->settle();
  }
  std::string events() {
    std::string all;
    for (const api::Event& event : node->journal.events("shop"))
      all += event.reason + " " + event.message + "\n";
    return all;
  }

  store::TemporaryFolder folder;
  std::optional<ControlFixture> node{std::in_place, folder.path()};
};

TEST_F(SettingsTest, WhatIsListedIsGivenInItsWay) {
  set_secret("bank", "hunter2");
  ASSERT_TRUE(settings().set_secret("bank", "pem", std::string(300, 'p')));
  ASSERT_TRUE(settings().change_config("shop", {{{"currency", "GBP"}, {"rate", "1"}}, {}}));
  manifest::Function function = shop();
  function.mutable_spec()->add_config()->set_name("shop");
  GivenObject& variable = *function.mutable_spec()->add_secrets();
  variable.set_name("bank");
  variable.set_as(GivenObject::ENV);
  variable.set_env("BANK_KEY");
  GivenObject& file = *function.mutable_spec()->add_secrets();
  file.set_name("bank");
  file.set_key("pem");
  file.set_as(GivenObject::FILE);
  manifest::apply_defaults(function);
  const auto grants = settings().grants_for(function);
  ASSERT_TRUE(grants) << grants.error().message;
  const protocol::Values values = values_of(*grants);
  EXPECT_EQ(values.settings().at("currency"), "GBP");
  ASSERT_EQ(values.secrets_size(), 2);
  EXPECT_EQ(values.secrets(0).name(), "bank");
  EXPECT_EQ(values.secrets(1).key(), "value");
  EXPECT_EQ(values.secrets(0).value(), std::string(300, 'p'));
  pods::PodSpec spec;
  spec.grants = *grants;
  EXPECT_EQ(variables_of(spec), std::vector<std::string>{"BANK_KEY=hunter2"});
  EXPECT_TRUE((*grants)->files.valid());
  EXPECT_EQ(function.spec().secrets(2).path(), "/tmp/secrets/bank");
  EXPECT_EQ(*settings().grants_for(ControlFixture::function("none")), nullptr);
}

TEST_F(SettingsTest, ADeployThatListsWhatIsNotThereIsRefused) {
  EXPECT_EQ(deploy(shop()),
            "deploy shop: spec.secrets[0]: there is no secret bank; `subito secret set bank` makes "
            "it");
  set_secret("bank", "hunter2");
  manifest::Function function = shop();
  function.mutable_spec()->mutable_secrets(0)->set_key("pem");
  EXPECT_THAT(deploy(function), HasSubstr("secret bank has no key 'pem'; `subito secret set bank "
                                          "pem` makes it"));
  GivenObject& given = *function.mutable_spec()->mutable_secrets(0);
  given.clear_key();
  given.set_as(GivenObject::ENV);
  ASSERT_TRUE(settings().set_secret("bank", "a.b", "x"));
  EXPECT_THAT(deploy(function), HasSubstr("key 'a.b' cannot be the name of a variable"));
  ASSERT_TRUE(settings().remove_secret_key("bank", "a.b"));
  set_secret("bank", std::string("a\0b", 3));
  EXPECT_THAT(deploy(function), HasSubstr("has a zero byte"));
  set_secret("bank", std::string(pods::kEnvironmentBytesMax, 'x'));
  EXPECT_THAT(deploy(function), HasSubstr("at most 32768 are allowed"));
  EXPECT_EQ(deploy(shop()), "deployed");
}

TEST_F(SettingsTest, AChangeReachesAFunctionThatSleepsAtItsNextStart) {
  set_secret("bank", "old");
  ASSERT_EQ(deploy(shop()), "deployed");
  EXPECT_EQ(secret_of_pods(), "old");
  const std::uint64_t number = revision().number;
  set_secret("bank", "new");
  EXPECT_EQ(secret_of_pods(), "new");
  EXPECT_EQ(revision().number, number) << "no revision is made";
  EXPECT_TRUE(node->home->pods.empty());
  EXPECT_THAT(events(), HasSubstr("SecretChanged secret bank changed; pods start anew"));
}

TEST_F(SettingsTest, PodsWithTheNewValueAreThereBeforeTheOldOnesGo) {
  set_secret("bank", "old");
  ASSERT_EQ(deploy(shop(2)), "deployed");
  ASSERT_TRUE(node->turn_until([&] { return living("old").size() == 2; }));
  hello_all("old");
  set_secret("bank", "new");
  ASSERT_TRUE(node->turn_until([&] { return living("new").size() == 2; }));
  EXPECT_EQ(living("old").size(), 2U) << "they go before the new ones are ready";
  node->ask_function(1, "shop");
  node->settle();
  const FakePod* busy = nullptr;
  for (FakePod* pod : living("old")) {
    for (const ReceivedFrame& frame : pod->read()) {
      if (frame.header.type != protocol::FrameType::kInvoke) continue;
      busy = pod;
      pod->answer(frame.header.stream, 200, "old");
    }
  }
  EXPECT_NE(busy, nullptr) << "meanwhile the old ones serve";
  hello_all("new");
  EXPECT_TRUE(node->turn_until([&] { return living("old").empty(); }));
  EXPECT_EQ(living("new").size(), 2U);
  EXPECT_EQ(secret_of_pods(), "new");
  EXPECT_EQ(node->outcome(1).status, 200);
}

TEST_F(SettingsTest, ADeployDuringARenewalAndAScaleDuringItHold) {
  set_secret("bank", "old");
  ASSERT_EQ(deploy(shop(1)), "deployed");
  ASSERT_TRUE(node->turn_until([&] { return living("old").size() == 1; }));
  hello_all("old");
  set_secret("bank", "new");
  ASSERT_TRUE(node->control.scale("shop", 2, {}));
  ASSERT_TRUE(node->turn_until([&] { return living("new").size() == 1; }));
  hello_all("new");
  EXPECT_TRUE(node->turn_until([&] { return living("new").size() == 2; })) << "not as scaled";
  set_secret("bank", "newer");
  manifest::Function next = shop(1);
  (*next.mutable_spec()->mutable_settings())["a"] = "b";
  ASSERT_EQ(deploy(next), "deployed");
  EXPECT_EQ(revision().number, 2U);
  EXPECT_EQ(secret_of_pods(), "newer");
}

TEST_F(SettingsTest, WhatIsInUseIsKeptAndForceTakesTheFunctionOutOfService) {
  set_secret("bank", "hunter2");
  ASSERT_EQ(deploy(shop(1)), "deployed");
  EXPECT_EQ(settings().get(ObjectKind::kSecret, "bank")->used_by, std::vector<std::string>{"shop"});
  const auto kept = settings().remove(ObjectKind::kSecret, "bank", false);
  EXPECT_EQ(kept.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(kept.error().message, HasSubstr("in use by shop"));
  ASSERT_TRUE(settings().remove(ObjectKind::kSecret, "bank", true));
  node->settle();
  EXPECT_THAT(revision().out_of_service, HasSubstr("there is no secret bank"));
  EXPECT_THAT(events(), HasSubstr("out of service: spec.secrets[0]: there is no secret bank"));
  restart();
  EXPECT_THAT(revision().out_of_service, HasSubstr("there is no secret bank"));
  set_secret("bank", "again");
  EXPECT_EQ(revision().out_of_service, "");
  EXPECT_EQ(secret_of_pods(), "again");
  EXPECT_TRUE(node->turn_until([&] { return living("again").size() == 1; }));
}

TEST_F(SettingsTest, SecretsOutliveTheNodeAndAreNowhereInItsDataInClear) {
  set_secret("bank", "hunter2hunter2");
  ASSERT_EQ(deploy(shop()), "deployed");
  restart();
  EXPECT_EQ(secret_of_pods(), "hunter2hunter2");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_THAT(store::content(entry.path()), Not(HasSubstr("hunter2"))) << entry.path();
  }
}

TEST_F(SettingsTest, AMissingOrWrongKeyIsToldAndReplacedByNoNewOne) {
  const std::string key = folder.path() + "/secret.key";
  set_secret("bank", "hunter2");
  ASSERT_EQ(deploy(shop()), "deployed");
  node->store_function("other");
  std::filesystem::rename(key, key + ".kept");
  restart();
  EXPECT_THAT(settings().fault(), HasSubstr("secrets cannot be opened: read secret key " + key));
  EXPECT_THAT(revision().out_of_service, HasSubstr("secrets cannot be opened"));
  EXPECT_EQ(node->functions.find("other")->revision->out_of_service, "");
  EXPECT_EQ(settings().set_secret("bank", "value", "x").error().code,
            ErrorCode::kFailedPrecondition);
  EXPECT_FALSE(std::filesystem::exists(key));
  ASSERT_TRUE(store::KeyRing::make().save(key, false));
  restart();
  EXPECT_THAT(settings().fault(), HasSubstr("secret bank was sealed with key "));
  EXPECT_EQ(settings().rotate_key().error().code, ErrorCode::kFailedPrecondition);
  std::filesystem::rename(key + ".kept", key);
  restart();
  EXPECT_EQ(settings().fault(), "");
  EXPECT_EQ(secret_of_pods(), "hunter2");
}

TEST_F(SettingsTest, TheKeyIsChangedAndSecretsStay) {
  const std::string key = folder.path() + "/secret.key";
  EXPECT_EQ(settings().rotate_key().error().code, ErrorCode::kFailedPrecondition);
  set_secret("bank", "hunter2");
  ASSERT_EQ(deploy(shop()), "deployed");
  const std::string before = store::content(key);
  const auto rotated = settings().rotate_key();
  ASSERT_TRUE(rotated) << rotated.error().message;
  EXPECT_THAT(*rotated, HasSubstr("1 value is sealed with key "));
  EXPECT_NE(store::content(key), before);
  EXPECT_EQ(store::KeyRing::load(key)->size(), 1U);
  restart();
  EXPECT_EQ(secret_of_pods(), "hunter2");
}

TEST_F(SettingsTest, AChangeOfTheKeyThatFailsAgainAndAgainLeavesOneKeyMoreAndIsDoneLater) {
  const std::string key = folder.path() + "/secret.key";
  set_secret("bank", "hunter2");
  ASSERT_EQ(deploy(shop()), "deployed");
  ASSERT_TRUE(node->store->database().run("PRAGMA query_only = ON"));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(settings().rotate_key());
  EXPECT_EQ(store::KeyRing::load(key)->size(), 2U);
  restart();
  EXPECT_EQ(settings().fault(), "");
  EXPECT_EQ(secret_of_pods(), "hunter2");
  ASSERT_TRUE(settings().rotate_key());
  EXPECT_EQ(store::KeyRing::load(key)->size(), 1U);
  restart();
  EXPECT_EQ(secret_of_pods(), "hunter2");
}

TEST_F(SettingsTest, NamesAndKeysAreHeldToTheirForm) {
  for (const char* name : {"Bank", "a/b", "", "-", "bank.", "bank.NS"})
    EXPECT_EQ(settings().set_secret(name, "value", "x").error().code, ErrorCode::kInvalidArgument)
        << name;
  for (const char* key : {"", "..", "a/b", "a b"})
    EXPECT_EQ(settings().set_secret("bank", key, "x").error().code, ErrorCode::kInvalidArgument);
  ASSERT_TRUE(node->control.create_namespace({"tests"}));
  EXPECT_TRUE(settings().set_secret("bank.tests", "value", "x"));
  EXPECT_EQ(settings().list(ObjectKind::kSecret, "default")->size(), 0U);
  EXPECT_EQ(settings().list(ObjectKind::kSecret, "")->size(), 1U);
  EXPECT_EQ(deploy(shop()).find("there is no secret bank;"),
            std::string("deploy shop: spec.secrets[0]: ").size())
      << "one of another namespace is none of its own";
}

TEST_F(SettingsTest, NothingIsWrittenIntoANamespaceThatThereIsNot) {
  const auto refused = settings().set_secret("bank.tests", "value", "x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(refused.error().message, HasSubstr("`subito namespace create tests` makes it"));
  EXPECT_EQ(settings().change_config("shop.tests", {{{"a", "1"}}, {}}).error().code,
            ErrorCode::kNotFound);
  for (const ObjectKind kind : {ObjectKind::kConfig, ObjectKind::kSecret}) {
    EXPECT_EQ(settings().list(kind, "tests").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(settings().list(kind, "")->size(), 0U);
  }
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/secret.key")) << "no secret was set";
  ASSERT_TRUE(node->control.create_namespace({"tests"}));
  EXPECT_TRUE(settings().set_secret("bank.tests", "value", "x"));
  EXPECT_EQ(settings().list(ObjectKind::kSecret, "tests")->size(), 1U);
}

TEST_F(SettingsTest, ANamespaceIsNotDeletedWithConfigAndSecretsUnlessThatIsSaid) {
  const auto remove = [&](bool with_contents) {
    std::string why = "it was not answered";
    node->control.delete_namespace(
        "tests", with_contents, [&](const auto& gone) { why = gone ? "" : gone.error().message; });
    node->settle();
    return why;
  };
  ASSERT_TRUE(node->control.create_namespace({"tests"}));
  ASSERT_TRUE(settings().set_secret("bank.tests", "value", "x"));
  ASSERT_TRUE(settings().set_secret("mail.tests", "value", "x"));
  set_secret("bank", "of default");
  EXPECT_EQ(remove(false),
            "delete namespace tests: 2 secrets are in it; --all deletes them with it");
  ASSERT_TRUE(settings().change_config("shop.tests", {{{"a", "1"}}, {}}));
  EXPECT_EQ(remove(false),
            "delete namespace tests: 1 config and 2 secrets are in it; --all deletes them with it");
  EXPECT_EQ(node->control.get_namespace("tests")->objects.secrets, 2U);
  EXPECT_EQ(node->control.list_namespaces().at(1).objects.configs, 1U);
  EXPECT_EQ(remove(true), "");
  EXPECT_EQ(settings().list(ObjectKind::kSecret, "")->size(), 1U);
}

}  // namespace
}  // namespace subito::node
