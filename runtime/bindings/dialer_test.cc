#include "runtime/bindings/dialer.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/un.h>

#include <array>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/bindings/test_support.h"

namespace subito::bindings {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

UniqueFd listen_unix(const std::string& path, int backlog) {
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(fd.get(), backlog), 0);
  return fd;
}

// All threads of libuv's pool, until it ends: what is asked of them meanwhile, such as a name,
// waits.
class BusyThreads {
 public:
  explicit BusyThreads(Loop& loop) {
    const std::shared_future<void> end = end_.get_future().share();
    for (auto& one : busy_)
      one = std::make_unique<Background>(
          loop, [end] { end.wait(); }, [] {});
  }
  ~BusyThreads() { end_.set_value(); }

 private:
  std::promise<void> end_;
  std::array<std::unique_ptr<Background>, 4> busy_;  // as many as libuv has
};

class DialerTest : public testing::Test {
 protected:
  static Endpoint tcp(std::string host, std::uint16_t port) { return {std::move(host), port, ""}; }
  static Endpoint unix_socket(std::string path) { return {"", 0, std::move(path)}; }

  Result<UniqueFd> dial(Endpoint endpoint, Duration timeout = kDialTimeout) {
    std::optional<Result<UniqueFd>> outcome;
    dialer_.dial({"cache", std::move(endpoint)}, timeout,
                 [&](Result<UniqueFd> fd) { outcome.emplace(std::move(fd)); });
    EXPECT_FALSE(outcome.has_value()) << "called back inside dial()";
    run_until(loop_, [&] { return outcome.has_value(); });
    if (!outcome) return fail(ErrorCode::kInternal, "no outcome");
    return *std::move(outcome);
  }

  Loop loop_;
  Dialer dialer_{loop_};
};

