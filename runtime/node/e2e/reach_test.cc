// What a function can reach: other functions, TCP and Unix sockets of its bindings, Redis.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Echoes what each client sends until it shuts its end, with the number of the connection in front.
class UnixEcho {
 public:
  explicit UnixEcho(std::string path) : path_(std::move(path)) { open(); }
  ~UnixEcho() { close(); }

  void open() {
    fd_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(fd_.get(), 16), 0);
    thread_ = std::thread([this] { serve(); });
  }
  void close() {
    if (!fd_.valid()) return;
    ::shutdown(fd_.get(), SHUT_RDWR);
    thread_.join();
    fd_.reset();
    ::unlink(path_.c_str());
  }

 private:
  void serve() {
    for (;;) {
      const UniqueFd client(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client.valid()) return;
      std::string all = std::to_string(++connections_) + ":";
      char bytes[4096];
      for (ssize_t n = 0; (n = ::read(client.get(), bytes, sizeof bytes)) > 0;) {
        all.append(bytes, static_cast<std::size_t>(n));
      }
      (void)::send(client.get(), all.data(), all.size(), MSG_NOSIGNAL);
    }
  }

  std::string path_;
  UniqueFd fd_;
  int connections_ = 0;
  std::thread thread_;
};

// A report of an exception comes when its backtrace has names: a little later than the answer.
bool logs_say(LiveNode& node, const std::string& function, const std::string& words) {
  return eventually([&] { return node.logs(function).find(words) != std::string::npos; });
}

class ReachTest : public NodeTest {
 protected:
  pid_t redis() const {
    for (const pid_t pid : children_of(node.pid())) {
      if (executable_of(pid).find("redis") != std::string::npos) return pid;
    }
    return -1;
  }
};

TEST_F(ReachTest, CallsTheFunctionsOfItsSpecAndNoOther) {
  node.deploy("echo", "echo");
  node.deploy("secret", "echo");
  node.deploy("probe", "probe", "calls: [echo, nobody]");
  HttpClient client = node.client();
  const HttpResponse called = client.request("POST", "/function/probe/call/echo/any?x=1", "through",
                                             {{"x-request-id", "chain-1"}});
  EXPECT_EQ(called.status, 200);
  EXPECT_EQ(called.body, "through");
  EXPECT_THAT(client
                  .request("GET", "/function/probe/call/echo/any?describe", {},
                           {{"x-request-id", "chain-2"}})
                  .body,
              HasSubstr("request chain-2"));
  const HttpResponse forbidden = client.get("/function/probe/call/secret/any");
  EXPECT_EQ(forbidden.status, 502);
  EXPECT_THAT(forbidden.body, HasSubstr("forbidden"));
  EXPECT_THAT(client.get("/function/probe/call/nobody/any").body, HasSubstr("not-found"));
  EXPECT_EQ(client.get("/function/probe/call/echo/status/404").status, 404);
  const std::string big(200 << 10, 'b');
  EXPECT_TRUE(client.post("/function/probe/call/echo/any", big).body == big);
}

