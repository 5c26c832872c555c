// Function binaries that serve HTTP by themselves, and that they answer as a pod does.
#include "runtime/sdk/listen.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/sdk/fake_node.h"
#include "runtime/sdk/listening_function.h"
#include "runtime/sdk/redis_fixture.h"

namespace subito::sdk {
namespace {

using testing::HasSubstr;

TEST(ListenTest, ServesOneRequestAfterTheOtherOnOneConnection) {
  const ListeningFunction echo("echo");
  auto connection = echo.connect();
  for (int i = 0; i < 50; ++i) {
    const auto answer = connection.ask("POST", "/", "body " + std::to_string(i));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "body " + std::to_string(i));
  }
}

TEST(ListenTest, AnswersPipelinedRequestsInTheirOrder) {
  const ListeningFunction echo("echo", {}, {"--concurrency", "4"});
  auto connection = echo.connect();
  connection.write("GET /?sleep_ms=30&describe=1 HTTP/1.1\r\nhost: a\r\n\r\n");
  connection.write("GET /status/201 HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_THAT(connection.read().body, HasSubstr("sleep_ms=30"));
  EXPECT_EQ(connection.read().status, 201);
}

TEST(ListenTest, TakesAndSendsChunkedBodiesOfAnySize) {
  const ListeningFunction echo("echo");
  auto connection = echo.connect();
  connection.write("POST /stream HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
  connection.write("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
  const auto answer = connection.read();
  EXPECT_EQ(answer.body, "hello world");
  EXPECT_EQ(connection.ask("GET", "/?bytes=20000000").body.size(), 20'000'000U);
  EXPECT_EQ(connection.ask("POST", "/", std::string(2 << 20, 'b')).body.size(), 2U << 20);
}

TEST(ListenTest, RunsHandlersAtOnce) {
  const ListeningFunction echo("echo", {}, {"--concurrency", "2"});
  auto slow = echo.connect();
  slow.write("POST /stream HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nsl");
  EXPECT_EQ(echo.connect().ask("POST", "/", "fast").body, "fast");
  EXPECT_EQ(slow.write("ow").read().body, "slow");
}

TEST(ListenTest, AnExceptionIs500AndTheServerLivesOn) {
  const ListeningFunction misbehave("misbehave");
  auto connection = misbehave.connect();
  const auto answer = connection.ask("GET", "/throw/standard");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.header("content-type"), "application/problem+json");
  EXPECT_EQ(connection.ask("GET", "/throw/http").status, 418);
}

TEST(ListenTest, AnAnswerThatBreaksOffEndsTheConnection) {
  const ListeningFunction misbehave("misbehave");
  const auto answer = misbehave.connect().ask("GET", "/throw/late");
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.complete);
}

TEST(ListenTest, ADeadlineIs504) {
  const ListeningFunction echo("echo", {}, {"--timeout", "1"});
  auto connection = echo.connect();
  connection.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n");
  EXPECT_EQ(connection.read().status, 504);
}

TEST(ListenTest, SigtermLetsWhatRunsFinishAndEndsWithZero) {
  ListeningFunction echo("echo", {}, {"--concurrency", "2"});
  auto idle = echo.connect();
  EXPECT_EQ(idle.ask("GET", "/status/204").status, 204);
  auto busy = echo.connect();
  busy.write("POST /stream HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\nhalf");
  EXPECT_EQ(echo.connect().ask("GET", "/status/204").status, 204);  // busy has been read by now
  echo.terminate();
  EXPECT_TRUE(idle.at_end());
  EXPECT_EQ(busy.write("done").read().body, "halfdone");
  EXPECT_EQ(echo.wait_exit(), 0);
}

TEST(ListenTest, ServesOnAUnixSocket) {
  const std::string path = testing::TempDir() + "/subito-echo.sock";
  ListeningFunction echo("echo", {}, {}, "unix:" + path);
  EXPECT_EQ(echo.url(), "unix:" + path);
  EXPECT_EQ(echo.connect().ask("POST", "/", "by file").body, "by file");
  echo.terminate();
  EXPECT_EQ(echo.wait_exit(), 0);
  EXPECT_NE(::access(path.c_str(), F_OK), 0);  // its file went with it
}

TEST(ListenTest, CallsOverHttpOnKeptConnections) {
  const ListeningFunction echo("echo");
  const ListeningFunction probe("probe", {"CALL_ECHO_HALL_URL=" + echo.url() + "/"});
  auto connection = probe.connect();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(connection.ask("POST", "/call/echo-hall/x", "hello").body, "hello");
  }
  const auto missing = connection.ask("GET", "/call/nobody/");
  EXPECT_EQ(missing.status, 502);
  EXPECT_THAT(missing.body, HasSubstr("\"type\":\"not-found\""));
}

TEST(ListenTest, ACallsAnswerMayStreamWhileItsRequestDoes) {
  const ListeningFunction echo("echo");
  const ListeningFunction probe("probe", {"CALL_ECHO_URL=" + echo.url()}, {"--timeout", "10"});
  const std::string large(12 << 20, 'L');  // more than the kernel keeps between the two
  const auto answer = probe.connect().ask("POST", "/call/echo/stream", large);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body.size(), large.size());
}

