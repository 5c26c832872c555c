#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "deploy/cli/cli_testing.h"
#include "deploy/cli/exit_code.h"

namespace subito::cli {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

class DeployTest : public CliTest {
 protected:
  static std::string manifest(const std::string& name, const std::string& spec) {
    return "apiVersion: subito.dev/v1\nkind: Function\nmetadata: {name: " + name + "}\nspec:\n" +
           spec;
  }
  std::string good() const { return "  binary: " ELF_SAMPLES "/elf_sample_static\n"; }
};

TEST_F(DeployTest, PrintsUrlCurlLineAndStartTime) {
  const Printed output = run({"deploy", "-f", write("f.yaml", manifest("hello", good()))});
  EXPECT_EQ(output.err, "");
  EXPECT_EQ(output.code, kOk);
  EXPECT_EQ(output.out,
            "hello revision 1 is deployed, started in 1.1 ms pooled\n"
            "  http://127.0.0.1:8080/function/hello\n"
            "  curl -i http://127.0.0.1:8080/function/hello\n");
  EXPECT_EQ(plane_.functions["hello"].manifest.spec().scaling().max(), 20);
}

TEST_F(DeployTest, TakesFoldersAndSkipsTheCheckWhenTold) {
  write("a.yaml", manifest("a", good()));
  write("b.yaml", manifest("b", good()));
  const Printed output = run({"deploy", "-f", folder_, "--no-check", "-o", "json"});
  EXPECT_EQ(output.code, kOk) << output.err;
  const Json json = Json::parse(output.out);
  ASSERT_EQ(json.at("items").size(), 2U);
  EXPECT_EQ(json["items"][0]["name"], "a");
  EXPECT_EQ(json["items"][0]["checked"], false);
  EXPECT_FALSE(plane_.last_deploy_options.check);
}

TEST_F(DeployTest, TellsEveryFaultOfEveryFileAndSendsNothing) {
  no_node_ = Error{ErrorCode::kUnavailable, "no node is needed to see faults", 0};
  const std::string a = write("a.yaml", manifest("a", good() + "  concurency: 4\n  timeout: 1\n"));
  const std::string b = write("b.yaml", manifest("B", good()));
  const Printed output = run({"deploy", "-f", a, "-f", b});
  EXPECT_EQ(output.code, kRefused);
  EXPECT_THAT(output.err,
              HasSubstr(a + ":6: spec.concurency: is not a field; did you mean 'concurrency'?\n"));
  EXPECT_THAT(output.err, HasSubstr(a + ":7: spec.timeout: '1' has no unit"));
  EXPECT_THAT(output.err, HasSubstr(b + ":3: metadata.name: is 'B'"));
  EXPECT_THAT(output.err, HasSubstr("3 faults, nothing was deployed\n"));
}

TEST_F(DeployTest, RefusesBinariesThatCannotRun) {
  write("a.yaml", manifest("a", "  binary: " ELF_SAMPLES "/elf_sample_dynamic\n"));
  write("b.yaml", manifest("b", "  binary: ./missing\n"));
  const Printed output = run({"deploy", "-f", folder_});
  EXPECT_EQ(output.code, kRefused);
  EXPECT_THAT(output.err, HasSubstr("subito: " + folder_ +
                                    "/a.yaml:5: a: check " ELF_SAMPLES
                                    "/elf_sample_dynamic: is linked dynamically (needs libc.so.6)"
                                    ": link with -static"));
  EXPECT_THAT(output.err, HasSubstr("\nsubito: " + folder_ + "/b.yaml:5: b: check " + folder_ +
                                    "/missing: No such file"));
}

TEST_F(DeployTest, AFailedCheckShowsTheLastLogsAndWhatStays) {
  plane_.deploy_failure.error = {ErrorCode::kUnavailable, "start pod: exited with status 1", 0};
  plane_.deploy_failure.last_logs = {plane_.records[1]};
  plane_.deploy_failure.current_revision = 3;
  const std::string file = write("f.yaml", manifest("hello", good()));
  const Printed output = run({"deploy", "-f", file});
  EXPECT_EQ(output.code, kFailed);
  EXPECT_EQ(output.out, "");
  EXPECT_EQ(output.err,
            "subito: deploy hello: start pod: exited with status 1\n"
            "last log lines:\n"
            "  2026-11-23T22:04:09.000Z catalogue-7 error pod crashed: signal 11 (Segmentation "
            "fault)\n"
            "previous revision stays: hello revision 3\n");
  plane_.deploy_failure.current_revision = 0;
  EXPECT_THAT(run({"deploy", "-f", file}).err, HasSubstr("nothing is deployed as hello\n"));
}

TEST_F(DeployTest, SaysWhatToDoInTheFolderThatIsMeant) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  EXPECT_THAT(run({"deploy"}).err, testing::EndsWith("or NAME --binary PATH\n"));
  write("function.yaml", manifest("hello", good()));
  EXPECT_THAT(run({"deploy"}).err, HasSubstr("PATH; what is here: `subito deploy ./`\n"));
  std::filesystem::current_path(before);
}

