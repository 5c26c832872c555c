// A node says what it lacks, serves on meanwhile, and is well again by itself.
#include <gmock/gmock.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;

// A node whose data lie on a small file system of their own.
class SmallDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
    std::filesystem::create_directories(node.data());
    ASSERT_EQ(::mount("tmpfs", node.data().c_str(), "tmpfs", 0, "size=64m"), 0);
    node.start();
  }
  void TearDown() override {
    if (node.pid() > 0) node.stop();
    ::umount2(node.data().c_str(), MNT_DETACH);
  }
  // Takes all that is free.
  void fill() {
    std::ofstream file(node.data() + "/filler", std::ios::binary);
    const std::string block(1 << 20, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
  }
  void empty() { std::filesystem::remove(node.data() + "/filler"); }

  LiveNode node;
};

TEST_F(SmallDiskTest, AFullDiskIsToldRefusesChangesServesOnAndHeals) {
  node.deploy("echo", "echo");
  EXPECT_EQ(node.cli({"health"}).exit_code, 0);
  fill();
  const auto sick = [&] {
    return node.cli({"health"}).out.find("is full: less than 1 MiB of 64") != std::string::npos;
  };
  EXPECT_TRUE(eventually(sick, milliseconds(30'000)));
  EXPECT_EQ(node.cli({"health"}).exit_code, 0) << "it still serves";
  EXPECT_THAT(node.output(), HasSubstr("disk: " + node.data() + " is full"));

  const Ran refused = node.try_deploy("other", function_binary("look"));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("No space left on device"));
  EXPECT_NE(node.cli({"scale", "echo", "--min", "1"}).exit_code, 0);
  HttpClient client = node.client();
  EXPECT_EQ(client.post("/function/echo", "hello").body, "hello");
  EXPECT_EQ(client.get("/readyz").status, 200);

  empty();
  EXPECT_TRUE(eventually([&] { return !sick(); }, milliseconds(30'000)));
  EXPECT_THAT(node.output(), HasSubstr("disk: well again"));
  EXPECT_EQ(node.try_deploy("other", function_binary("echo")).exit_code, 0);
  EXPECT_EQ(node.function("echo").at("revision"), 1) << "nothing was lost";
}

class HealthOfNodeTest : public NodeTest {};

TEST_F(HealthOfNodeTest, LiveAndReadyAreToldApart) {
  node.deploy("echo", "echo");
  EXPECT_TRUE(eventually([&] { return node.asleep("echo"); }));
  EXPECT_EQ(node.cli({"health", "echo"}).out, "echo is ready: asleep\n");
  EXPECT_EQ(node.cli({"health", "nobody"}).exit_code, 3);
  HttpClient client = node.client();
  EXPECT_EQ(client.get("/readyz").body, "ready\n");
  EXPECT_EQ(client.get("/healthz").body, "ok\n");
}

TEST_F(HealthOfNodeTest, WithoutItsRedisItIsNotReadyUntilRedisIsBack) {
  const auto redis_says = [&](const char* state) {
    return node.cli({"health"}).out.find(state) != std::string::npos;
  };
  EXPECT_TRUE(eventually([&] { return redis_says("redis      ok"); }));
  const pid_t redis = node.redis();
  ASSERT_GT(redis, 0);
  ::kill(redis, SIGKILL);
  EXPECT_TRUE(eventually([&] { return node.output().find("redis: ") != std::string::npos; }));
  EXPECT_TRUE(eventually([&] { return redis_says("redis      ok"); }));
  EXPECT_THAT(node.output(), HasSubstr("redis: well again"));
}

TEST(HealthWithAnotherRedisTest, IsNotReadyWhileThatIsAway) {
  if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
  LiveNode node({"--redis", "127.0.0.1:1"});  // nobody listens there
  node.start();
  node.deploy("echo", "echo");
  EXPECT_TRUE(eventually([&] { return node.cli({"health"}).exit_code == 1; }));
  HttpClient client = node.client();
  const HttpResponse ready = client.get("/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_THAT(ready.body, HasSubstr("redis: "));
  EXPECT_EQ(client.get("/healthz").status, 200);
  EXPECT_EQ(client.post("/function/echo", "hello").body, "hello") << "it needs no Redis";
  EXPECT_EQ(node.stop(), 0);
  EXPECT_EQ(node.output().find("Redis is stop"), std::string::npos);
}

}  // namespace
}  // namespace subito::e2e
