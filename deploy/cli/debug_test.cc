// subito debug: what it refuses, and what it asks to be run. What becomes of that with a real pod
// is in runtime/node/e2e.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "deploy/cli/cli_testing.h"
#include "deploy/cli/exit_code.h"
#include "runtime/base/unique_fd.h"

namespace subito::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(CliTest, DebugRunsAProgramInThePod) {
  plane_.pods[0].host_pid = 4321;
  visit_ = PodVisit{7, false};
  const Printed output =
      run({"--socket", "/run/api.sock", "debug", "catalogue-7", "--", "sh", "-c", "ps --socket x"});
  EXPECT_EQ(output.code, 7);
  EXPECT_EQ(output.err, "");
  ASSERT_TRUE(entered_);
  EXPECT_EQ(entered_->pod, "catalogue-7");
  EXPECT_EQ(entered_->host_pid, 4321);
  EXPECT_EQ(entered_->node_pid, 4711);
  EXPECT_EQ(entered_->socket_path, "/run/api.sock");
  EXPECT_THAT(entered_->command, ElementsAre("sh", "-c", "ps --socket x"));
}

TEST_F(CliTest, DebugRunsTheShellOfWhoAsks) {
  plane_.pods[0].host_pid = 4321;
  terminal_ = true;
  variables_["SHELL"] = "/bin/zsh";
  EXPECT_THAT(run({"debug", "catalogue-7"}).err, HasSubstr("its files are at /proc/1/root"));
  EXPECT_THAT(entered_->command, ElementsAre("/bin/zsh"));
  variables_.clear();
  EXPECT_EQ(run({"debug", "catalogue-7"}).code, kOk);
  EXPECT_THAT(entered_->command, ElementsAre("/bin/sh"));
}

TEST_F(CliTest, DebugTellsThatThePodEnded) {
  plane_.pods[0].host_pid = 4321;
  visit_ = PodVisit{137, true};
  const Printed output = run({"debug", "catalogue-7"});
  EXPECT_EQ(output.code, 137);
  EXPECT_EQ(output.err, "subito: catalogue-7 ended, and this with it\n");
}

TEST_F(CliTest, DebugRefusesWhoIsNotRootBeforeItAsksTheNode) {
  is_root_ = false;
  const Printed output = run({"debug", "catalogue-7"});
  EXPECT_EQ(output.code, kFailed);
  EXPECT_THAT(output.err, HasSubstr("needs root; run it with sudo"));
  EXPECT_EQ(last_socket_, "");
}

TEST_F(CliTest, DebugRefusesAPodThatIsNotThere) {
  const Printed typo = run({"debug", "catalogeu-7"});
  EXPECT_EQ(typo.code, kNotFound);
  EXPECT_EQ(typo.err,
            "subito: find pod catalogeu-7: no such pod lives; did you mean 'catalogue-7'?; pods: "
            "catalogue-7, catalogue-8\n");
  const Printed gone = run({"debug", "catalogue-3"});
  EXPECT_EQ(gone.code, kNotFound);
  EXPECT_THAT(gone.err,
              HasSubstr("no such pod lives; pods of catalogue: catalogue-7, catalogue-8"));
  EXPECT_THAT(run({"debug", "catalogue"}).err, HasSubstr("it is a function; pods of catalogue: "));
  EXPECT_THAT(run({"debug", "stock"}).err,
              HasSubstr("it is a function; stock has no pod: wake it with `subito invoke stock`"));
  plane_.pods.clear();
  EXPECT_THAT(run({"debug", "nothing-1"}).err, HasSubstr("no function has one now"));
  EXPECT_FALSE(entered_);
}

TEST_F(CliTest, DebugRefusesAPodWhoseProcessIsNotKnownYet) {
  const Printed output = run({"debug", "catalogue-8"});
  EXPECT_EQ(output.code, kFailed);
  EXPECT_THAT(output.err, HasSubstr("it is starting; try again"));
}

TEST_F(CliTest, DebugTellsWhyItCouldNotEnter) {
  plane_.pods[0].host_pid = 4321;
  visit_ = Error{ErrorCode::kFailedPrecondition, "debug catalogue-7: it has just ended", 0};
  const Printed output = run({"debug", "catalogue-7"});
  EXPECT_EQ(output.code, kFailed);
  EXPECT_EQ(output.err, "subito: debug catalogue-7: it has just ended\n");
}

// A node's API socket, on which this process listens.
class EnterPodTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const std::string path = folder_ + "/api.sock";
    ASSERT_LT(path.copy(address.sun_path, sizeof address.sun_path - 1), sizeof address.sun_path);
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener_.get(), 1), 0);
    entry_ = {"echo-1", ::getpid(), ::getpid(), path, {"true"}};
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_ = testing::TempDir() + "subito-enter-XXXXXX";
  UniqueFd listener_;
  PodEntry entry_;
};

TEST_F(EnterPodTest, RefusesTheNodeOfAnotherMachineOrPidNamespace) {
  entry_.node_pid = ::getpid() + 1;  // as it calls itself there
  const auto visit = enter_pod(entry_);
  ASSERT_FALSE(visit);
  EXPECT_EQ(visit.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(visit.error().message, HasSubstr("its node runs on another machine"));
}

TEST_F(EnterPodTest, RefusesAProcessThatIsNoPodOfTheNode) {
  const auto visit = enter_pod(entry_);
  ASSERT_FALSE(visit);
  EXPECT_EQ(visit.error().message, "debug echo-1: it has just ended");
}

TEST_F(EnterPodTest, TellsThatNoNodeListens) {
  entry_.socket_path = folder_ + "/other.sock";
  EXPECT_THAT(enter_pod(entry_).error().message, HasSubstr("other.sock: No such file"));
}

}  // namespace
}  // namespace subito::cli