TEST_F(DialerTest, HandsOverABlockingConnectedSocketThatIsClosedOnExec) {
  const TcpListener listener;
  const auto fd = dial(tcp("127.0.0.1", listener.port));
  ASSERT_TRUE(fd.has_value()) << fd.error().message;
  EXPECT_EQ(fcntl(fd->get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, 0);
  const UniqueFd server(accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_EQ(write(server.get(), "x", 1), 1);
  char got = 0;
  EXPECT_EQ(read(fd->get(), &got, 1), 1);
  EXPECT_EQ(dialer_.in_flight(), 0u);
}

TEST_F(DialerTest, AConnectionThatWasResetCannotBeConnectedAnew) {
  const TcpListener listener;
  const auto fd = dial(tcp("127.0.0.1", listener.port));
  ASSERT_TRUE(fd.has_value());
  {
    const UniqueFd server(accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const linger reset = {1, 0};
    ASSERT_EQ(setsockopt(server.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(listener.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 3; ++i) {
    EXPECT_LT(sendto(fd->get(), "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
                     reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
  }
}

TEST_F(DialerTest, EveryDialIsAConnectionOfItsOwn) {
  const TcpListener listener;
  const auto one = dial(tcp("127.0.0.1", listener.port));
  const auto two = dial(tcp("127.0.0.1", listener.port));
  ASSERT_TRUE(one.has_value() && two.has_value());
  EXPECT_NE(one->get(), two->get());
}

TEST_F(DialerTest, ResolvesNamesAndTriesAllTheirAddresses) {
  const TcpListener listener;  // on IPv4 alone: where localhost is ::1 too, that one refuses
  const auto fd = dial(tcp("localhost", listener.port));
  EXPECT_TRUE(fd.has_value()) << fd.error().message;
}

// Listens where localhost leads first, with its backlog full, and where it leads second.
TEST_F(DialerTest, ASilentFirstAddressLeavesTimeForTheSecond) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  ASSERT_EQ(getaddrinfo("localhost", nullptr, &hints, &found), 0);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, freeaddrinfo);
  if (found->ai_next == nullptr) GTEST_SKIP() << "localhost has one address here";
  const TcpListener v4(found->ai_family == AF_INET ? 0 : 16);
  const UniqueFd v6(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  address.sin6_port = htons(v4.port);
  ASSERT_EQ(bind(v6.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(v6.get(), found->ai_family == AF_INET6 ? 0 : 16), 0);
  const Endpoint first = tcp(found->ai_family == AF_INET ? "127.0.0.1" : "::1", v4.port);
  std::vector<Result<UniqueFd>> held;
  for (int i = 0; i < 3; ++i) held.push_back(dial(first, milliseconds(30)));
  ASSERT_FALSE(held.back().has_value());
  const auto fd = dial(tcp("localhost", v4.port), milliseconds(400));
  EXPECT_TRUE(fd.has_value()) << fd.error().message;
}

TEST_F(DialerTest, SaysWhichNameIsNotKnown) {
  const auto fd = dial(tcp("no-such-name.invalid", 80));
  ASSERT_FALSE(fd.has_value());
  EXPECT_EQ(fd.error().message.find("connect cache at no-such-name.invalid:80: "), 0u)
      << fd.error().message;
}

TEST_F(DialerTest, NamesBindingAddressAndReasonWhenNobodyIsThere) {
  std::uint16_t port = 0;
  {
    const TcpListener gone;
    port = gone.port;
  }
  const auto fd = dial(tcp("127.0.0.1", port));
  ASSERT_FALSE(fd.has_value());
  EXPECT_EQ(fd.error().message,
            "connect cache at 127.0.0.1:" + std::to_string(port) + ": Connection refused");
  EXPECT_EQ(fd.error().code, ErrorCode::kUnavailable);
}

TEST_F(DialerTest, GivesUpAtItsDeadlineWhenTheFarEndIsSilent) {
  const TcpListener listener(0);
  // One connection fills the backlog of 0; the kernel drops what comes after (listen(2)).
  std::vector<Result<UniqueFd>> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(dial(tcp("127.0.0.1", listener.port), milliseconds(30)));
  }
  ASSERT_FALSE(held.back().has_value());
  EXPECT_EQ(held.back().error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(
      held.back().error().message,
      "connect cache at 127.0.0.1:" + std::to_string(listener.port) + ": no answer within 30 ms");
}

TEST_F(DialerTest, ConnectsToUnixSocketsAndRecoversByItself) {
  const TempFolder folder;
  const std::string path = folder.path() + "/a.sock";
  const auto early = dial(unix_socket(path));
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().message, "connect cache at unix:" + path + ": No such file or directory");
  EXPECT_EQ(early.error().code, ErrorCode::kUnavailable);

  const UniqueFd listener = listen_unix(path, 4);
  EXPECT_TRUE(dial(unix_socket(path)).has_value());
}

TEST_F(DialerTest, WaitsForAUnixListenerThatIsBehind) {
  const TempFolder folder;
  const std::string path = folder.path() + "/a.sock";
  const UniqueFd listener = listen_unix(path, 0);
  const auto first = dial(unix_socket(path));  // fills the backlog
  ASSERT_TRUE(first.has_value());
  std::optional<Result<UniqueFd>> second;
  dialer_.dial({"cache", unix_socket(path)}, seconds(10),
               [&](Result<UniqueFd> fd) { second.emplace(std::move(fd)); });
  loop_.turn(true);
  EXPECT_FALSE(second.has_value());
  const UniqueFd accepted(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  run_until(loop_, [&] { return second.has_value(); });
  EXPECT_TRUE(second->has_value());
}

TEST_F(DialerTest, ACancelledDialNeverCallsBack) {
  const TcpListener listener;
  bool called = false;
  std::optional<BusyThreads> resolving(loop_);
  const DialId numeric = dialer_.dial({"cache", tcp("127.0.0.1", listener.port)}, kDialTimeout,
                                      [&](Result<UniqueFd>) { called = true; });
  const DialId named = dialer_.dial({"cache", tcp("localhost", listener.port)}, kDialTimeout,
                                    [&](Result<UniqueFd>) { called = true; });
  dialer_.cancel(numeric);
  EXPECT_EQ(dialer_.in_flight(), 1u);
  loop_.turn(false);  // hands the name to libuv's threads
  dialer_.cancel(named);
  dialer_.cancel(named);
  EXPECT_EQ(dialer_.in_flight(), 0u);
  resolving.reset();
  const auto later = dial(tcp("localhost", listener.port));
  EXPECT_TRUE(later.has_value());
  EXPECT_FALSE(called);
}

TEST(DialerLimitTest, RefusesAtOnceBeyondItsLimit) {
  Loop loop;
  Dialer dialer(loop, 2);
  const TcpListener listener;
  int connected = 0;
  std::vector<Error> errors;
  for (int i = 0; i < 3; ++i) {
    dialer.dial({"cache", {"127.0.0.1", listener.port, ""}}, kDialTimeout,
                [&](Result<UniqueFd> fd) {
                  if (fd) {
                    ++connected;
                  } else {
                    errors.push_back(fd.error());
                  }
                });
  }
  run_until(loop, [&] { return connected + static_cast<int>(errors.size()) == 3; });
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors.front().code, ErrorCode::kResourceExhausted);
}

// A far end whose backlog of 0 is full: the kernel drops what comes (listen(2)).
class SilentListener {
 public:
  SilentListener() : listener_(0) {
    for (UniqueFd& filler : fillers_) {
      filler.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(listener_.port);
      connect(filler.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
  }
  Endpoint endpoint() const { return {"127.0.0.1", listener_.port, ""}; }

 private:
  TcpListener listener_;
  std::array<UniqueFd, 3> fillers_;
};

class DialerOwnerTest : public testing::Test {
 protected:
  static constexpr std::size_t kMax = kDialsPerOwnerMax;

  DialId dial(const Endpoint& to, const std::string& owner, Duration timeout = seconds(10)) {
    return dialer_.dial({"cache", to, owner}, timeout,
                        [&](Result<UniqueFd> fd) { outcomes_.push_back(std::move(fd)); });
  }

  Loop loop_;
  Dialer dialer_{loop_};
  SilentListener silent_;
  TcpListener open_{128};
  const Endpoint good_{"127.0.0.1", open_.port, ""};
  std::vector<Result<UniqueFd>> outcomes_;
};

TEST_F(DialerOwnerTest, OneWhoseFarEndIsSilentHoldsUpNobodyElse) {
  for (std::size_t i = 0; i < 2 * kDialsMax; ++i) dial(silent_.endpoint(), "stuck");
  dial(good_, "other");
  run_until(loop_, [&] { return !outcomes_.empty(); });
  EXPECT_TRUE(outcomes_.front().has_value()) << outcomes_.front().error().message;
  EXPECT_EQ(dialer_.in_flight(), 2 * kDialsMax);
}

TEST_F(DialerOwnerTest, MoreOfItsDialsWaitInLine) {
  std::vector<DialId> stuck;
  for (std::size_t i = 0; i < kMax; ++i) stuck.push_back(dial(silent_.endpoint(), "stock"));
  const DialId gone = dial(good_, "stock");
  dial(good_, "stock");
  dialer_.cancel(gone);
  for (int i = 0; i < 20; ++i) loop_.turn(false);
  EXPECT_TRUE(outcomes_.empty());
  dialer_.cancel(stuck.back());
  run_until(loop_, [&] { return !outcomes_.empty(); });
  EXPECT_TRUE(outcomes_.front().has_value());
  EXPECT_EQ(dialer_.in_flight(), kMax - 1);
  for (std::size_t i = 0; i < 3 * kMax; ++i) dial(good_, "burst");
  run_until(loop_, [&] { return outcomes_.size() == 3 * kMax + 1; });
}

TEST_F(DialerOwnerTest, TheLineHasAnEndAndADeadline) {
  for (std::size_t i = 0; i < kMax; ++i) dial(silent_.endpoint(), "stock");
  dial(good_, "stock", milliseconds(1));
  run_until(loop_, [&] { return !outcomes_.empty(); });
  EXPECT_EQ(outcomes_.front().error().message,
            "connect cache at " + good_.text() + ": in line behind others of stock for 1 ms");
  for (std::size_t i = 0; i <= kWaitingPerOwnerMax; ++i) dial(good_, "stock");
  run_until(loop_, [&] { return outcomes_.size() == 2; });
  EXPECT_EQ(outcomes_.back().error().code, ErrorCode::kResourceExhausted);
}

TEST(DialerLifeTest, MayGoWithDialsInFlightAndFromInsideACallback) {
  Loop loop;
  const TempFolder folder;
  const std::string path = folder.path() + "/a.sock";
  const UniqueFd behind = listen_unix(path, 0);
  const TcpListener listener;
  auto dialer = std::make_unique<Dialer>(loop);
  bool forgotten_called = false;
  const auto forgotten = [&](Result<UniqueFd>) { forgotten_called = true; };
  Result<UniqueFd> filler = fail(ErrorCode::kInternal, "not connected");
  dialer->dial({"cache", {"", 0, path}}, seconds(10), [&](Result<UniqueFd> fd) {
    filler = std::move(fd);
    dialer->dial({"cache", {"", 0, path}}, seconds(10), forgotten);  // waits for the backlog
    dialer->dial({"cache", {"127.0.0.1", listener.port, ""}}, seconds(10),
                 [&](Result<UniqueFd>) { dialer.reset(); });
  });
  run_until(loop, [&] { return dialer == nullptr; });
  const UniqueFd accepted(accept4(behind.get(), nullptr, nullptr, SOCK_CLOEXEC));
  loop.turn(false);
  EXPECT_FALSE(forgotten_called);
}

}  // namespace
}  // namespace subito::bindings
