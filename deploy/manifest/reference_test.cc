#include "deploy/manifest/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/manifest/manifest.h"

namespace subito::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const FieldReference& only(std::string_view word) {
  const auto found = find_references(word);
  EXPECT_EQ(found.size(), 1U) << word;
  return found.empty() ? manifest_reference() : *found.front();
}

std::vector<std::string> paths(std::string_view word) {
  std::vector<std::string> found;
  for (const FieldReference* field : find_references(word)) found.push_back(field->path);
  return found;
}

void expect_told(const FieldReference& field) {
  EXPECT_FALSE(field.description.empty()) << "no comment: " << field.path;
  EXPECT_TRUE(!field.example.empty() || field.path.empty()) << "no example: " << field.path;
  // The columns beside it say that; a comment that says otherwise is wrong.
  for (const char* fact : {"Default ", "Required.", "At most "})
    EXPECT_THAT(field.description, Not(HasSubstr(fact))) << field.path;
  for (const auto& choice : field.choices) EXPECT_FALSE(choice.description.empty()) << choice.name;
  for (const FieldReference& below : field.fields) expect_told(below);
}

TEST(Reference, TellsEveryFieldWithAnExample) {
  expect_told(manifest_reference());
  EXPECT_EQ(manifest_reference().fields.size(), 4U);
}

TEST(Reference, TellsTypeDefaultAndLimitsOfAField) {
  const FieldReference& idle = only("spec.scaling.idle");
  EXPECT_EQ(idle.name, "idle");
  EXPECT_EQ(idle.type, "duration");
  EXPECT_EQ(idle.default_value, "30s");
  EXPECT_EQ(idle.allowed, "0s to 24h");
  EXPECT_THAT(idle.description, testing::StartsWith("How long a pod may be idle before it goes."));
  EXPECT_THAT(idle.description, testing::EndsWith("and histogram decide by themselves."));
  EXPECT_FALSE(idle.required);
  EXPECT_EQ(only("memory").default_value, "128Mi");
  EXPECT_EQ(only("cpu").allowed, "0 or 10m to 64");
  EXPECT_EQ(only("stripPrefix").default_value, "false");
  EXPECT_EQ(only("namespace").default_value, "default");
  EXPECT_EQ(only("start").default_value, "pooled");
  EXPECT_EQ(only("start").choices.size(), 3U);
  EXPECT_EQ(only("start").choices[1].name, "fresh");
  EXPECT_EQ(only("policy").default_value, "instant");
  EXPECT_EQ(only("policy").choices.size(), 4U);
  EXPECT_EQ(only("targetUtilization").default_value, "70");
  EXPECT_EQ(only("target").default_value, "spec.concurrency");
  EXPECT_EQ(only("inFlightMax").allowed, "0 to 100000");
  EXPECT_EQ(only("stableWindow").allowed, "6s to 1h");
  EXPECT_EQ(only("bindings").type, "list of mappings");
  EXPECT_EQ(only("bindings").allowed, "at most 32");
  EXPECT_EQ(only("args").type, "list of texts");
  EXPECT_TRUE(only("binary").required);
  EXPECT_EQ(only("failureRate").default_value, "50");
  EXPECT_EQ(only("breakers.window").default_value, "10s");
  EXPECT_EQ(only("deliveries").default_value, "10");
  EXPECT_EQ(only("stream.inFlight").default_value, "1");
  EXPECT_EQ(only("due.inFlight").default_value, "8");
  EXPECT_EQ(only("apiVersion").default_value, "") << "it must be written";
}

TEST(Reference, FindsPathsEndsOfThemAndNamesThatStandAlone) {
  EXPECT_THAT(paths("spec.bindings"), ElementsAre("spec.bindings"));
  EXPECT_THAT(paths("scaling.idle"), ElementsAre("spec.scaling.idle"));
  EXPECT_THAT(paths("idle"), ElementsAre("spec.scaling.idle"));
  EXPECT_THAT(paths("name"),
              ElementsAre("metadata.name", "spec.bindings.name", "spec.triggers.name",
                          "spec.config.name", "spec.secrets.name"));
  EXPECT_THAT(paths("spec.bindings[1].tcp"), ElementsAre("spec.bindings.tcp"));
  EXPECT_THAT(paths("spec"), ElementsAre("spec"));
  EXPECT_TRUE(paths("dle").empty());
  EXPECT_TRUE(paths("").empty());
}

TEST(Reference, ShowsAnExampleWhereItBelongs) {
  EXPECT_EQ(example_yaml(only("spec.scaling.idle")), "spec:\n  scaling:\n    idle: 10s\n");
  EXPECT_EQ(
      example_yaml(only("spec.routes.path")),
      "spec:\n  routes:\n    - path: /products\n    - path: /shop\n      stripPrefix: true\n");
  EXPECT_EQ(example_yaml(only("kind")), "kind: Function\n");
}

TEST(Reference, EveryExampleIsAManifestOrAPartOfOne) {
  EXPECT_EQ(to_string(parse_yaml("x", full_example_yaml()).faults), "") << full_example_yaml();
  const std::string shortest = example_yaml(manifest_reference());
  EXPECT_EQ(to_string(parse_yaml("x", shortest).faults), "") << shortest;
  // Of the mappings the examples are not in the whole one: their fields are.
  for (const char* path : {"spec.scaling", "spec.resources"}) {
    std::string text = shortest.substr(0, shortest.find("spec:"));
    text += example_yaml(only(path)) + "  binary: ./x\n";
    EXPECT_EQ(to_string(parse_yaml("x", text).faults), "") << text;
  }
  EXPECT_THAT(full_example_yaml(), HasSubstr("\n  bindings:\n    - name: cache\n"));
}

}  // namespace
}  // namespace subito::manifest
