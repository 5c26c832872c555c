// Pods that talk too much, and readers of their words that do not read.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;

// The logs of one function (1 MiB), one stream's backlog, and what the allocator makes of them.
constexpr std::uint64_t kGrowthBytesMax = 12 << 20;

class TalkTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    if (!IsSkipped()) node.deploy("look", "look", "timeout: 2m");
  }

  // A connection to the control API that has asked and does not read.
  UniqueFd ask_and_not_read(const std::string& target) const {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    node.socket().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const std::string request = request_bytes("GET", target);
    EXPECT_EQ(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    return fd;
  }
};

TEST_F(TalkTest, ReportsTheCrashOfAPodThatNeverSaidAnything) {
  EXPECT_EQ(node.client().post("/function/look/exit", "").status, 502);
  EXPECT_THAT(node.logs("look", {"--previous"}), HasSubstr("look-1 error exited with status 3"));
}

TEST_F(TalkTest, KeepsTheLastWordsOfAPodThatDied) {
  EXPECT_EQ(node.client().post("/function/look/shout?kib=150", "").status, 502);
  const std::string logs = node.logs("look", {"--previous", "--tail", "10000"});
  EXPECT_THAT(logs.substr(0, 200), HasSubstr("line 0 "));
  EXPECT_TRUE(logs.find("line 149 ") != logs.npos) << logs.size();
}

TEST_F(TalkTest, StaysSmallAndServesOthersWhileAPodPrintsWithoutEnd) {
  node.deploy("echo", "echo");
  ASSERT_EQ(node.client().get("/function/look/shout?kib=2000").status, 200);
  const std::uint64_t before = resident_bytes(node.pid());
  reset_peak(node.pid());
  HttpClient shouting = node.client();
  ASSERT_TRUE(shouting.write(request_bytes("GET", "/function/look/shout?kib=50000")));
  HttpClient client = node.client();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.get("/function/echo").status, 200);
  EXPECT_EQ(shouting.read().status, 200);
  if (kMemoryTells) {
    EXPECT_LT(peak_bytes(node.pid()), before + kGrowthBytesMax);
  }
}

TEST_F(TalkTest, CutsOffReadersThatDoNotReadAndStaysSmall) {
  ASSERT_EQ(node.client().get("/function/look/shout?kib=2000").status, 200);
  const std::uint64_t before = resident_bytes(node.pid());
  reset_peak(node.pid());
  const UniqueFd logs = ask_and_not_read("/v1/functions/look/logs?follow=true");
  const UniqueFd events = ask_and_not_read("/v1/events/watch");
  EXPECT_EQ(node.client().get("/function/look/shout?kib=30000").status, 200);
  if (kMemoryTells) {
    EXPECT_LT(peak_bytes(node.pid()), before + kGrowthBytesMax);
  }
  EXPECT_EQ(node.cli({"get", "functions"}).exit_code, 0);
}

}  // namespace
}  // namespace subito::e2e
