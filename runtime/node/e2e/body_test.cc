// Bodies of any size, both ways, in constant memory; and what HTTP asks of them.
#include <gmock/gmock.h>
#include <sys/socket.h>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kHugeBytes = 100 << 20;
// What a body may cost node and pod while it passes: windows and buffers, not the body.
constexpr std::uint64_t kGrowthBytesMax = 4 << 20;

class BodyTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    if (IsSkipped()) return;
    node.deploy("echo", "echo", "bodyMax: 1Gi\ntimeout: 5m\nscaling: {max: 1}");
    ASSERT_EQ(node.client().get("/function/echo").status, 200);
    ASSERT_EQ(node.pods().size(), 1U);
    for (const pid_t pid : {node.pid(), node.pods()[0]}) {
      reset_peak(pid);
      before_.emplace_back(pid, resident_bytes(pid));
    }
  }

  void expect_little_memory() const {
    if (!kMemoryTells) return;
    for (const auto& [pid, before] : before_) {
      EXPECT_LT(peak_bytes(pid), before + kGrowthBytesMax) << executable_of(pid);
    }
  }

  // Sends a huge body through /stream and compares what comes back.
  void expect_echo(const std::string& framing, bool chunked) const {
    HttpClient client(node.port(), seconds(120));
    HttpClient::Transfer transfer;
    transfer.head = "POST /function/echo/stream HTTP/1.1\r\nhost: n\r\n" + framing + "\r\n\r\n";
    transfer.upload_bytes = kHugeBytes;
    transfer.chunked = chunked;
    std::uint64_t got = 0;
    bool same = true;
    transfer.on_body = [&](std::string_view piece) {
      same = same && piece == HttpClient::piece_at(got, piece.size());
      got += piece.size();
    };
    const HttpResponse answer = client.transfer(transfer);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.error, "");
    EXPECT_EQ(got, kHugeBytes);
    EXPECT_TRUE(same) << "what came back is what was sent";
    expect_little_memory();
  }

 private:
  std::vector<std::pair<pid_t, std::uint64_t>> before_;
};

TEST_F(BodyTest, PassesAHugeBodyWithALengthUpAndDown) {
  expect_echo("content-length: " + std::to_string(kHugeBytes), false);
}

TEST_F(BodyTest, PassesAHugeChunkedBodyUpAndDown) {
  expect_echo("transfer-encoding: chunked", true);
}

TEST_F(BodyTest, HoldsAFunctionBackWhileItsClientReadsSlowly) {
  HttpClient client(node.port(), seconds(60));
  ASSERT_TRUE(
      client.write(request_bytes("GET", "/function/echo?bytes=" + std::to_string(kHugeBytes))));
  // The handler cannot have ended: 100 MB are in nobody's buffers.
  EXPECT_TRUE(eventually([&] { return node.pod_list()[0].at("state") == "busy"; }));
  for (int i = 0; i < 20; ++i) {
    (void)node.cli({"version"});
    expect_little_memory();
  }
  EXPECT_EQ(node.pod_list()[0].at("state"), "busy");
  std::uint64_t got = 0;
  HttpClient::Transfer rest;
  rest.on_body = [&](std::string_view piece) { got += piece.size(); };
  const HttpResponse answer = client.transfer(rest);
  EXPECT_EQ(answer.error, "");
  EXPECT_EQ(got, kHugeBytes);
  expect_little_memory();
}

TEST_F(BodyTest, HoldsAClientBackWhileTheFunctionDoesNotRead) {
  HttpClient client(node.port(), milliseconds(1500));
  HttpClient::Transfer transfer;
  transfer.head = "POST /function/echo/stream HTTP/1.1\r\nhost: n\r\ncontent-length: " +
                  std::to_string(kHugeBytes) + "\r\n\r\n";
  ASSERT_TRUE(client.write(transfer.head));
  // Nobody reads the answer, so /stream stops reading the request, and the kernel's buffers fill.
  EXPECT_FALSE(client.write(std::string(kHugeBytes, 'x')));
  expect_little_memory();
}

TEST_F(BodyTest, SaysContinueBeforeABodyAndNoToOneThatIsTooLarge) {
  node.deploy("small", "echo", "bodyMax: 1Ki");
  HttpClient client = node.client();
  ASSERT_TRUE(
      client.write("POST /function/echo HTTP/1.1\r\nhost: n\r\nexpect: 100-continue\r\n"
                   "content-length: 5\r\n\r\n"));
  char line[26] = {};
  ASSERT_TRUE(eventually([&] { return ::recv(client.fd(), line, 25, MSG_PEEK) == 25; }));
  EXPECT_STREQ(line, "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(client.write("hello"));
  EXPECT_EQ(client.read().body, "hello");

  HttpClient large = node.client();
  ASSERT_TRUE(
      large.write("POST /function/small HTTP/1.1\r\nhost: n\r\nexpect: 100-continue\r\n"
                  "content-length: 5000\r\n\r\n"));
  char status[13] = {};
  ASSERT_TRUE(eventually([&] { return ::recv(large.fd(), status, 12, MSG_PEEK) == 12; }));
  EXPECT_STREQ(status, "HTTP/1.1 413") << "and no word before it";
  EXPECT_EQ(large.read().status, 413);
  EXPECT_EQ(node.client().post("/function/small", std::string(5000, 'x')).status, 413);
  EXPECT_EQ(node.client().post("/function/small", std::string(1024, 'x')).status, 200);
}

TEST_F(BodyTest, AnswersHeadLikeGetWithoutABodyAndPipelinedRequestsInOrder) {
  HttpClient client = node.client();
  const HttpResponse head = client.request("HEAD", "/function/echo?bytes=1000");
  EXPECT_EQ(head.status, 200) << head.error;
  EXPECT_EQ(head.body, "");
  ASSERT_TRUE(client.connected());
  std::string many;
  for (int i = 0; i < 20; ++i) {
    many += request_bytes("POST", "/function/echo", "number " + std::to_string(i));
  }
  ASSERT_TRUE(client.write(many));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.read().body, "number " + std::to_string(i));
  ASSERT_TRUE(client.write("GET /function/echo HTTP/1.1\r\nhost: n\r\nconnection: close\r\n\r\n"));
  EXPECT_FALSE(client.read().kept);
}

TEST_F(BodyTest, RefusesWhatIsAmbiguous) {
  for (const char* framing :
       {"content-length: 5\r\ntransfer-encoding: chunked", "content-length: 5\r\ncontent-length: 6",
        "content-length: +5", "transfer-encoding: chunked, identity", "x : 5"}) {
    HttpClient client = node.client();
    ASSERT_TRUE(client.write("POST /function/echo HTTP/1.1\r\nhost: n\r\n" + std::string(framing) +
                             "\r\n\r\n0\r\n\r\n"));
    const HttpResponse answer = client.read();
    EXPECT_GE(answer.status, 400) << framing;
    EXPECT_LT(answer.status, 502) << framing;
    EXPECT_FALSE(answer.kept) << framing;
  }
}

}  // namespace
}  // namespace subito::e2e