TEST_F(ReachTest, CallsSeveralAtOnceAndCancelsTheOneItDrops) {
  node.deploy("slow", "echo", "timeout: 10m\nscaling: {max: 1}");
  node.deploy("quick", "echo");
  node.deploy("probe", "probe", "calls: [slow, quick]\ntimeout: 10m");
  // Nobody waits for `slow`: one after the other this would take an hour.
  const HttpResponse answer = node.client().post("/function/probe/calls",
                                                 "start slow GET /?sleep_ms=3600000 0\n"
                                                 "start quick GET /status/201 0\n"
                                                 "start quick POST / 300000\n"
                                                 "get 2\nwait 1 0\ndrop 1\nget 3\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "2 201 \n1 not yet\n3 200 " + std::string(300'000, 'x') + "\n");
  // Its pod, the only one there may be, has let go of it.
  EXPECT_EQ(node.client().get("/function/slow/status/204").status, 204);
}

TEST_F(ReachTest, RefusesACycleOfCallsByName) {
  node.deploy("probe", "probe", "calls: [other]");
  node.deploy("other", "probe", "calls: [probe]");
  const HttpResponse answer =
      node.client().get("/function/probe/call/other/call/probe/setting/none");
  EXPECT_EQ(answer.status, 502) << answer.error;
  EXPECT_THAT(answer.body,
              AllOf(HasSubstr("call-cycle"), HasSubstr("probe > other > probe goes round")));
}

TEST_F(ReachTest, RefusesCallsThatGoTooDeep) {
  constexpr int kFunctions = 18;  // so that the last call is the 17th
  std::string path = "/function/f0";
  for (int i = 0; i < kFunctions; ++i) {
    const std::string next = "f" + std::to_string(i + 1);
    node.deploy("f" + std::to_string(i), "probe", "calls: [" + next + "]");
    path += "/call/" + next;
  }
  const HttpResponse answer = node.client().get(path + "/setting/none");
  EXPECT_EQ(answer.status, 502) << answer.error;
  EXPECT_THAT(answer.body, HasSubstr("call-too-deep"));
}

TEST_F(ReachTest, CancelsWhatAFunctionCalledWhenTheFirstDeadlinePasses) {
  node.deploy("echo", "echo", "timeout: 5m");
  node.deploy("probe", "probe", "calls: [echo]\ntimeout: 500ms");
  EXPECT_EQ(node.client().get("/function/probe/call/echo/any?sleep_ms=200000").status, 504);
  EXPECT_TRUE(eventually([&] {
    for (const Json& pod : node.pod_list()) {
      if (pod.at("state") == "busy") return false;
    }
    return true;
  }));
}

TEST_F(ReachTest, GetsANewConnectionEachTimeAndAClearErrorWhileTheFarEndIsAway) {
  const std::string path = node.data() + "/../echo.sock";
  UnixEcho echo(path);
  node.deploy("probe", "probe",
              "bindings:\n- {name: far, tcp: {address: \"unix:" + path + "\"}}\n" +
                  "- {name: closed, tcp: {address: \"127.0.0.1:1\"}}");
  HttpClient client = node.client();
  EXPECT_EQ(client.post("/function/probe/connect/far", "hi").body, "1:hi");
  EXPECT_EQ(client.post("/function/probe/connect/far", "hi").body, "2:hi");
  echo.close();
  HttpResponse away = client.post("/function/probe/connect/far", "hi");
  EXPECT_GE(away.status, 500) << away.body;
  EXPECT_TRUE(logs_say(node, "probe", "far"));
  EXPECT_GE(client.post("/function/probe/connect/closed", "hi").status, 500);
  EXPECT_TRUE(logs_say(node, "probe", "refused"));
  EXPECT_GE(client.post("/function/probe/connect/unnamed", "hi").status, 500);
  EXPECT_TRUE(logs_say(node, "probe",
                       "use tcp binding unnamed: list it under spec.bindings in its manifest; "
                       "it has far (tcp), closed (tcp)"));
  echo.open();
  EXPECT_EQ(client.post("/function/probe/connect/far", "hi").body, "3:hi");
}

TEST_F(ReachTest, KeepsFunctionsApartInRedis) {
  const std::string binding = "bindings:\n- {name: store, redis: {}}";
  node.deploy("one", "probe", binding);
  node.deploy("two", "probe", binding);
  HttpClient client = node.client();
  EXPECT_EQ(client.request("PUT", "/function/one/redis/store/k", "mine").status, 204);
  EXPECT_EQ(client.get("/function/one/redis/store/k").body, "mine");
  EXPECT_EQ(client.get("/function/two/redis/store/k").status, 404);
  EXPECT_EQ(client.get("/function/one/raw/store/one:k").body, "mine");
  EXPECT_GE(client.get("/function/two/raw/store/one:k").status, 500);
  EXPECT_TRUE(logs_say(node, "two", "NOPERM"));
}

TEST_F(ReachTest, FindsItsDataAgainAfterRedisWasKilledAndAfterTheNodeWas) {
  node.deploy("one", "probe", "bindings:\n- {name: store, redis: {}}");
  ASSERT_EQ(node.client().request("PUT", "/function/one/redis/store/k", "kept").status, 204);
  const pid_t before = redis();
  ASSERT_GT(before, 0);
  ::kill(before, SIGKILL);
  const auto read = [&] { return node.client().get("/function/one/redis/store/k"); };
  EXPECT_TRUE(eventually([&] { return read().body == "kept"; })) << read().body;
  EXPECT_NE(redis(), before);
  node.kill();
  node.start();
  EXPECT_TRUE(eventually([&] { return read().body == "kept"; })) << read().body;
}

// A Redis that is not the node's own.
class OuterRedis {
 public:
  explicit OuterRedis(std::vector<std::string> options = {}) {
    char folder[] = "/tmp/e2e-redis-XXXXXX";
    EXPECT_NE(::mkdtemp(folder), nullptr);
    folder_ = folder;
    std::vector<std::string> arguments = {"/usr/bin/redis-server", "--port", "0", "--unixsocket",
                                          path()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    process_ = Child(arguments, "/dev/null", "/dev/null");
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(path()); }));
  }
  ~OuterRedis() {
    process_ = Child();
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return folder_ + "/redis.sock"; }

 private:
  std::string folder_;
  Child process_;
};

TEST(OuterRedisTest, IsRefusedWithReasonAndRemedyWhenItIsOpenToAll) {
  if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
  std::optional<OuterRedis> redis(std::in_place);
  LiveNode node({"--redis", "unix:" + redis->path()});
  node.start();
  node.deploy("one", "probe", "bindings:\n- {name: store, redis: {}}");
  EXPECT_GE(node.client().get("/function/one/redis/store/k").status, 500);
  EXPECT_TRUE(logs_say(node, "one", "its default user needs no password"));
  EXPECT_TRUE(logs_say(node, "one", "set one (requirepass)"));
  redis.reset();
}

TEST(OuterRedisTest, ServesAFunctionUntilItIsDeletedAndKnowsItsPasswordNoLonger) {
  if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
  std::optional<OuterRedis> redis(std::in_place, std::vector<std::string>{"--requirepass", "x"});
  LiveNode node({"--redis", "default:x@unix:" + redis->path()});
  node.start();
  const auto users = [&] {
    return run_program({"/usr/bin/redis-cli", "-s", redis->path(), "-a", "x", "ACL", "LIST"}).out;
  };
  const auto use = [&] {
    node.deploy("one", "probe", "bindings:\n- {name: store, redis: {}}");
    EXPECT_EQ(node.client().request("PUT", "/function/one/redis/store/k", "v").status, 204);
  };
  use();
  const std::string before = users();
  EXPECT_THAT(before, HasSubstr("subito-fn-one-"));
  ASSERT_EQ(node.cli({"delete", "one"}).exit_code, 0);
  use();
  EXPECT_NE(users(), before);
  redis.reset();
}

}  // namespace
}  // namespace subito::e2e
