// Namespaces in the API: their own operations, and that lists never tell of another.
#include "deploy/api/api_testing.h"

namespace subito::api {
namespace {

using testing::HasSubstr;
using testing::Not;

class NamespacesApi : public Api {
 protected:
  void SetUp() override {
    Api::SetUp();
    plane_.namespaces["staging"] = {{"staging"}};
    FunctionView other = plane_.functions.at("catalogue");
    other.manifest.mutable_metadata()->set_namespace_("staging");
    plane_.functions["catalogue.staging"] = other;
    PodView pod = plane_.pods.front();
    pod.name = "catalogue.staging-1";
    pod.function = "catalogue.staging";
    plane_.pods.push_back(pod);
  }
};

TEST_F(NamespacesApi, AreMadeChangedAndDeleted) {
  const auto made =
      ask("POST", "/v1/namespaces", R"({"name": "qa", "pods": 3, "hosts": ["qa.example"]})");
  EXPECT_EQ(made.status, 201);
  EXPECT_THAT(made.body, HasSubstr(R"("limit":3)"));
  EXPECT_EQ(ask("POST", "/v1/namespaces", R"({"name": "qa"})").status, 409);
  EXPECT_EQ(ask("POST", "/v1/namespaces", R"({"name": "Q A"})").status, 400);
  EXPECT_EQ(ask("POST", "/v1/namespaces", R"({"pods": 1})").status, 400);
  EXPECT_EQ(ask("PUT", "/v1/namespaces/qa", R"({"memoryBytes": 1024})").status, 200);
  EXPECT_EQ(plane_.namespaces.at("qa").name_space.quota.pods, 3U) << "it stays as it was";
  EXPECT_EQ(ask("PUT", "/v1/namespaces/qa", R"({"pods": -1})").status, 400);
  EXPECT_EQ(ask("PUT", "/v1/namespaces/none", R"({"pods": 1})").status, 404);
  EXPECT_EQ(ask("GET", "/v1/namespaces/qa").status, 200);
  EXPECT_THAT(ask("GET", "/v1/namespaces").body, HasSubstr("qa.example"));
  plane_.namespaces.at("qa").functions = 1;
  EXPECT_EQ(ask("DELETE", "/v1/namespaces/qa").status, 409);
  EXPECT_EQ(ask("DELETE", "/v1/namespaces/qa?all=true").status, 200);
  EXPECT_EQ(ask("GET", "/v1/namespaces/qa").status, 404);
}

TEST_F(NamespacesApi, WhatIsInOneIsCountedAndNotDeletedByTheWay) {
  plane_.config_and_secrets.objects[{ObjectKind::kConfig, "shop.staging"}] = {};
  plane_.config_and_secrets.objects[{ObjectKind::kSecret, "bank.staging"}] = {};
  plane_.config_and_secrets.objects[{ObjectKind::kSecret, "bank"}] = {};
  EXPECT_THAT(ask("GET", "/v1/namespaces/staging").body, HasSubstr(R"("configs":1,"secrets":1)"));
  const auto kept = ask("DELETE", "/v1/namespaces/staging");
  EXPECT_EQ(kept.status, 409);
  EXPECT_THAT(kept.body, HasSubstr("1 config and 1 secret are in it"));
  EXPECT_EQ(ask("DELETE", "/v1/namespaces/staging?all=true").status, 200);
  EXPECT_EQ(plane_.config_and_secrets.objects.size(), 1U);
}

TEST_F(NamespacesApi, ListsTellOfOneNamespaceUnlessAllAreAskedFor) {
  for (const std::string path : {"/v1/functions", "/v1/pods"}) {
    SCOPED_TRACE(path);
    EXPECT_THAT(ask("GET", path).body, Not(HasSubstr("catalogue.staging")));
    const std::string other = ask("GET", path + "?namespace=staging").body;
    EXPECT_THAT(other, HasSubstr("catalogue.staging"));
    EXPECT_THAT(other, Not(HasSubstr(R"("namespace":"default")")));
    const std::string all = ask("GET", path + "?allNamespaces=true").body;
    EXPECT_THAT(all, HasSubstr("catalogue.staging"));
    EXPECT_THAT(all, HasSubstr(R"("namespace":"default")"));
    EXPECT_EQ(ask("GET", path + "?namespace=none").status, 404);
    EXPECT_EQ(ask("GET", path + "?namespace=staging&allNamespaces=true").status, 400);
  }
}

TEST_F(NamespacesApi, AFunctionOrASelectorReachesIntoNoOtherNamespace) {
  EXPECT_EQ(ask("GET", "/v1/pods?function=catalogue.staging").status, 400);
  EXPECT_EQ(ask("GET", "/v1/exceptions?function=catalogue.staging").status, 400);
  EXPECT_EQ(ask("GET", "/v1/events/watch?function=catalogue.staging").status, 400);
  EXPECT_EQ(ask("GET", "/v1/pods?function=catalogue.staging&namespace=staging").status, 200);
  EXPECT_THAT(ask("GET", "/v1/functions?selector=app%3Dshop").body,
              Not(HasSubstr("catalogue.staging")));
}

TEST_F(NamespacesApi, AWatcherIsToldNoEventOfAnotherNamespace) {
  const auto id = server_->request("GET", "/v1/events/watch?namespace=staging", "");
  plane_.emit(Event{1, "catalogue", "", "Scaled", "of default"});
  plane_.emit(Event{1, "catalogue.staging", "", "Scaled", "of staging"});
  EXPECT_THAT(server_->answer(id).body, HasSubstr("of staging"));
  EXPECT_THAT(server_->answer(id).body, Not(HasSubstr("of default")));
}

TEST_F(NamespacesApi, ADeployNeedsTheNameOfItsNamespaceInThePath) {
  std::string body = deploy_body(put(sample_binary("static")));
  body.replace(body.find(R"("name":"hello")"), 14, R"("name":"hello","namespace":"staging")");
  EXPECT_EQ(ask("POST", "/v1/functions/hello/deploy", body).status, 422);
  EXPECT_EQ(ask("POST", "/v1/functions/hello.staging/deploy", body).status, 200);
  EXPECT_TRUE(plane_.functions.contains("hello.staging"));
}

}  // namespace
}  // namespace subito::api
