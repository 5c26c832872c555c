#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "deploy/cli/cli_testing.h"
#include "deploy/cli/exit_code.h"

namespace subito::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Json = nlohmann::json;

TEST_F(CliTest, ExplainTellsAField) {
  const Printed output = run({"explain", "spec.scaling.idle"});
  EXPECT_EQ(
      output.out,
      "FIELD    spec.scaling.idle\n"
      "TYPE     duration\n"
      "DEFAULT  30s\n"
      "ALLOWED  0s to 24h\n"
      "\n"
      "  How long a pod may be idle before it goes. With policy fixed just that, with instant the\n"
      "  longest; concurrency and histogram decide by themselves.\n"
      "\n"
      "EXAMPLE\n"
      "  spec:\n"
      "    scaling:\n"
      "      idle: 10s\n");
  EXPECT_EQ(output.code, kOk);
  EXPECT_EQ(run({"explain", "idle"}).out, output.out);
  EXPECT_THAT(run({"explain", "start"}).out, HasSubstr("\n  fresh: Everything is made after"));
}

TEST_F(CliTest, ExplainListsTheFieldsBelow) {
  const Printed all = run({"explain"});
  EXPECT_EQ(all.code, kOk);
  EXPECT_THAT(all.out, HasSubstr("FIELD    the manifest as a whole\n"));
  EXPECT_THAT(all.out, HasSubstr("\n  spec        mapping  required  What it is: its binary"));
  EXPECT_THAT(all.out, HasSubstr("\n  metadata: {name: catalogue}\n"));
  const Printed scaling = run({"explain", "scaling"});
  EXPECT_THAT(scaling.out, HasSubstr("\n  max          whole number  20       Most pods at once."));
  EXPECT_THAT(scaling.out, HasSubstr("`subito explain spec.scaling.min` tells more of one."));
}

TEST_F(CliTest, ExplainSaysWhatWasProbablyMeant) {
  const Printed unknown = run({"explain", "spec.scalling.idle"});
  EXPECT_EQ(unknown.code, kUsage);
  EXPECT_EQ(unknown.err,
            "subito: explain spec.scalling.idle: there is no such field; did you mean "
            "'spec.scaling.idle'?\n");
  EXPECT_THAT(run({"explain", "queue_limit"}).err,
              HasSubstr("did you mean 'spec.scaling.queueLimit'?"));
  for (const char* word : {"scaling.maximum", "pods_max", "Scaling.Max", "spec.max"})
    EXPECT_THAT(run({"explain", word}).err, HasSubstr("did you mean 'spec.scaling.max'?")) << word;
  EXPECT_EQ(run({"explain", "panic_mode"}).err,
            "subito: explain panic_mode: there is no such field; did you mean one of\n"
            "  subito explain spec.scaling.knative.panicWindowPercentage\n"
            "  subito explain spec.scaling.knative.panicThresholdPercentage\n");
  EXPECT_THAT(run({"explain", "elephant"}).err, HasSubstr("; `subito explain` lists those"));
  const Printed several = run({"explain", "name"});
  EXPECT_EQ(several.code, kUsage);
  EXPECT_EQ(several.err,
            "subito: explain name: there are several; say one of\n"
            "  subito explain metadata.name\n"
            "  subito explain spec.bindings.name\n"
            "  subito explain spec.triggers.name\n"
            "  subito explain spec.config.name\n"
            "  subito explain spec.secrets.name\n");
}

TEST_F(CliTest, ExplainOfAValueTellsTheFieldThatTakesIt) {
  const Printed output = run({"explain", "instant"});
  EXPECT_THAT(output.out, StartsWith("FIELD    spec.scaling.policy\n"));
  EXPECT_THAT(output.out, HasSubstr("\n  instant: Starts a pod when waiting"));
  std::istringstream lines(output.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 90U) << line;
  EXPECT_THAT(run({"explain", "fresh"}).out, StartsWith("FIELD    spec.start\n"));
  EXPECT_THAT(run({"explain", "concurrency"}).out, StartsWith("FIELD    spec.concurrency\n"))
      << "a field goes before a value";
}

TEST_F(CliTest, ExplainIsJsonForPrograms) {
  const Json json = Json::parse(run({"explain", "spec.start", "-o", "json"}).out);
  EXPECT_EQ(json.at("field"), "spec.start");
  EXPECT_EQ(json.at("default"), "pooled");
  EXPECT_EQ(json.at("required"), false);
  EXPECT_EQ(json.at("values").at(1).at("name"), "fresh");
  EXPECT_EQ(json.at("example"), "spec:\n  start: fresh\n");
  const Json whole = Json::parse(run({"explain", "-o", "json"}).out);
  EXPECT_EQ(whole.at("fields").size(), 4U);
}

}  // namespace
}  // namespace subito::cli