TEST_F(DeployTest, ABinaryThatWasClearedAwayMeanwhileIsPutAgainOnce) {
  int deploys = 0, forgotten = 1;
  before_send_ = [&](const api::ClientRequest& request) {
    if (request.method == "POST" && ++deploys <= forgotten)
      std::filesystem::remove_all(folder_ + "/data/artefacts");
    if (request.method == "PUT") std::filesystem::create_directories(folder_ + "/data/artefacts");
  };
  const std::string file = write("f.yaml", manifest("hello", good()));
  EXPECT_EQ(run({"deploy", "-f", file}).code, kOk);
  EXPECT_EQ(deploys, 2);
  deploys = 0;
  forgotten = 9;
  EXPECT_EQ(run({"deploy", "-f", file}).code, kFailed);
  EXPECT_EQ(deploys, 2);
}

TEST_F(DeployTest, FlagsMakeAManifest) {
  const Printed output =
      run({"deploy",        "hello", "--binary",  ELF_SAMPLES "/elf_sample_static",
           "--setting",     "A=1",   "--setting", "B=x=y",
           "--concurrency", "4",     "--timeout", "5s",
           "--memory",      "32Mi",  "--cpu",     "500m",
           "--idle",        "0s",    "--min",     "1",
           "--max",         "2",     "--start",   "fresh",
           "--route",       "/hi",   "--call",    "stock",
           "--redis",       "cache"});
  ASSERT_EQ(output.code, kOk) << output.err;
  const auto& spec = plane_.functions["hello"].manifest.spec();
  EXPECT_EQ(spec.settings().at("A"), "1");
  EXPECT_EQ(spec.settings().at("B"), "x=y");
  EXPECT_EQ(spec.concurrency(), 4);
  EXPECT_EQ(spec.timeout_ms(), 5000);
  EXPECT_EQ(spec.resources().memory_bytes(), 32 << 20);
  EXPECT_EQ(spec.resources().cpu_millicores(), 500);
  EXPECT_EQ(spec.scaling().idle_ms(), 0);
  EXPECT_EQ(spec.scaling().min(), 1);
  EXPECT_EQ(spec.start(), manifest::FRESH);
  EXPECT_EQ(spec.routes(0).path(), "/hi");
  EXPECT_EQ(spec.calls(0), "stock");
  EXPECT_EQ(spec.bindings(0).redis().key_prefix(), "hello:");
}

TEST_F(DeployTest, FlagsAreJudgedLikeAFile) {
  const Printed output = run({"deploy", "Hello", "--binary", ELF_SAMPLES "/elf_sample_static",
                              "--concurrency", "0", "--start", "warm"});
  EXPECT_EQ(output.code, kRefused);
  EXPECT_THAT(output.err, HasSubstr("metadata.name: is 'Hello'"));
  EXPECT_THAT(output.err, HasSubstr("spec.concurrency: is 0, allowed is 1 to 1000"));
  EXPECT_THAT(output.err,
              HasSubstr("spec.start: is 'warm', allowed is one of pooled, fresh, template"));
  std::istringstream lines(output.err);
  for (std::string line; std::getline(lines, line);) EXPECT_EQ(line.substr(0, 8), "subito: ");
}

