// Loads against a server of a few lines, in a thread of this test.
#include "bench/load.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "runtime/base/unique_fd.h"

namespace subito::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr std::chrono::minutes kLong{1};  // each load here ends before, by its requests_max

// Answers each request with the next of `answers`, an empty one by closing the connection.
class Server {
 public:
  explicit Server(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    address_ = {"", "127.0.0.1", ntohs(address.sin_port)};
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  const ServerAddress& address() const { return address_; }
  int accepted() const { return accepted_; }

 private:
  void serve() {
    std::vector<UniqueFd> connections;
    while (true) {
      std::vector<pollfd> waits = {{listener_.get(), POLLIN, 0}};
      for (const UniqueFd& connection : connections) waits.push_back({connection.get(), POLLIN, 0});
      ::poll(waits.data(), waits.size(), -1);
      for (std::size_t i = waits.size() - 1; i > 0; --i) {
        if (waits[i].revents != 0 && !answer(waits[i].fd)) {
          connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(i - 1));
        }
      }
      if (waits[0].revents == 0) continue;
      connections.emplace_back(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!connections.back().valid()) return;  // shut down
      ++accepted_;
    }
  }
  bool answer(int connection) {
    char request[4096];
    if (::read(connection, request, sizeof request) <= 0 || next_ == answers_.size()) return false;
    const std::string& answer = answers_[next_++];
    return ::write(connection, answer.data(), answer.size()) > 0;
  }

  std::size_t next_ = 0;
  std::atomic<int> accepted_ = 0;
  std::vector<std::string> answers_;
  UniqueFd listener_;
  ServerAddress address_;
  std::thread thread_;
};

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const std::string kLater =
    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";

Load load(std::uint32_t requests, std::uint32_t connections = 1) {
  Load made;
  made.path = "/x?y=1";
  made.requests_max = requests;
  made.connections_max = connections;
  return made;
}

TEST(Loads, CountAnswersByStatusAndTimeThoseWith200) {
  const Server server({kOk, kLater, kOk, kLater, kLater});
  const auto results = run_loads(server.address(), {load(5)}, kLong);
  ASSERT_TRUE(results) << results.error().message;
  const LoadResult& result = results->at(0);
  EXPECT_EQ(result.sent, 5U);
  EXPECT_THAT(result.statuses, ElementsAre(Pair(200, 2U), Pair(429, 3U)));
  EXPECT_EQ(result.with_retry_after, 3U);
  EXPECT_EQ(result.samples.size(), 2U);
  EXPECT_EQ(result.broken, 0U);
}

TEST(Loads, KeepThePartsOfServerTimingIfAskedTo) {
  const std::string timed =
      "HTTP/1.1 200 OK\r\nServer-Timing: queue;dur=0.500, handler;dur=2\r\nContent-Length: "
      "0\r\n\r\n";
  const Server server({timed, timed, timed});
  Load asked = load(2);
  asked.parts = true;
  const auto results = run_loads(server.address(), {asked, load(1)}, kLong);
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_THAT(results->at(0).parts, ElementsAre(Pair("handler", Samples{2'000'000, 2'000'000}),
                                                Pair("queue", Samples{500'000, 500'000})));
  EXPECT_TRUE(results->at(1).parts.empty());
}

TEST(Loads, CountWhatIsDueWhileAllConnectionsAreTaken) {
  const Server server({});
  Load open = load(10, 0);
  open.per_second = 1000;
  const auto results = run_loads(server.address(), {open}, std::chrono::milliseconds(5));
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->at(0).sent, 0U);
  EXPECT_GE(results->at(0).unsent, 1U);
}

TEST(Loads, GoOnBehindAConnectionThatBrokeOff) {
  const Server server({kOk, "", kOk, "HTTP/1.1 2oo\r\n\r\n", kOk});
  const auto results = run_loads(server.address(), {load(5)}, kLong);
  ASSERT_TRUE(results) << results.error().message;
  const LoadResult& result = results->at(0);
  EXPECT_EQ(result.sent, 5U);
  EXPECT_EQ(result.broken, 2U);
  EXPECT_THAT(result.first_fault, HasSubstr("read answer: "));
  EXPECT_THAT(result.statuses, ElementsAre(Pair(200, 3U)));
}

TEST(Loads, EndOnceTooMuchIsBroken) {
  const Server server({});  // closes every connection
  const auto results = run_loads(server.address(), {load(1'000'000)}, kLong);
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->at(0).broken, kLoadBrokenMax);
}

TEST(Loads, NobodyListeningIsAFault) {
  ServerAddress address;
  {
    const Server server({});
    address = server.address();
  }
  const auto results = run_loads(address, {load(2)}, kLong);
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->at(0).broken, 2U);
  EXPECT_THAT(results->at(0).first_fault, HasSubstr("Connection refused"));
}

TEST(Loads, OpenConnectionsFirstUncounted) {
  const Server server({kOk, kOk, kOk, kOk, kLater, kLater});
  Load step = load(3, 3);
  step.open_first = true;
  const auto results = run_loads(server.address(), {step, load(0)}, kLong);
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->at(0).sent, 3U);
  EXPECT_THAT(results->at(0).statuses, ElementsAre(Pair(200, 1U), Pair(429, 2U)));
  EXPECT_EQ(server.accepted(), 3);
  EXPECT_EQ(results->at(1).sent, 0U);
}

TEST(Loads, DoNotBeginWhenAConnectionCannotBeOpened) {
  const Server server({kOk, "", kOk, kOk, kOk, kOk});
  Load step = load(3, 3);
  step.open_first = true;
  const auto results = run_loads(server.address(), {step}, kLong);
  ASSERT_FALSE(results);
  EXPECT_THAT(results.error().message, HasSubstr("open 3 connections: read answer: "));
}

TEST(Loads, TellWhenTheLastAnswerCame) {
  const Server server({kOk, kOk});
  Load two = load(2, 2);  // both are due when the load begins
  const auto results = run_loads(server.address(), {two, load(0)}, kLong);
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_GE(results->at(0).took.count(), percentile(results->at(0).samples, 1));
  EXPECT_EQ(results->at(1).took.count(), 0);
}

TEST(Loads, OfSeveralRoundsAddUp) {
  LoadResult all;
  LoadResult round;
  round.sent = 3;
  round.statuses = {{200, 1}, {429, 1}};
  round.broken = 1;
  round.first_fault = "first";
  round.samples = {7};
  round.parts["queue"] = {1};
  round.took = std::chrono::seconds(2);
  add(all, round);
  round.first_fault = "second";
  add(all, round);
  EXPECT_EQ(all.sent, 6U);
  EXPECT_EQ(count_of(all, 429), 2U);
  EXPECT_EQ(count_of(all, 503), 0U);
  EXPECT_EQ(all.broken, 2U);
  EXPECT_EQ(all.first_fault, "first");
  EXPECT_EQ(all.samples, (Samples{7, 7}));
  EXPECT_EQ(all.parts["queue"].size(), 2U);
  EXPECT_EQ(all.took, std::chrono::seconds(4));
}

TEST(Loads, RunSideBySide) {
  const Server one({kOk, kOk, kOk});
  Load timed = load(2);
  timed.per_second = 1000;
  const auto results = run_loads(one.address(), {load(1), timed}, kLong);
  ASSERT_TRUE(results) << results.error().message;
  ASSERT_EQ(results->size(), 2U);
  EXPECT_EQ(results->at(0).sent, 1U);
  EXPECT_EQ(results->at(1).sent, 2U);
}

}  // namespace
}  // namespace subito::bench
