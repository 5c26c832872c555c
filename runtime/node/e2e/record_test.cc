// A recorded life of a node is decided again to the letter by `subito simulate --replay`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class RecordTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
  }
  void TearDown() override { std::filesystem::remove(file_); }
  const std::string file_ = testing::TempDir() + "record-test-recording";
};

TEST_F(RecordTest, ARecordedNodeReplaysToTheIdenticalDecisions) {
  LiveNode node({"--record", file_});
  node.start();
  node.deploy("echo", "echo", "scaling: {idle: 300ms, max: 3}");
  node.deploy("other", "echo");
  HttpClient client = node.client();
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(client.get(i % 3 == 0 ? "/function/other" : "/function/echo").status, 200);
  }
  EXPECT_EQ(node.stop(), 0);

  const Ran same = run_program({subito_binary(), "simulate", "--replay", file_});
  EXPECT_EQ(same.exit_code, 0) << same.out << same.err;
  EXPECT_THAT(same.out, StartsWith("identical: "));

  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) - 3);
  const Ran broken = run_program({subito_binary(), "simulate", "--replay", file_});
  EXPECT_EQ(broken.exit_code, 5);
  EXPECT_THAT(broken.err, HasSubstr("the file ends within a record"));
}

}  // namespace
}  // namespace subito::e2e
