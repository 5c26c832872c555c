// What a node costs, and that it does not cost more after a thousand pods.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

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
  // Until caches, the journal and the reserve of network namespaces are as full as they get.
  for (const char* function : {"pooled", "fresh"}) start_pods(function, 150);
  settle();
  const Footprint before = footprint();
  for (const char* function : {"pooled", "fresh"}) start_pods(function, 500);
  settle();
  const Footprint after = footprint();
  EXPECT_LE(after.descriptors, before.descriptors + 2);
  EXPECT_LE(after.memory_bytes, before.memory_bytes + kMiB);
  EXPECT_EQ(after.cgroups, before.cgroups);
  EXPECT_EQ(after.processes, before.processes);
  EXPECT_EQ(after.namespaces, before.namespaces);
  EXPECT_EQ(after.mounts, before.mounts);
  std::printf("%zu descriptors, %.1f MiB, %zu cgroups, %zu processes, %zu namespaces, %zu mounts\n",
              after.descriptors, static_cast<double>(after.memory_bytes) / kMiB, after.cgroups,
              after.processes, after.namespaces, after.mounts);
}

TEST_F(EnduranceTest, KeepsAHundredSleepingFunctionsInFiveMegabytes) {
  node.deploy("first", "echo");
  settle();
  const auto memory = [&] {
    return proportional_bytes(node.pid()) + proportional_bytes(node.launcher());
  };
  const std::uint64_t before = memory();
  for (int i = 0; i < 100; ++i) node.deploy("f-" + std::to_string(i), "echo");
  settle();
  EXPECT_EQ(node.json({"get", "functions", "-o", "json"}).at("items").size(), 101U);
  const std::uint64_t after = memory();
  EXPECT_LT(after, before + 5 * kMiB);
  std::printf("%.2f MiB before, %.2f MiB after\n", static_cast<double>(before) / kMiB,
              static_cast<double>(after) / kMiB);
}

TEST_F(EnduranceTest, CostsLittleWhileItIsIdle) {
  settle();
  std::uint64_t bytes = 0;
  for (const pid_t pid : processes()) {
    const std::string executable = executable_of(pid);
    // Redis is a program of its own; what it costs is said beside.
    if (executable.find("redis") != std::string::npos) {
      std::printf("redis %.2f MiB\n", static_cast<double>(proportional_bytes(pid)) / kMiB);
      continue;
    }
    bytes += proportional_bytes(pid);
  }
  const Json ready = node.json({"get", "pods", "-o", "json"}).at("ready");
  std::printf("%.2f MiB, sandboxes as the node counts them %.2f MiB\n",
              static_cast<double>(bytes) / kMiB,
              ready.at("bytes").get<double>() / static_cast<double>(kMiB));
  EXPECT_LT(bytes + ready.at("bytes").get<std::uint64_t>(), 20 * kMiB);
}

}  // namespace
}  // namespace subito::e2e