TEST_F(DeployTest, APlaceInTheManifestIsNamedForWhatTheNodeRefuses) {
  plane_.deploy_failure.error = {
      ErrorCode::kInvalidArgument,
      "deploy hello: spec.routes[0].path: add route /shop: it belongs to function stock", 0};
  const std::string file =
      write("f.yaml", manifest("hello", good() + "  routes:\n    - path: /shop\n"));
  const Printed output = run({"deploy", "-f", file});
  EXPECT_EQ(output.code, kRefused);
  EXPECT_EQ(output.err, "subito: " + file +
                            ":7: deploy hello: spec.routes[0].path: add route /shop: it belongs to "
                            "function stock\nnothing is deployed as hello\n");
  const Printed by_flags = run({"deploy", "hello", "--binary", ELF_SAMPLES "/elf_sample_static"});
  EXPECT_THAT(by_flags.err, testing::StartsWith("subito: deploy hello: spec.routes[0].path: add"));
}

TEST_F(DeployTest, ACallToAnUnknownFunctionIsAWarning) {
  const std::string file =
      write("f.yaml", manifest("hello", good() + "  calls: [stock, catalog]\n"));
  const Printed output = run({"deploy", "-f", file});
  EXPECT_EQ(output.code, kOk);
  EXPECT_EQ(output.err, "subito: warning: " + file +
                            ":6: hello: spec.calls[1]: the node knows no function 'catalog', calls "
                            "of it fail until it is deployed; did you mean 'catalogue'?\n");
}

TEST_F(DeployTest, AStreamOfAnUnknownFunctionIsAWarning) {
  const std::string file =
      write("f.yaml",
            manifest("hello", good() + "  bindings: [{name: r, redis: {}}]\n  triggers: [{name: "
                                       "t, path: /t, stream: {of: stok, key: events}}]\n"));
  const Printed output = run({"deploy", "-f", file});
  EXPECT_EQ(output.code, kOk);
  EXPECT_EQ(output.err,
            "subito: warning: " + file +
                ":7: hello: spec.triggers[0].stream.of: the node knows no function 'stok', nothing "
                "comes from it until it is deployed; did you mean 'stock'?\n");
}

TEST_F(DeployTest, APodThatItsNamespaceNeverGivesIsAWarning) {
  manifest::Quota& quota = plane_.namespaces["default"].name_space.quota;
  quota.memory_bytes = 100 << 20;
  quota.cpu_millicores = 500;
  const std::string file =
      write("f.yaml", manifest("hello", good() + "  resources: {memory: 1Gi}\n"));
  Printed output = run({"deploy", "-f", file});
  EXPECT_EQ(output.code, kOk);
  EXPECT_EQ(output.err,
            "subito: warning: " + file +
                ":6: hello: spec.resources.memory: a pod takes 1Gi, the quota of namespace default "
                "is 100Mi: none can start\nsubito: warning: " +
                file +
                ":6: hello: spec.resources.cpu: a pod takes 1, the quota of namespace default is "
                "500m: none can start\n");
  quota = {};
  EXPECT_EQ(run({"deploy", "-f", file}).err, "");
}

TEST_F(DeployTest, FunctionsOfOneDeployMayCallOneAnother) {
  write("a.yaml", manifest("a", good() + "  calls: [b, c]\n"));
  write("b.yaml", manifest("b", good() + "  calls: [c]\n"));
  write("c.yaml", manifest("c", good()));
  EXPECT_EQ(run({"deploy", "-f", folder_}).err, "");
}

TEST_F(DeployTest, CallsThatMayGoRoundAreAWarning) {
  const std::string alone = write("a.yaml", manifest("a", good() + "  calls: [a]\n"));
  EXPECT_EQ(run({"deploy", "-f", alone}).err,
            "subito: warning: " + alone +
                ":6: a: spec.calls[0]: a > a may go round; a call that does is refused "
                "(call-cycle)\n");
  write("a.yaml", manifest("a", good() + "  calls: [b]\n"));
  write("b.yaml", manifest("b", good() + "  calls: [stock, c]\n"));
  run({"deploy", "-f", folder_});
  // Those that are there already count, as they are after this deploy.
  std::filesystem::remove(folder_ + "/a.yaml");
  std::filesystem::remove(folder_ + "/b.yaml");
  const std::string last = write("c.yaml", manifest("c", good() + "  calls: [stock, a]\n"));
  const Printed output = run({"deploy", "-f", last});
  EXPECT_EQ(output.code, kOk);
  EXPECT_EQ(output.err, "subito: warning: " + last +
                            ":6: c: spec.calls[1]: c > a > b > c may go round; a call that does is "
                            "refused (call-cycle)\n");
}

