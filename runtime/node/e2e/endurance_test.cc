// What a node costs, and that it does not cost more after a thousand pods.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

constexpr std::uint64_t kMegabyte = 1'000'000;
constexpr int kRoundsMax = 20;

double megabytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

struct Footprint {
  std::size_t descriptors = 0;
  std::uint64_t memory_bytes = 0;
  std::size_t cgroups = 0;
  std::size_t processes = 0;
  std::size_t namespaces = 0;
  std::size_t mounts = 0;
};

class EnduranceTest : public NodeTest {
 protected:
  void SetUp() override {
    if (!kMemoryTells) GTEST_SKIP() << "SKIPPED: memory is measured without sanitizers";
    NodeTest::SetUp();
  }

  std::vector<pid_t> processes() const {
    std::vector<pid_t> all = {node.pid()};
    for (const pid_t child : children_of(node.pid())) all.push_back(child);
    for (const pid_t child : children_of(node.launcher())) all.push_back(child);
    return all;
  }

  // Of node and launcher, and of all namespaces that any process of the machine is in.
  Footprint footprint() const {
    Footprint now;
    for (const pid_t pid : {node.pid(), node.launcher()}) {
      now.descriptors += open_descriptors(pid);
      now.memory_bytes += resident_bytes(pid);
      const std::string mounts = read_file("/proc/" + std::to_string(pid) + "/mounts");
      now.mounts += static_cast<std::size_t>(std::count(mounts.begin(), mounts.end(), '\n'));
    }
    now.cgroups = node.cgroups().size();
    now.processes = processes().size();
    std::set<std::string> namespaces;
    std::error_code ignored;
    for (const pid_t pid : processes()) {
      const std::string folder = "/proc/" + std::to_string(pid) + "/ns";
      for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        namespaces.insert(std::filesystem::read_symlink(entry.path(), ignored));
      }
    }
    now.namespaces = namespaces.size();
    return now;
  }

  // What `subito bench idle-cost` promises about: node and launcher by RSS, empty sandboxes with
  // what they hold in the kernel.
  std::uint64_t idle_bytes() const {
    const Json ready = node.json({"get", "pods", "-o", "json"}).at("ready");
    return resident_bytes(node.pid()) + resident_bytes(node.launcher()) +
           ready.at("bytes").get<std::uint64_t>();
  }

  // All pods gone, all empty sandboxes there again.
  void settle() const {
    EXPECT_TRUE(eventually([&] {
      const Json pods = node.json({"get", "pods", "-o", "json"});
      return pods.at("items").empty() && pods.at("ready").at("sandboxes") == 8;
    }));
  }

  // Each request gets a pod of its own: the one before is on its way out.
  void start_pods(const std::string& function, std::uint64_t count) const {
    const std::uint64_t before = node.pods_started(function);
    HttpClient client = node.client();
    for (std::uint64_t i = 0; i < count; ++i) {
      const HttpResponse answer = client.get("/function/" + function);
      ASSERT_EQ(answer.status, 200) << answer.error << answer.body;
    }
    EXPECT_GE(node.pods_started(function), before + count * 9 / 10) << "they were not reused";
  }
};

TEST_F(EnduranceTest, DoesNotGrowWithTheNumberOfPodsItStartedAndStopped) {
  node.deploy("pooled", "echo", "scaling: {idle: 0s}");
  node.deploy("fresh", "echo", "start: fresh\nscaling: {idle: 0s}");
  // Until caches, the journal and what is kept of dead pods are as full as they get. A fresh pod
  // that dies before the launcher has looked at it leaves no namespaces: how many rounds that
  // takes is chance.
  Footprint before;
  for (int round = 0; round < kRoundsMax; ++round) {
    for (const char* function : {"pooled", "fresh"}) start_pods(function, 150);
    settle();
    const Footprint now = footprint();
    if (now.descriptors <= before.descriptors) break;
    before = now;
  }
  for (const char* function : {"pooled", "fresh"}) start_pods(function, 500);
  settle();
  const Footprint after = footprint();
  EXPECT_LE(after.descriptors, before.descriptors + 2);
  EXPECT_LE(after.memory_bytes, before.memory_bytes + kMegabyte);
  EXPECT_EQ(after.cgroups, before.cgroups);
  EXPECT_EQ(after.processes, before.processes);
  EXPECT_EQ(after.namespaces, before.namespaces);
  EXPECT_EQ(after.mounts, before.mounts);
  std::printf("%zu descriptors, %.2f MB, %zu cgroups, %zu processes, %zu namespaces, %zu mounts\n",
              after.descriptors, megabytes(after.memory_bytes), after.cgroups, after.processes,
              after.namespaces, after.mounts);
}

// As a hundred different programs, each with a file of its own in the store.
TEST_F(EnduranceTest, KeepsAHundredSleepingFunctionsInFiveMegabytes) {
  node.deploy("first", "echo");
  settle();
  const std::uint64_t before = idle_bytes();
  const std::string program = read_file(function_binary("echo"));
  const std::string copy = node.data() + "-copy";
  for (int i = 0; i < 100; ++i) {
    write_file(copy, program + std::to_string(i));
    ASSERT_EQ(node.try_deploy("f-" + std::to_string(i), copy).exit_code, 0);
  }
  settle();
  const Json functions = node.json({"get", "functions", "-o", "json"}).at("items");
  std::set<std::string> binaries;
  for (const Json& function : functions) binaries.insert(function.at("artefact"));
  EXPECT_EQ(binaries.size(), 101U);
  const std::uint64_t after = idle_bytes();
  std::printf("%.2f MB before, %.2f MB after\n", megabytes(before), megabytes(after));
  EXPECT_LE(after, before + 5 * kMegabyte);
}

TEST_F(EnduranceTest, CostsLittleWhileItIsIdle) {
#ifdef SUBITO_COVERAGE
  GTEST_SKIP() << "a build for coverage counts lines in memory: twice the size";
#endif
  settle();
  for (const pid_t pid : children_of(node.pid())) {
    // Redis is a program of its own; what it costs is said beside.
    if (executable_of(pid).find("redis") == std::string::npos) continue;
    std::printf("redis %.2f MB\n", megabytes(resident_bytes(pid)));
  }
  const std::uint64_t bytes = idle_bytes();
  std::printf("%.2f MB\n", megabytes(bytes));
  // 2 MB of it are the symbols and plainer code of a build for tests: released it is under 20.
  EXPECT_LE(bytes, 22 * kMegabyte);
}

}  // namespace
}  // namespace subito::e2e
