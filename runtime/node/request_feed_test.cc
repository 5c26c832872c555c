#include "runtime/node/request_feed.h"

#include <gtest/gtest.h>

#include "runtime/node/fake_pod.h"

namespace subito::node {
namespace {

class RequestFeedTest : public EngineFixture, public testing::Test {
 protected:
  void follow(const std::string& function = "echo") {
    feed.subscribe(ids.next(), function, [this](const auto& record) { told.push_back(record); });
  }

  IdSource<api::SubscriptionId> ids;
  RequestFeed feed{engine};
  std::vector<api::RequestRecord> told;
};

TEST_F(RequestFeedTest, TellsARequestWhenItsAnswerIsWhole) {
  follow();
  invoke(1, "POST");
  FakePod& pod = home->pod(0);
  pod.hello();
  settle();
  const std::uint32_t stream = pod.expect_invoke().header.stream;
  pod.answer(stream, 201, "begun", false);
  settle();
  EXPECT_TRUE(told.empty()) << "its answer goes on";
  pod.body(stream, "end", true);
  settle();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].function, "echo");
  EXPECT_EQ(told[0].method, "POST");
  EXPECT_EQ(told[0].status, 201);
  EXPECT_EQ(told[0].pod, "echo-1");
  EXPECT_EQ(told[0].revision, 1U);
  EXPECT_EQ(told[0].start, "pooled");
}

TEST_F(RequestFeedTest, TellsOnceThatAClientLeft) {
  follow();
  FakePod& pod = warm_pod();
  told.clear();
  const InvocationId id = invoke(2);
  const std::uint32_t stream = pod.expect_invoke().header.stream;
  engine.abort(id);
  settle();
  pod.answer(stream, 200, "too late");
  settle();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].status, 0);
  EXPECT_EQ(told[0].start, "warm");
}

TEST_F(RequestFeedTest, TellsOnceWhatTheNodeAnsweredInstead) {
  follow();
  FakePod& pod = warm_pod();
  told.clear();
  invoke(2, "POST");
  pod.read_all();
  home->exit(pod, pods::PodExit::Cause::kSignalled, 11);
  settle();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].status, 502);
  EXPECT_EQ(told[0].pod, "");
}

TEST_F(RequestFeedTest, TellsOnlyFollowersOfThatFunctionUntilTheyLeave) {
  follow("other");
  const api::SubscriptionId id = ids.next();
  int count = 0;
  feed.subscribe(id, "echo", [&](const auto&) {
    ++count;
    EXPECT_TRUE(feed.unsubscribe(id));
  });
  FakePod& pod = warm_pod();
  invoke(2);
  pod.answer(pod.expect_invoke().header.stream, 200, "");
  settle();
  EXPECT_EQ(count, 1);
  EXPECT_TRUE(told.empty());
  EXPECT_FALSE(feed.unsubscribe(id));
}

}  // namespace
}  // namespace subito::node