TEST_F(DeployTest, AnIdleTimeThatThePolicyDoesNotLookAtIsAWarning) {
  const auto told = [this](const std::string& scaling) {
    return run({"deploy", "-f", write("f.yaml", manifest("hello", good() + scaling))}).err;
  };
  EXPECT_THAT(told("  scaling:\n    policy: histogram\n    idle: 5s\n"),
              HasSubstr("f.yaml:8: hello: spec.scaling.idle: the policy histogram does not look at "
                        "it; `subito explain spec.scaling.policy`"));
  EXPECT_THAT(told("  scaling: {policy: concurrency, idle: 5s}\n"),
              HasSubstr("the policy concurrency does not"));
  EXPECT_EQ(told("  scaling: {policy: histogram}\n"), "");
  EXPECT_EQ(told("  scaling: {policy: fixed, idle: 5s}\n"), "");
  EXPECT_EQ(told("  scaling: {idle: 5s}\n"), "");
}

TEST_F(DeployTest, SaysThatItUndoesAnEarlierScale) {
  const std::string file = write("f.yaml", manifest("hello", good()));
  EXPECT_EQ(run({"deploy", "-f", file}).out.find("scales"), std::string::npos) << "it is new";
  run({"scale", "hello", "--min", "1", "--max", "5"});
  EXPECT_THAT(run({"deploy", "-f", file}).out,
              HasSubstr("\n  scales from 0 to 20 pods; it was 1 to 5, an earlier `subito scale` is "
                        "undone\n"));
  EXPECT_EQ(run({"deploy", "-f", file}).out.find("scales"), std::string::npos) << "it is as it was";
  write("f.yaml", manifest("hello", good() + "  scaling: {max: 6}\n"));
  EXPECT_THAT(run({"deploy", "-f", file}).out,
              HasSubstr("\n  scales from 0 to 6 pods; it was 0 to 20\n"))
      << "by the manifest alone";
}

TEST_F(DeployTest, PrintsTheRoutesOfItsOwnAndCallsOne) {
  const std::string routes = "  routes:\n    - path: /shop\n    - path: /cart\n";
  EXPECT_THAT(run({"deploy", "-f", write("f.yaml", manifest("hello", good() + routes))}).out,
              HasSubstr("\n  http://127.0.0.1:8080/function/hello\n"
                        "  http://127.0.0.1:8080/shop\n"
                        "  http://127.0.0.1:8080/cart\n"
                        "  curl -i http://127.0.0.1:8080/shop\n"));
}

TEST_F(DeployTest, PrintsWhereClientsReachItAsItsIngressAllows) {
  const std::string routes = "  ingress: routes\n  routes: [{path: /shop}, {path: /cart}]\n";
  EXPECT_THAT(run({"deploy", "-f", write("r.yaml", manifest("hello", good() + routes))}).out,
              HasSubstr("\n  http://127.0.0.1:8080/shop\n"
                        "  http://127.0.0.1:8080/cart\n"
                        "  curl -i http://127.0.0.1:8080/shop\n"));
  const std::string closed = good() + "  ingress: internal\n";
  EXPECT_THAT(run({"deploy", "-f", write("i.yaml", manifest("inner", closed))}).out,
              HasSubstr("\n  subito invoke inner\n"));
  EXPECT_THAT(run({"describe", "inner"}).out,
              HasSubstr("\nURL:        none: its ingress is internal\nRevision:"));
  EXPECT_THAT(run({"describe", "hello"}).out,
              HasSubstr("\nRoutes:     http://127.0.0.1:8080/shop\n"
                        "            http://127.0.0.1:8080/cart\nRevision:"));
}

TEST_F(DeployTest, OneThatFailsDoesNotKeepTheOthers) {
  write("a.yaml", manifest("a", good()));
  write("b.yaml", manifest("b", good()));
  plane_.deploy_failure.error = {ErrorCode::kFailedPrecondition, "another deploy runs", 0};
  const Printed output = run({"deploy", "-f", folder_});
  EXPECT_EQ(output.code, kFailed);
  EXPECT_THAT(output.err, HasSubstr("deploy a: another deploy runs"));
  EXPECT_THAT(output.err, HasSubstr("deploy b: another deploy runs"));
}

}  // namespace
}  // namespace subito::cli
