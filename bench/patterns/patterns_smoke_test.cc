// `subito bench patterns` of the built program, whole and short: counts and structure, never time.
#include <gmock/gmock.h>

#include <set>

#include "bench/patterns/running.h"
#include "bench/smoke_fixture.h"

namespace subito::bench {
namespace {

using testing::IsEmpty;

std::set<std::string> metrics_of(const nlohmann::json& json, const std::string& pattern) {
  std::set<std::string> names;
  for (const auto& measure : json["measures"]) {
    if (measure["pattern"] != pattern) continue;
    names.insert(measure["metric"].get<std::string>());
    EXPECT_GE(measure["n"], 1) << measure;
    EXPECT_FALSE(measure["unit"].get<std::string>().empty()) << measure;
  }
  return names;
}

class PatternsSmoke : public BenchSmoke {
 protected:
  static std::vector<std::string> command(const std::string& only) {
    return {"patterns", "--only", only, "--quick", "--connections", "2"};
  }
  // What a run brought up is down again.
  static bool is_down(const std::string& pattern) {
    return !std::filesystem::exists("/var/lib/subito-patterns/bench-" + pattern);
  }
};

TEST_F(PatternsSmoke, MeasuresMonolithProcessesAndFunctions) {
  if (!is_installed("redis-server") || !is_installed("curl")) {
    GTEST_SKIP() << "redis-server or curl is not installed";
  }
  const auto json = bench(command("0,2,5"));
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["benchmark"], "patterns");
  EXPECT_EQ(json["errors"], 0);
  EXPECT_THAT(json["faults"], IsEmpty());
  EXPECT_EQ(json["interrupted"], false);
  EXPECT_EQ(json["reference"], "2-processes");
  for (const std::string pattern : {"0-monolith", "2-processes", "5-serverless"}) {
    const std::set<std::string> metrics = metrics_of(json, pattern);
    for (const char* name : {"up", "artefact", "idleMemory", "loadMemory", "throughput", "cpu",
                             "latencyP50", "start", "killErrors", "instanceMemory"}) {
      EXPECT_TRUE(metrics.contains(name)) << pattern << ": " << name;
    }
    EXPECT_TRUE(is_down(pattern)) << pattern;
  }
  EXPECT_EQ(json["prices"]["costs"].size(), 6U) << "three patterns, two days";
}

TEST_F(PatternsSmoke, AnInterruptTakesDownWhatIsUp) {
  if (!is_installed("redis-server") || !is_installed("curl")) {
    GTEST_SKIP() << "redis-server or curl is not installed";
  }
  std::vector<std::string> arguments = command("2");
  arguments.insert(arguments.begin(), {"subito", "bench"});
  UniqueFd output;
  auto running = start_service({kProgram, std::move(arguments)}, output, STDERR_FILENO);
  ASSERT_TRUE(running);
  const auto is_up = [] {
    return std::filesystem::exists("/var/lib/subito-patterns/bench-2-processes/up");
  };
  for (int tries = 0; !is_up() && tries < 3'000; ++tries) {
    ASSERT_TRUE(rest(std::chrono::milliseconds(10)));
  }
  ASSERT_TRUE(is_up());
  running->signal(SIGINT);
  const auto status = running->end(std::chrono::seconds(45));
  ASSERT_TRUE(status) << status.error().message;
  ASSERT_TRUE(WIFEXITED(*status));
  EXPECT_EQ(WEXITSTATUS(*status), 130);
  EXPECT_TRUE(is_down("2-processes"));
}

}  // namespace
}  // namespace subito::bench
