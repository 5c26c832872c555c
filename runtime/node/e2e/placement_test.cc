// Which core a pod may run on, as the kernel has it: that of the node's loop for short calls, any
// for one that computes.
#include <gtest/gtest.h>
#include <sched.h>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

int cores_of(pid_t pid) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return sched_getaffinity(pid, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : -1;
}

class PlacementTest : public NodeTest {
 protected:
  void SetUp() override {
    if (cores_of(0) < 2) GTEST_SKIP() << "one core: there is nowhere else to run";
    NodeTest::SetUp();
  }
  pid_t only_pod() const {
    const Json pods = node.pod_list();
    EXPECT_EQ(pods.size(), 1U);
    return pods.empty() ? 0 : pods[0].value("hostPid", 0);
  }
  static void call(HttpClient& client, const std::string& path, int times) {
    for (int i = 0; i < times; ++i) ASSERT_EQ(client.get(path).status, 200);
  }
};

TEST_F(PlacementTest, APodOfShortCallsIsBroughtNearAndLetGoOfWhenItComputes) {
  node.deploy("echo", "echo", "scaling: {idle: 1m, min: 1, max: 1}");
  HttpClient client = node.client();
  // The pod that tried the revision goes first.
  ASSERT_TRUE(eventually([&] { return node.pod_list().size() == 1; }));
  const pid_t pod = only_pod();
  // It is looked at after answers, and may seem to run for long where the machine is busy.
  EXPECT_TRUE(eventually([&] {
    call(client, "/function/echo", 10);
    return cores_of(pod) == 1;
  }));
  EXPECT_TRUE(eventually([&] {
    call(client, "/function/echo?burn_ms=20", 1);
    return cores_of(pod) == cores_of(0);
  }));
  EXPECT_EQ(only_pod(), pod);
}

TEST(PlacementOffTest, PodsAreLeftWhereTheKernelPutsThem) {
  if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
  LiveNode node({"--placement", "any"});
  node.start();
  node.deploy("echo", "echo", "scaling: {idle: 1m, min: 1, max: 1}");
  HttpClient client = node.client();
  for (int i = 0; i < 40; ++i) ASSERT_EQ(client.get("/function/echo").status, 200);
  const Json pods = node.pod_list();
  ASSERT_EQ(pods.size(), 1U);
  EXPECT_EQ(cores_of(pods[0].value("hostPid", 0)), cores_of(0));
}

}  // namespace
}  // namespace subito::e2e
