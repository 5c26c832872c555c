// -n, -A, SUBITO_NAMESPACE, `subito namespace`, and what asks before it deletes.
#include <gmock/gmock.h>

#include "deploy/cli/cli_testing.h"
#include "deploy/cli/exit_code.h"

namespace subito::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class NamespacesCli : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    plane_.namespaces["staging"] = {{"staging"}};
    api::FunctionView other = plane_.functions.at("catalogue");
    other.manifest.mutable_metadata()->set_namespace_("staging");
    plane_.functions["catalogue.staging"] = other;
  }
};

TEST_F(NamespacesCli, NamesAreOfTheNamespaceInUse) {
  EXPECT_EQ(run({"scale", "catalogue", "--max", "7", "-n", "staging"}).code, kOk);
  EXPECT_EQ(plane_.functions.at("catalogue.staging").manifest.spec().scaling().max(), 7);
  EXPECT_NE(plane_.functions.at("catalogue").manifest.spec().scaling().max(), 7);
  variables_["SUBITO_NAMESPACE"] = "staging";
  EXPECT_EQ(run({"delete", "catalogue"}).code, kOk);
  EXPECT_FALSE(plane_.functions.contains("catalogue.staging"));
  EXPECT_TRUE(plane_.functions.contains("catalogue"));
}

TEST_F(NamespacesCli, ANameThatSaysAnotherNamespaceThanTheOptionIsNotFound) {
  EXPECT_EQ(run({"describe", "catalogue.staging"}).code, kOk);
  EXPECT_EQ(run({"describe", "catalogue.staging", "-n", "staging"}).code, kOk);
  EXPECT_EQ(run({"delete", "catalogue.staging", "-n", "default"}).code, kNotFound);
  EXPECT_EQ(run({"get", "functions", "-n", "Not A Name"}).code, kUsage);
}

TEST_F(NamespacesCli, ListsShowOneNamespaceOrAllWithAColumn) {
  EXPECT_THAT(run({"get", "functions"}).out, Not(HasSubstr("staging")));
  const std::string all = run({"get", "functions", "-A"}).out;
  EXPECT_THAT(all, HasSubstr("NAMESPACE  FUNCTION"));
  EXPECT_THAT(all, HasSubstr("staging    catalogue"));
  EXPECT_EQ(run({"get", "functions", "-A", "-n", "staging"}).code, kUsage);
  EXPECT_THAT(run({"get", "ns"}).out, HasSubstr("staging.localhost"));
}

TEST_F(NamespacesCli, AreMadeSetAndDeleted) {
  EXPECT_EQ(run({"namespace", "create", "qa", "--memory", "2Gi", "--cpu", "1.5"}).code, kOk);
  EXPECT_EQ(plane_.namespaces.at("qa").name_space.quota.memory_bytes, 2ULL << 30);
  EXPECT_EQ(plane_.namespaces.at("qa").name_space.quota.cpu_millicores, 1500U);
  EXPECT_EQ(run({"namespace", "set", "qa", "--host", "qa.example"}).code, kOk);
  EXPECT_THAT(run({"namespace", "describe", "qa"}).out, HasSubstr("qa.localhost, qa.example"));
  EXPECT_EQ(run({"namespace", "set", "qa"}).code, kUsage);
  EXPECT_EQ(run({"namespace", "delete", "qa"}).code, kOk);
  EXPECT_EQ(run({"namespace", "describe", "qa"}).code, kNotFound);
}

TEST_F(NamespacesCli, DeletingOneShowsAllThatIsInItAndAsks) {
  using api::ObjectKind;
  auto& objects = plane_.config_and_secrets.objects;
  objects[{ObjectKind::kConfig, "shop.staging"}] = {};
  objects[{ObjectKind::kSecret, "bank.staging"}] = {};
  objects[{ObjectKind::kSecret, "mail.staging"}] = {};
  EXPECT_THAT(run({"namespace", "describe", "staging"}).out, HasSubstr("Secrets:    2"));
  const Printed kept = run({"namespace", "delete", "staging"});
  EXPECT_EQ(kept.code, kFailed);
  EXPECT_THAT(kept.err, HasSubstr("1 config and 2 secrets are in it"));
  const Printed unsure = run({"namespace", "delete", "staging", "--all"});
  EXPECT_EQ(unsure.code, kUsage);
  EXPECT_THAT(unsure.err, HasSubstr("; 1 config, shop; 2 secrets, bank, mail; say --yes"));
  EXPECT_EQ(objects.size(), 3U);
  plane_.cut_tokens = {{"ci"}, {"ops"}};
  const std::string done = run({"namespace", "delete", "staging", "--all", "--yes"}).out;
  EXPECT_THAT(done, HasSubstr("is deleted with all that was in it"));
  EXPECT_THAT(done, HasSubstr("token ci is revoked: it had no scope elsewhere\n"
                              "token ops has lost its scopes of staging\n"));
  EXPECT_TRUE(objects.empty());
}

TEST_F(NamespacesCli, ManyAreCountedAndNotAllNamed) {
  for (int i = 0; i < 60; ++i) {
    const std::string name = "config-" + std::to_string(100 + i) + ".staging";
    plane_.config_and_secrets.objects[{api::ObjectKind::kConfig, name}] = {};
  }
  const std::string said = run({"namespace", "delete", "staging", "--all"}).err;
  EXPECT_THAT(said, HasSubstr("60 configs, config-100, "));
  EXPECT_THAT(said, HasSubstr("config-149 and 10 more;"));
}

TEST_F(NamespacesCli, DeletingBySelectorShowsWhatAndAsks) {
  const Printed refused = run({"delete", "-l", "app=shop"});
  EXPECT_EQ(refused.code, kUsage);
  EXPECT_THAT(refused.err, HasSubstr("1 function, catalogue; say --yes"));
  terminal_ = true;
  input_ = "no\n";
  EXPECT_EQ(run({"delete", "-l", "app=shop"}).code, kFailed);
  EXPECT_TRUE(plane_.functions.contains("catalogue"));
  input_ = "yes\n";
  EXPECT_EQ(run({"delete", "-l", "app=shop"}).code, kOk);
  EXPECT_FALSE(plane_.functions.contains("catalogue"));
  EXPECT_TRUE(plane_.functions.contains("catalogue.staging")) << "it is another namespace's";
}

TEST_F(NamespacesCli, AManifestAndTheOptionMustAgree) {
  const std::string file =
      write("f.yaml",
            "apiVersion: subito.dev/v1\nkind: Function\nmetadata: {name: a, namespace: staging}\n"
            "spec: {binary: " ELF_SAMPLES "/elf_sample_static}\n");
  const Printed refused = run({"deploy", "-f", file, "-n", "default"});
  EXPECT_EQ(refused.code, kRefused);
  EXPECT_THAT(refused.err, HasSubstr("metadata.namespace: is 'staging', but -n says 'default'"));
  EXPECT_EQ(run({"deploy", "-f", file}).code, kOk);
  EXPECT_TRUE(plane_.functions.contains("a.staging"));
}

}  // namespace
}  // namespace subito::cli
