#include "runtime/bindings/redis_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/bindings/test_support.h"

namespace subito::bindings {
namespace {

using State = RedisServer::State;

UniqueFd pidfd_of(pid_t pid) {
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

bool ends_within_10_s(const UniqueFd& pidfd) {
  pollfd watch{pidfd.get(), POLLIN, 0};
  return poll(&watch, 1, 10'000) == 1;
}

class RedisServerTest : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_REDIS(); }

  std::unique_ptr<RedisServer> make(RedisServerConfig config) {
    return std::make_unique<RedisServer>(
        loop_, dialer_, std::move(config),
        [this](State, const std::string& reason) { reasons_.push_back(reason); });
  }
  std::unique_ptr<RedisServer> make() { return make({folder_.path() + "/redis"}); }

  Status start(RedisServer& server) {
    std::optional<Status> outcome;
    RETURN_IF_ERROR(server.start([&](Status status) { outcome = std::move(status); }));
    run_until(loop_, [&] { return outcome.has_value(); });
    return outcome.value_or(fail(ErrorCode::kInternal, "no outcome"));
  }

  void stop(RedisServer& server) {
    bool stopped = false;
    server.stop([&] { stopped = true; });
    run_until(loop_, [&] { return stopped; });
  }

  std::string ask_as_node(RedisServer& server, RedisCommand command) {
    std::optional<Result<UniqueFd>> fd;
    dialer_.dial({"redis", server.endpoint().endpoint}, kDialTimeout,
                 [&](Result<UniqueFd> got) { fd.emplace(std::move(got)); });
    run_until(loop_, [&] { return fd.has_value(); });
    if (!fd->has_value()) return fd->error().message;
    const RedisEndpoint redis = server.endpoint();
    EXPECT_EQ(ask(loop_, (*fd)->get(), {"AUTH", redis.user, redis.password}), "OK");
    return ask(loop_, (*fd)->get(), std::move(command));
  }

  TempFolder folder_;
  Loop loop_;
  Dialer dialer_{loop_};
  std::vector<std::string> reasons_;
};

TEST_F(RedisServerTest, AnswersOnAPrivateSocketAndIsGoneAfterStop) {
  const auto server = make();
  ASSERT_TRUE(start(*server).has_value());
  EXPECT_EQ(server->state(), State::kReady);
  EXPECT_EQ(ask_as_node(*server, {"PING"}), "PONG");
  struct stat info {};
  ASSERT_EQ(stat(server->endpoint().endpoint.unix_path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);

  const UniqueFd process = pidfd_of(server->pid());
  stop(*server);
  EXPECT_EQ(server->state(), State::kStopped);
  EXPECT_TRUE(ends_within_10_s(process));
}

TEST_F(RedisServerTest, LetsNobodyInWithoutThePasswordAndWritesItNowhere) {
  const auto server = make();
  ASSERT_TRUE(start(*server).has_value());
  std::optional<Result<UniqueFd>> fd;
  dialer_.dial({"redis", server->endpoint().endpoint}, kDialTimeout,
               [&](Result<UniqueFd> got) { fd.emplace(std::move(got)); });
  run_until(loop_, [&] { return fd.has_value(); });
  ASSERT_TRUE(fd->has_value());
  EXPECT_EQ(ask(loop_, (*fd)->get(), {"GET", "a"}).find("NOAUTH"), 0u);
  EXPECT_EQ(ask(loop_, (*fd)->get(), {"AUTH", "default", ""}).find("WRONGPASS"), 0u);

  const std::string find = "grep -rqs -- " + server->endpoint().password + " " + folder_.path() +
                           " /proc/" + std::to_string(server->pid()) + "/cmdline /proc/" +
                           std::to_string(server->pid()) + "/environ";
  EXPECT_EQ(WEXITSTATUS(std::system(find.c_str())), 1) << "the password lies about";
}

TEST_F(RedisServerTest, ComesBackWithItsDataWhenItIsKilled) {
  const auto server = make();
  ASSERT_TRUE(start(*server).has_value());
  ASSERT_EQ(ask_as_node(*server, {"SET", "order", "1"}), "OK");
  const pid_t before = server->pid();
  ASSERT_EQ(kill(before, SIGKILL), 0);
  run_until(loop_, [&] { return server->state() == State::kBackingOff; });
  EXPECT_EQ(reasons_.back().find("killed by signal 9"), 0u) << reasons_.back();
  EXPECT_NE(ask_as_node(*server, {"PING"}).find("redis.sock: Connection refused"),
            std::string::npos);
  run_until(loop_, [&] { return server->state() == State::kReady; });
  EXPECT_NE(server->pid(), before);
  EXPECT_EQ(server->restarts(), 1u);
  EXPECT_EQ(ask_as_node(*server, {"GET", "order"}), "1");
}

// Redis writes what a script did as a transaction, and checks on loading who may run one.
TEST_F(RedisServerTest, KeepsWhatScriptsWroteWhenItIsKilled) {
  const auto server = make();
  ASSERT_TRUE(start(*server).has_value());
  const std::string script = "redis.call('SET', 'a', 1) redis.call('SET', 'b', 2) return 'done'";
  ASSERT_EQ(ask_as_node(*server, {"EVAL", script, "0"}), "done");
  ASSERT_EQ(kill(server->pid(), SIGKILL), 0);
  run_until(loop_, [&] { return server->state() == State::kBackingOff; });
  run_until(loop_, [&] { return server->state() == State::kReady; });
  EXPECT_EQ(ask_as_node(*server, {"GET", "b"}), "2");
}

TEST_F(RedisServerTest, KeepsItsDataOverStopAndStart) {
  const auto server = make({folder_.path() + "/redis", "redis-server", Fsync::kByKernel});
  ASSERT_TRUE(start(*server).has_value());
  ASSERT_EQ(ask_as_node(*server, {"SET", "order", "1"}), "OK");
  stop(*server);
  ASSERT_TRUE(start(*server).has_value());
  EXPECT_EQ(ask_as_node(*server, {"GET", "order"}), "1");
}

TEST_F(RedisServerTest, SaysWhyItDoesNotStart) {
  const auto missing = make({folder_.path() + "/redis", "no-such-redis-server"});
  const auto status = start(*missing);
  ASSERT_FALSE(status.has_value());
  EXPECT_NE(status.error().message.find("start"), std::string::npos);
  EXPECT_NE(status.error().message.find("no-such-redis-server"), std::string::npos)
      << status.error().message;
  EXPECT_NE(status.error().message.find("; install redis-server, or say where one is"),
            std::string::npos)
      << status.error().message;
}

TEST_F(RedisServerTest, PassesItsLastWordsOnWhenItDiesAtStart) {
  const auto server = make();
  ASSERT_TRUE(start(*server).has_value());
  ASSERT_EQ(ask_as_node(*server, {"SET", "order", "1"}), "OK");
  stop(*server);
  std::ofstream(folder_.path() + "/redis/appendonlydir/appendonly.aof.manifest") << "nonsense\n";
  const auto status = start(*server);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().message.find("start redis-server: exited with status 1: "), 0u)
      << status.error().message;
  stop(*server);
  EXPECT_EQ(server->state(), State::kStopped);
}

TEST_F(RedisServerTest, RefusesAFolderThatAnotherNodeUsesOrThatIsTooDeep) {
  const auto one = make();
  ASSERT_TRUE(start(*one).has_value());
  const auto two = make();
  EXPECT_EQ(start(*two).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(ask_as_node(*one, {"PING"}), "PONG");
  const auto deep = make({folder_.path() + "/" + std::string(100, 'a')});
  EXPECT_EQ(start(*deep).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(RedisServerTest, EndsTheOneThatADeadNodeLeft) {
  const std::string redis = folder_.path() + "/redis";
  ASSERT_EQ(mkdir(redis.c_str(), 0700), 0);
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  const std::string configuration =
      "port 0\nunixsocket " + redis + "/redis.sock\ndir " + redis + "\n";
  auto stale = ChildProcess::spawn({"redis-server", "-"}, configuration, null);
  ASSERT_TRUE(stale.has_value());
  const auto ticks = process_start_ticks(stale->pid());
  ASSERT_TRUE(ticks.has_value());
  std::ofstream(redis + "/redis.pid") << stale->pid() << ' ' << *ticks << '\n';

  const auto server = make();
  ASSERT_TRUE(start(*server).has_value());
  pollfd watch{stale->pidfd(), POLLIN, 0};
  EXPECT_EQ(poll(&watch, 1, 0), 1) << "it still runs beside the new one";
}

TEST_F(RedisServerTest, LeavesAStrangerWithTheSamePidAlone) {
  const std::string redis = folder_.path() + "/redis";
  mkdir(redis.c_str(), 0700);
  const auto ticks = process_start_ticks(getpid());
  ASSERT_TRUE(ticks.has_value());
  std::ofstream(redis + "/redis.pid") << getpid() << ' ' << *ticks + 1 << '\n';
  const auto server = make();
  EXPECT_TRUE(start(*server).has_value());  // and we are still here
}

// Both lines of defence: the destructor, and the death signal when there is no destructor.
TEST_F(RedisServerTest, DoesNotOutliveItsOwner) {
  auto server = make();
  ASSERT_TRUE(start(*server).has_value());
  const UniqueFd process = pidfd_of(server->pid());
  server.reset();
  EXPECT_TRUE(ends_within_10_s(process));
}

TEST_F(RedisServerTest, DoesNotOutliveANodeThatIsKilled) {
  if (access("/usr/bin/setpriv", X_OK) != 0) GTEST_SKIP() << "setpriv is not installed";
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  const pid_t node = fork();
  ASSERT_GE(node, 0);
  if (node == 0) {
    Loop loop;
    Dialer dialer(loop);
    RedisServer server(loop, dialer, {folder_.path() + "/redis"}, nullptr);
    (void)server.start([&](Status) {
      const pid_t pid = server.pid();
      if (write(writer.get(), &pid, sizeof pid) < 0) _exit(1);
    });
    loop.run();
    _exit(0);
  }
  pid_t redis = 0;
  ASSERT_EQ(read(reader.get(), &redis, sizeof redis), static_cast<ssize_t>(sizeof redis));
  const UniqueFd process = pidfd_of(redis);
  ASSERT_TRUE(process.valid());
  kill(node, SIGKILL);
  waitpid(node, nullptr, 0);
  EXPECT_TRUE(ends_within_10_s(process));
}

}  // namespace
}  // namespace subito::bindings
