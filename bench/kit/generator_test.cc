#include "bench/kit/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <thread>

#include "bench/interrupt.h"
#include "bench/test_server.h"

namespace subito::bench {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

class Server {
 public:
  using Answer = std::function<std::string(int number)>;
  explicit Server(Answer answer = [](int) { return kAnswer; })
      : server_([answer = std::move(answer)](const std::string&, int number) {
          return answer(number);
        }) {}
  Traffic traffic(std::uint32_t connections, double per_second = 0) const {
    Traffic traffic;
    traffic.server = server_.address();
    traffic.request.path = "/x";
    traffic.expected = {200, "hi"};
    traffic.connections = connections;
    traffic.per_second = per_second;
    return traffic;
  }
  int requests() const { return server_.requests(); }
  int accepted() const { return server_.accepted(); }

 private:
  TestServer server_;
};

TEST(Generator, AsksOnceByEachConnectionBeforeItCounts) {
  const Server server;
  const auto generator = Generator::open(server.traffic(3));
  ASSERT_TRUE(generator) << generator.error().message;
  EXPECT_EQ(server.accepted(), 3);
  EXPECT_EQ(server.requests(), 3);
}

TEST(Generator, AsksAgainOnTheSameConnectionsAndCountsEachAnswerOnce) {
  const Server server;
  auto generator = Generator::open(server.traffic(4));
  ASSERT_TRUE(generator);
  const TrafficResult result = generator->run(milliseconds(50));
  EXPECT_EQ(result.errors, 0U) << result.first_error;
  EXPECT_GT(result.answers, 4U);
  EXPECT_EQ(result.answers, result.latency.count());
  EXPECT_EQ(server.requests(), static_cast<int>(result.answers) + 4) << "all was waited for";
  EXPECT_EQ(server.accepted(), 4);
  EXPECT_GT(result.per_second(), 0);
  EXPECT_GT(result.own_cpu.count(), 0);
}

TEST(Generator, ByATimetableAsksExactlyAsOftenAsIsDue) {
  const Server server;
  auto generator = Generator::open(server.traffic(2, 2'000));
  ASSERT_TRUE(generator);
  const TrafficResult result = generator->run(milliseconds(100));
  EXPECT_EQ(result.answers, 200U);
  EXPECT_EQ(result.errors, 0U) << result.first_error;
  EXPECT_EQ(result.lateness.count(), 200U);
  EXPECT_EQ(generator->run(milliseconds(50)).answers, 100U) << "a second run begins anew";
}

// The server uses 50 ms for the first of 10 requests, which are due a millisecond apart.
TEST(Generator, CountsTheWaitForABusyServerFromWhenEachRequestWasDue) {
  const Server server([](int number) {
    const auto until = std::chrono::steady_clock::now() + milliseconds(50);
    while (number == 1 && std::chrono::steady_clock::now() < until) {
    }
    return kAnswer;
  });
  auto generator = Generator::open(server.traffic(1, 1'000));
  ASSERT_TRUE(generator);
  const TrafficResult result = generator->run(milliseconds(10));
  EXPECT_EQ(result.answers, 10U);
  EXPECT_GE(result.latency.percentile(0), 40'000'000) << "the last was due after 9 ms";
}

TEST(Generator, RefusesToBeginWithAWrongAnswer) {
  const Server server([](int) { return "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"; });
  const auto generator = Generator::open(server.traffic(1));
  ASSERT_FALSE(generator);
  EXPECT_EQ(generator.error().code, ErrorCode::kProtocol);
  EXPECT_THAT(generator.error().message, HasSubstr("ask for /x: check answer: status 502"));
}

TEST(Generator, CountsWrongAnswersAndConnectionsThatBreakOff) {
  const Server server([](int number) -> std::string {
    if (number == 4) return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nho";
    return number == 9 ? "" : kAnswer;
  });
  auto generator = Generator::open(server.traffic(2));
  ASSERT_TRUE(generator);
  const TrafficResult result = generator->run(std::chrono::minutes(1));
  EXPECT_EQ(result.errors, 2U);
  EXPECT_THAT(result.first_error, HasSubstr("not the one expected"));
  EXPECT_EQ(result.answers, 6U) << "of the other connection";
}

TEST(Generator, SaysSoWhenTheRateCouldNotBeKept) {
  const Server server([](int number) { return number < 2 ? kAnswer : std::string(); });
  auto generator = Generator::open(server.traffic(1, 1'000));
  ASSERT_TRUE(generator);
  const TrafficResult result = generator->run(milliseconds(10));
  EXPECT_EQ(result.answers, 1U);
  EXPECT_EQ(result.errors, 9U) << "one broke off, the others had no connection";
}

TEST(Generator, AnInterruptKeepsWhatThereIs) {
  const Interrupt interrupt;
  const Server server([](int number) {
    if (number == 5) std::raise(SIGINT);
    return kAnswer;
  });
  auto generator = Generator::open(server.traffic(1));
  ASSERT_TRUE(generator);
  const TrafficResult result = generator->run(std::chrono::minutes(1));
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.errors, 0U) << result.first_error;
  EXPECT_GE(result.answers, 5U);
}

TEST(Generator, AddsSlicesUp) {
  TrafficResult all;
  TrafficResult one;
  one.answers = 10;
  one.took = milliseconds(100);
  one.latency.record(5);
  add(all, one);
  one.errors = 1;
  one.first_error = "late";
  add(all, one);
  EXPECT_EQ(all.answers, 20U);
  EXPECT_EQ(all.errors, 1U);
  EXPECT_EQ(all.first_error, "late");
  EXPECT_EQ(all.latency.count(), 2U);
  EXPECT_DOUBLE_EQ(all.per_second(), 100);
}

}  // namespace
}  // namespace subito::bench