TEST(ListenTest, CallsOfOneFunctionShareAConnection) {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* name = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.get(), name, size), 0);
  ASSERT_EQ(::listen(listener.get(), 8), 0);
  ASSERT_EQ(::getsockname(listener.get(), name, &size), 0);
  const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  const ListeningFunction probe("probe", {"CALL_STOCK_URL=" + url});
  auto connection = probe.connect();
  UniqueFd callee;
  for (int i = 0; i < 5; ++i) {
    connection.write("GET /call/stock/ HTTP/1.1\r\nhost: a\r\n\r\n");
    if (!callee.valid()) callee.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::string request;
    char part[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = ::read(callee.get(), part, sizeof part);
      ASSERT_GT(count, 0);
      request.append(part, static_cast<std::size_t>(count));
    }
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
    ASSERT_EQ(::write(callee.get(), kAnswer.data(), kAnswer.size()),
              static_cast<ssize_t>(kAnswer.size()));
    EXPECT_EQ(connection.read().body, "hi");
  }
  pollfd another = {listener.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&another, 1, 0), 0) << "a second connection was made";
}

TEST(ListenTest, CallsAtOnceAreBothAskedBeforeOneAnswers) {
  const ListeningFunction echo("echo", {}, {"--concurrency", "1"});
  const ListeningFunction probe("probe", {"CALL_ECHO_URL=" + echo.url()});
  auto connection = probe.connect();
  // Sent in full at `start`: the first answers only when the second was, and is read after it.
  const auto answer =
      connection.ask("POST", "/calls",
                     "start echo GET /?sleep_ms=60 0\nstart echo GET /status/201 0\n"
                     "wait 1 1\nget 2\nwait 1 0\nget 1\n");
  EXPECT_EQ(answer.body, "1 not yet\n2 201 \n1 ready\n1 200 \n");
  // One that is dropped, here by the end of the handler, leaves its function free for others.
  EXPECT_EQ(connection.ask("POST", "/calls", "start echo GET /?sleep_ms=3600000 0\n").status, 200);
  EXPECT_EQ(connection.ask("GET", "/call/echo/status/202").status, 202);
}

TEST(ListenTest, OneCallThatFailsLeavesTheOther) {
  const ListeningFunction echo("echo");
  const ListeningFunction probe(
      "probe", {"CALL_ECHO_URL=" + echo.url(), "CALL_STOCK_URL=http://127.0.0.1:1"});
  const auto answer =
      probe.connect().ask("POST", "/calls",
                          "start stock GET / 0\nstart nobody GET / 0\nstart echo POST / 3\n"
                          "wait 1 0\nget 1\nget 2\nget 3\n");
  EXPECT_EQ(answer.body, "1 ready\n1 unavailable\n2 not-found\n3 200 xxx\n");
}

TEST(ListenTest, ACallToNobodyIsUnavailable) {
  const ListeningFunction probe("probe", {"CALL_STOCK_URL=http://127.0.0.1:1"});
  const auto answer = probe.connect().ask("GET", "/call/stock/");
  EXPECT_EQ(answer.status, 502);
  EXPECT_THAT(answer.body,
              HasSubstr("call stock: connect stock at 127.0.0.1:1: Connection refused"));
}

