#include "bench/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <mutex>
#include <thread>

#include "bench/interrupt.h"
#include "bench/test_server.h"

namespace subito::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr std::chrono::minutes kLong{1};  // each load here ends before, by its requests_max

// Answers each request with the next of `answers`, an empty one by closing the connection, and so
// all that come behind the last.
class Server {
 public:
  explicit Server(std::vector<std::string> answers)
      : server_([this, answers = std::move(answers)](const std::string& request, int number) {
          const auto next = static_cast<std::size_t>(number);
          if (next >= answers.size()) return std::string();
          const std::lock_guard lock(mutex_);
          requests_.push_back(request);
          return answers[next];
        }) {}
  const ServerAddress& address() const { return server_.address(); }
  int accepted() const { return server_.accepted(); }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  TestServer server_;  // the last: its thread uses what is above
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

LoadKind kind_of(HttpRequest request, std::vector<LoadAnswer>* answers = nullptr) {
  LoadKind kind;
  kind.request = [request] { return request; };
  if (answers != nullptr) {
    kind.answered = [answers](const HttpRequest&, const LoadAnswer& answer) {
      answers->push_back(answer);
    };
  }
  return kind;
}

TEST(LoadKinds, TakeTurnsAndSendWhatTheyMade) {
  const Server server({kOk, kLater, kOk});
  std::vector<LoadAnswer> answers;
  Load both = load(3);
  both.kinds = {kind_of({"GET", "/a?b=1", {}, ""}),
                kind_of({"POST", "/orders", {{"idempotency-key", "k7"}}, "{}"}, &answers)};
  const auto results = run_loads(server.address(), {both}, kLong);
  ASSERT_TRUE(results) << results.error().message;
  const LoadResult& all = results->at(0);
  EXPECT_EQ(all.sent, 3U);
  EXPECT_THAT(all.statuses, ElementsAre(Pair(200, 2U), Pair(429, 1U)));
  ASSERT_EQ(all.kinds.size(), 2U);
  EXPECT_THAT(all.kinds[0].statuses, ElementsAre(Pair(200, 2U)));
  EXPECT_THAT(all.kinds[1].statuses, ElementsAre(Pair(429, 1U)));
  EXPECT_EQ(all.kinds[0].samples, all.samples);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_THAT(requests[0], testing::StartsWith("GET /a?b=1 HTTP/1.1\r\n"));
  EXPECT_THAT(requests[1], testing::StartsWith("POST /orders HTTP/1.1\r\n"));
  EXPECT_THAT(requests[1], HasSubstr("idempotency-key: k7\r\n"));
  EXPECT_THAT(requests[1], testing::EndsWith("\r\n\r\n{}"));
  EXPECT_THAT(requests[2], testing::StartsWith("GET /a?b=1 "));
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].status, 429);
}

TEST(LoadKinds, AnyStatusOf2xxIsTimedAndBodiesAreTold) {
  const Server server({"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\norder"});
  std::vector<LoadAnswer> answers;
  Load one = load(1);
  one.kinds = {kind_of({"POST", "/orders", {}, "{}"}, &answers)};
  const auto results = run_loads(server.address(), {one}, kLong);
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->at(0).samples.size(), 1U);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].status, 201);
  EXPECT_EQ(answers[0].body, "order");
}

TEST(LoadKinds, AreToldWhenNoAnswerCame) {
  const Server server({"", kOk});
  std::vector<LoadAnswer> answers;
  Load one = load(2);
  one.kinds = {kind_of({"GET", "/", {}, ""}, &answers)};
  const auto results = run_loads(server.address(), {one}, kLong);
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->at(0).kinds.at(0).broken, 1U);
  EXPECT_EQ(results->at(0).broken, 1U);
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].status, 0);
  EXPECT_EQ(answers[1].body, "hi");
}

TEST(LoadKinds, WhatCannotBeSentIsAFault) {
  const Server server({kOk});
  Load one = load(1);
  one.kinds = {kind_of({"GET", "/", {{"x", "a\r\nb: c"}}, ""})};
  const auto results = run_loads(server.address(), {one}, kLong);
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->at(0).broken, 1U);
  EXPECT_FALSE(results->at(0).first_fault.empty());
}

TEST(LoadKinds, AreDrawnByWeightAndSeed) {
  auto draw = by_weights({1, 10, 0, 3}, 7);
  auto again = by_weights({1, 10, 0, 3}, 7);
  auto other = by_weights({1, 10, 0, 3}, 8);
  std::vector<int> counts(4);
  int differ = 0;
  for (int i = 0; i < 14'000; ++i) {
    const std::size_t kind = draw();
    ++counts[kind];
    EXPECT_EQ(again(), kind);
    differ += other() == kind ? 0 : 1;
  }
  EXPECT_NEAR(counts[0], 1'000, 150);
  EXPECT_NEAR(counts[1], 10'000, 300);
  EXPECT_EQ(counts[2], 0);
  EXPECT_NEAR(counts[3], 3'000, 200);
  EXPECT_GT(differ, 0);
}

TEST(LoadKinds, OfSeveralRoundsAddUpToo) {
  LoadResult all;
  LoadResult round;
  round.kinds.resize(2);
  round.kinds[1].sent = 3;
  add(all, round);
  add(all, round);
  ASSERT_EQ(all.kinds.size(), 2U);
  EXPECT_EQ(all.kinds[1].sent, 6U);
}

// One that interrupts its own process with its second answer.
Load interrupting_load(int* answers) {
  Load made = load(1'000);
  LoadKind kind = kind_of({"GET", "/", {}, ""});
  kind.answered = [answers](const HttpRequest&, const LoadAnswer&) {
    if (++*answers == 2) ::raise(SIGINT);
  };
  made.kinds = {kind};
  return made;
}

TEST(Loads, KeepWhatThereIsAfterAnInterruptIfAskedTo) {
  const Interrupt interrupt;
  const Server server({kOk, kOk, kOk, kOk});
  int answers = 0;
  LoadWatch watch;
  watch.keep_interrupted = true;
  const auto results = run_loads(server.address(), {interrupting_load(&answers)}, kLong, watch);
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->at(0).sent, 2U);
  EXPECT_EQ(count_of(results->at(0), 200), 2U);
  EXPECT_EQ(results->at(0).broken, 0U);
}

TEST(Loads, AreLostByAnInterruptElse) {
  const Interrupt interrupt;
  const Server server({kOk, kOk, kOk, kOk});
  int answers = 0;
  const auto results = run_loads(server.address(), {interrupting_load(&answers)}, kLong);
  ASSERT_FALSE(results);
  EXPECT_EQ(results.error().code, ErrorCode::kCancelled);
}

TEST(Loads, TellHowLongTheyGoOn) {
  const Server server({kOk, kOk});
  std::vector<std::chrono::nanoseconds> left;
  LoadWatch watch;
  watch.progress = [&](std::chrono::nanoseconds now) { left.push_back(now); };
  const auto results = run_loads(server.address(), {load(2)}, kLong, watch);
  ASSERT_TRUE(results) << results.error().message;
  ASSERT_GE(left.size(), 2U);
  EXPECT_LE(left[0], kLong);
  EXPECT_LE(left[1], left[0]);
  EXPECT_GT(left[1], std::chrono::seconds(0));
}

}  // namespace
}  // namespace subito::bench
