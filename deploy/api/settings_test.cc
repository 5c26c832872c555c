// Config objects and secrets at the API, every answer held to openapi.yaml.
#include "deploy/api/api_testing.h"

namespace subito::api {
namespace {

using server::ExchangeId;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

class SettingsApi : public Api {
 protected:
  FakeSettings& settings() { return plane_.config_and_secrets; }
};

TEST_F(SettingsApi, ConfigIsSetShownChangedAndDeleted) {
  const auto set = ask("PATCH", "/v1/configs/shop", R"({"set":{"currency":"GBP","rate":"1"}})");
  EXPECT_EQ(set.status, 200);
  EXPECT_EQ(Json::parse(set.body).at("data").at("currency"), "GBP");
  EXPECT_EQ(ask("PATCH", "/v1/configs/shop", R"({"unset":["rate"]})").status, 200);
  const Json shown = Json::parse(ask("GET", "/v1/configs/shop").body);
  EXPECT_EQ(shown.at("data").size(), 1U);
  EXPECT_EQ(shown.at("keys")[0].at("bytes"), 3);
  const Json listed = Json::parse(ask("GET", "/v1/configs").body);
  EXPECT_EQ(listed.at("items")[0].at("name"), "shop");
  EXPECT_FALSE(listed.at("items")[0].contains("data"));
  EXPECT_EQ(ask("DELETE", "/v1/configs/shop").status, 204);
  EXPECT_EQ(problem(ask("GET", "/v1/configs/shop")), "not-found");
}

TEST_F(SettingsApi, ASecretIsTakenAsItComesAndNeverGivenBack) {
  const auto set = ask("PUT", "/v1/secrets/bank/value", "hunter2");
  EXPECT_EQ(set.status, 200);
  const FakeSettings::Key bank{ObjectKind::kSecret, "bank"};
  EXPECT_EQ(settings().objects.at(bank).values.at("value"), "hunter2");
  EXPECT_EQ(ask("PUT", "/v1/secrets/bank/empty", "").status, 200);
  EXPECT_EQ(ask("PUT", "/v1/secrets/bank/binary", std::string("\0\xff\n", 3)).status, 200);
  EXPECT_EQ(settings().objects.at(bank).values.at("binary"), std::string("\0\xff\n", 3));
  for (const auto& answer : {set, ask("GET", "/v1/secrets"), ask("GET", "/v1/secrets/bank")}) {
    EXPECT_THAT(answer.body, Not(HasSubstr("hunter2")));
    EXPECT_THAT(answer.body, HasSubstr("\"bytes\":7"));
  }
  EXPECT_EQ(ask("DELETE", "/v1/secrets/bank/binary").status, 204);
  EXPECT_EQ(problem(ask("DELETE", "/v1/secrets/bank/binary")), "not-found");
}

TEST_F(SettingsApi, ASecretMayHaveAMebibyteAndNoByteMore) {
  EXPECT_EQ(ask("PUT", "/v1/secrets/bank/value", std::string(store::kObjectBytesMax, 'x')).status,
            200);
  const auto over =
      ask("PUT", "/v1/secrets/bank/value", std::string(store::kObjectBytesMax + 1, 'y'));
  EXPECT_EQ(over.status, 413);
  EXPECT_EQ(problem(over), "body-too-large");
}

TEST_F(SettingsApi, WhatIsInUseIsDeletedOnlyByForce) {
  settings().objects[{ObjectKind::kSecret, "bank"}] = {{{"value", "x"}}, {"payment"}};
  EXPECT_EQ(Json::parse(ask("GET", "/v1/secrets/bank").body).at("usedBy")[0], "payment");
  const auto kept = ask("DELETE", "/v1/secrets/bank");
  EXPECT_EQ(kept.status, 409);
  EXPECT_EQ(ask("DELETE", "/v1/secrets/bank?force=maybe").status, 400);
  EXPECT_EQ(ask("DELETE", "/v1/secrets/bank?force=true").status, 204);
}

TEST_F(SettingsApi, NamespacesAreListedApartOrTogether) {
  plane_.namespaces["tests"] = {{"tests"}};
  settings().objects[{ObjectKind::kConfig, "shop"}] = {};
  settings().objects[{ObjectKind::kConfig, "shop.tests"}] = {};
  const auto count = [&](const std::string& query) {
    return Json::parse(ask("GET", "/v1/configs" + query).body).at("items").size();
  };
  EXPECT_EQ(count(""), 1U);
  EXPECT_EQ(count("?namespace=tests"), 1U);
  EXPECT_EQ(count("?allNamespaces=true"), 2U);
  EXPECT_EQ(ask("GET", "/v1/configs?allNamespaces=perhaps").status, 400);
  const Json there = Json::parse(ask("GET", "/v1/configs/shop.tests").body);
  EXPECT_EQ(there.at("namespace"), "tests");
  EXPECT_EQ(there.at("name"), "shop");
}

TEST_F(SettingsApi, ANamespaceThatThereIsNotIsNotFound) {
  EXPECT_EQ(ask("GET", "/v1/configs?namespace=none").status, 404);
  EXPECT_EQ(ask("GET", "/v1/secrets?namespace=none").status, 404);
  EXPECT_EQ(ask("PATCH", "/v1/configs/shop.none", R"({"set":{"a":"1"}})").status, 404);
  EXPECT_EQ(ask("PUT", "/v1/secrets/bank.none/value", "x").status, 404);
  EXPECT_TRUE(settings().objects.empty());
}

TEST_F(SettingsApi, WhatIsWrongIsSaid) {
  for (const char* body : {"", "{}", "[]", R"({"set":[]})", R"({"set":{"a":1}})",
                           R"({"unset":"a"})", R"({"unset":[1]})", R"({"put":{}})"})
    EXPECT_EQ(problem(ask("PATCH", "/v1/configs/shop", body)), "invalid-argument") << body;
  EXPECT_EQ(ask("POST", "/v1/secrets/bank").status, 405);
  settings().next_failure = Error{ErrorCode::kFailedPrecondition, "secrets are out of service", 0};
  EXPECT_EQ(ask("PUT", "/v1/secrets/bank/value", "x").status, 409);
  EXPECT_EQ(ask("POST", "/v1/secret-key/rotate").status, 200);
}

}  // namespace
}  // namespace subito::api