TEST(ListenTest, UsesRedisAndSettingsOfTheEnvironment) {
  const RedisFixture redis;
  if (!redis.available()) GTEST_SKIP() << "redis-server is not installed";
  const ListeningFunction probe("probe", {"REDIS_URL=unix:" + redis.path(), "SETTING_COLOUR=red"});
  auto connection = probe.connect();
  EXPECT_EQ(connection.ask("PUT", "/redis/store/key", "value").status, 204);
  EXPECT_EQ(connection.ask("GET", "/redis/store/key").body, "value");
  EXPECT_EQ(connection.ask("GET", "/raw/store/probe:key").body, "value");
  EXPECT_EQ(connection.ask("GET", "/setting/colour").body, "red");
  EXPECT_EQ(connection.ask("GET", "/setting/size").status, 404);
}

struct Question {
  std::string function;
  std::string method;
  std::string target;
  std::string body = {};
};

// One set of requests both ways: status, headers and body are the same.
std::string said_by_hand(const std::string& arguments, const std::string& environment = "") {
  const std::string command =
      environment + SUBITO_FUNCTIONS_DIR "/echo" + arguments + " 2>&1 </dev/null 3<&-; echo $?";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "cannot run it";
  std::string said;
  char piece[512];
  while (std::fgets(piece, sizeof piece, pipe) != nullptr) said += piece;
  ::pclose(pipe);
  return said;
}

TEST(ListenTest, StartedByHandItSaysWhatItIsAndHowToRunIt) {
  const std::string said = said_by_hand("");
  EXPECT_NE(said.find("echo: this is a Subito function: a node starts it as a pod"), said.npos)
      << said;
  EXPECT_NE(said.find("echo --listen 127.0.0.1:9000\n"), said.npos) << said;
  EXPECT_NE(said.find("echo --help"), said.npos) << said;
  EXPECT_EQ(said.substr(said.size() - 4), "\n64\n");
  EXPECT_NE(said_by_hand(" --name x").find("--listen ADDRESS is missing; see --help"), said.npos);
}

TEST(ListenTest, WarnsOfSettingsThatAreNotInCapitals) {
  EXPECT_EQ(said_by_hand(" --listen 9000", "env -i SETTING_GREETING=hi SETTING_my-colour=red "),
            "echo: warning: SETTING_my-colour is read by no setting; names are in capitals: "
            "SETTING_MY_COLOUR\necho: read address 9000: it is a port without a host; write "
            "127.0.0.1:9000\n1\n");
  EXPECT_THAT(said_by_hand(" --help"), HasSubstr("Names are in capitals"));
}

TEST(ListenTest, AnswersAsThePodDoes) {
  const std::vector<Question> questions = {{"echo", "GET", "/"},
                                           {"echo", "POST", "/some/path?x=%20y", "a body"},
                                           {"echo", "HEAD", "/", ""},
                                           {"echo", "PUT", "/stream", "streamed"},
                                           {"echo", "GET", "/?bytes=1000000"},
                                           {"echo", "GET", "/?bytes=nonsense"},
                                           {"echo", "GET", "/status/204"},
                                           {"echo", "GET", "/status/304"},
                                           {"echo", "DELETE", "/status/503"},
                                           {"echo", "GET", "/status/999"},
                                           {"echo", "OPTIONS", "/status/200"},
                                           {"probe", "GET", "/"},
                                           {"probe", "DELETE", "/setting/colour"},
                                           {"probe", "OPTIONS", "/setting/colour"},
                                           {"probe", "HEAD", "/setting/colour"},
                                           {"probe", "GET", "/setting/col%6Fur"},
                                           {"probe", "GET", "/redis/none/key"},
                                           {"misbehave", "GET", "/throw/standard"},
                                           {"misbehave", "GET", "/throw/number"},
                                           {"misbehave", "GET", "/throw/http"},
                                           {"misbehave", "GET", "/throw/cancelled"}};
  for (const auto& question : questions) {
    protocol::Config config;
    (*config.mutable_settings())["colour"] = "red";
    FakeNode node(question.function, config);
    const auto& pod = node.answer(node.invoke(question.method, question.target, question.body));
    const ListeningFunction server(question.function, {"SETTING_COLOUR=red"});
    const auto http = server.connect().ask(question.method, question.target, question.body);
    const std::string name = question.method + " " + question.function + question.target;
    EXPECT_TRUE(http.complete) << name;
    EXPECT_EQ(http.status, pod.status()) << name;
    EXPECT_EQ(http.body, pod.body) << name;
    http::Fields fields;
    for (const auto& field : pod.head->headers()) fields.emplace_back(field.name(), field.value());
    EXPECT_EQ(http.fields, fields) << name;
  }
}

}  // namespace
}  // namespace subito::sdk
