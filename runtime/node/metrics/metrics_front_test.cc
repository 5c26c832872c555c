#include "runtime/node/metrics/metrics_front.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/node/metrics/metrics_testing.h"
#include "runtime/server/fake_server.h"

namespace subito::node {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class MetricsFrontTest : public MetricsFixture, public testing::Test {
 protected:
  MetricsFrontTest() { front.attach(server); }

  // Turns that wait for nothing: each sends a slice.
  template <typename Condition>
  bool soon(const Condition& condition) {
    constexpr int kTurnsMax = 10'000;
    for (int turn = 0; turn < kTurnsMax && !condition(); ++turn) loop.turn(false);
    return condition();
  }
  const server::FakeAnswer& answer_to(server::ExchangeId id) {
    EXPECT_TRUE(soon([&] { return server.answer(id).ended; }));
    return server.answer(id);
  }

  MetricsFront front{loop, parts()};
  server::FakeServer server{front};
};

TEST_F(MetricsFrontTest, ServesOpenMetrics) {
  const auto id = server.request("GET", "/metrics");
  EXPECT_EQ(server.answer(id).body, "") << "all of it would hold up who comes in this turn";
  const server::FakeAnswer& answer = answer_to(id);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("content-type"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_THAT(answer.body, EndsWith("# EOF\n"));
  EXPECT_FALSE(front.has(id));
}

TEST_F(MetricsFrontTest, SendsASliceATurn) {
  add_functions(300);
  const auto id = server.request("GET", "/metrics");
  loop.turn(false);
  EXPECT_FALSE(server.answer(id).ended);
  EXPECT_THAT(answer_to(id).body, EndsWith("# EOF\n"));
}

TEST_F(MetricsFrontTest, ServesTheTextFormatToWhoWantsThat) {
  http::RequestHead head;
  head.method = "GET";
  head.path = "/metrics";
  head.fields = {{"accept", "text/plain"}};
  const server::ExchangeId id(90);
  front.on_request(id, std::move(head), true);
  EXPECT_THAT(answer_to(id).field("content-type"), StartsWith("text/plain; version=0.0.4"));
  EXPECT_THAT(answer_to(id).body, testing::Not(HasSubstr("# EOF")));
}

TEST_F(MetricsFrontTest, RefusesWhatIsNoReadingOfMetrics) {
  EXPECT_EQ(server.answer(server.request("GET", "/")).status, 404);
  const auto post = server.request("POST", "/metrics", "x");
  EXPECT_EQ(server.answer(post).status, 405);
  EXPECT_EQ(server.answer(post).field("allow"), "GET, HEAD");
}

TEST_F(MetricsFrontTest, RefusesMorePagesAtOnceThanTheLimit) {
  for (std::size_t i = 0; i < MetricsFront::kPagesMax; ++i) server.request("GET", "/metrics");
  const auto id = server.request("GET", "/metrics");
  EXPECT_EQ(server.answer(id).status, 503);
  EXPECT_EQ(server.answer(id).field("retry-after"), "1");
}

TEST_F(MetricsFrontTest, WaitsForAClientThatReadsSlowly) {
  add_functions(300);
  const auto id = server.request("GET", "/metrics");
  server.set_full(true);
  ASSERT_TRUE(soon([&] { return !server.answer(id).body.empty(); }));
  const std::size_t sent = server.answer(id).body.size();
  settle();
  EXPECT_EQ(server.answer(id).body.size(), sent);
  EXPECT_FALSE(server.answer(id).ended);
  server.set_full(false);
  front.on_writable(id);
  EXPECT_THAT(answer_to(id).body, EndsWith("# EOF\n"));
}

TEST_F(MetricsFrontTest, CutsOffAClientThatDoesNotReadInTime) {
  MetricsFront hasty(loop, parts(), Duration::zero());
  server::FakeServer slow(hasty);
  hasty.attach(slow);
  slow.set_full(true);
  const auto id = slow.request("GET", "/metrics");
  ASSERT_TRUE(soon([&] { return slow.answer(id).aborted; }));
  EXPECT_FALSE(hasty.has(id));
}

TEST_F(MetricsFrontTest, ForgetsAClientThatLeft) {
  const auto id = server.request("GET", "/metrics");
  front.on_abort(id);
  settle();
  EXPECT_FALSE(front.has(id));
  EXPECT_EQ(server.answer(id).body, "");
}

}  // namespace
}  // namespace subito::node
