// Generated lives of an engine: requests, answers, departures, deaths and deploys in any order,
// often several in one turn of the loop. Every invocation ends exactly once; nothing of it is left.
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <random>
#include <set>

#include "runtime/node/fake_pod.h"

namespace subito::node {
namespace {

using protocol::FrameType;
using Cause = pods::PodExit::Cause;

constexpr int kSteps = 5000;

class Life : public EngineFixture {
 public:
  explicit Life(std::uint32_t seed) : random_(seed) {}

  void step() {
    const std::uint32_t dice = below(100);
    if (dice < 25) return call();
    if (dice < 33) return leave();
    if (dice < 40) return send_body();
    if (dice < 75) return with_pod([this](FakePod& pod) { speak(pod); });
    if (dice < 79) return with_pod([this](FakePod& pod) { die(pod); });
    if (dice < 80) return with_pod([this](FakePod& pod) { lose_channel(pod); });
    if (dice < 82) return change_function();
    if (dice < 84) return let_pass(std::chrono::microseconds(below(300)));
    loop.turn(false);
  }

  void wind_down() {
    engine.remove_function(echo);
    settle();
    for (std::size_t i = 0; i < home->pods.size(); ++i) exit(home->pod(i));
    settle();
    EXPECT_EQ(engine.invocations(), 0U);
    EXPECT_EQ(engine.pods().size(), 0U);
    EXPECT_EQ(engine.scheduler().node().pods, 0U);
    EXPECT_EQ(engine.scheduler().node().waiting, 0U);
    for (CallerToken token = 1; token <= last_token_; ++token) {
      const int ends = outcome(token).ends + (left_.contains(token) ? 1 : 0);
      EXPECT_EQ(ends, 1) << "invocation " << token;
      if (ends == 1) ++kinds_[kind(token)];
    }
    for (const char* kind : {"200", "404", "499", "500", "502", "504", "aborted"}) {
      EXPECT_GT(kinds_[kind], 0) << kind << " never came";
    }
  }

 private:
  struct Streams {
    std::set<std::uint32_t> asked, answering;
  };

  std::uint32_t below(std::uint32_t bound) { return random_() % bound; }
  bool chance(std::uint32_t one_of) { return below(one_of) == 0; }

  template <typename Set>
  auto any(const Set& all) {
    return *std::next(all.begin(), below(static_cast<std::uint32_t>(all.size())));
  }

  std::string kind(CallerToken token) {
    const auto& end = outcome(token);
    if (left_.contains(token)) return "499";
    if (end.aborted) return "aborted";
    return std::to_string(end.failure ? end.failure->status : end.status);
  }

  void call() {
    std::optional<Duration> timeout;
    if (chance(3)) timeout = std::chrono::microseconds(1 + below(500));
    const CallerToken token = ++last_token_;
    const bool body_follows = chance(3);
    calls_[token] = ask(token, chance(2) ? "GET" : "POST", body_follows, timeout);
    if (body_follows) sending_.insert(token);
  }

  bool over(CallerToken token) { return outcome(token).ends > 0; }

  void leave() {
    if (calls_.empty()) return;
    const CallerToken token = any(calls_).first;
    if (!over(token)) {
      engine.abort(calls_.at(token));
      left_.insert(token);
    }
    calls_.erase(token);
    sending_.erase(token);
  }

  void send_body() {
    if (sending_.empty()) return;
    const CallerToken token = any(sending_);
    const bool end = chance(2);
    if (!over(token)) engine.body(calls_.at(token), "part", end);
    if (end || over(token)) sending_.erase(token);
  }

  template <typename Act>
  void with_pod(const Act& act) {
    std::vector<FakePod*> living;
    for (const auto& pod : home->pods) {
      if (!gone_.contains(pod->spec.id)) living.push_back(pod.get());
    }
    if (!living.empty()) act(*any(living));
  }

  void speak(FakePod& pod) {
    if (mute_.contains(pod.spec.id)) return;
    if (greeted_.insert(pod.spec.id).second) return pod.hello();
    Streams& streams = streams_[pod.spec.id];
    for (const ReceivedFrame& frame : pod.read()) {
      const std::uint32_t stream = frame.header.stream;
      if (frame.header.type == FrameType::kInvoke) streams.asked.insert(stream);
      if (frame.header.type != FrameType::kCancel) continue;
      const bool open = streams.asked.erase(stream) + streams.answering.erase(stream) > 0;
      if (open) pod.send(FrameType::kCancel, stream, protocol::Cancel());
    }
    if (!streams.answering.empty() && chance(2)) {
      const std::uint32_t stream = any(streams.answering);
      pod.body(stream, "rest", true);
      streams.answering.erase(stream);
    } else if (!streams.asked.empty()) {
      const std::uint32_t stream = any(streams.asked);
      streams.asked.erase(stream);
      if (chance(10)) return pod.send(FrameType::kCancel, stream, protocol::Cancel());
      const bool end = chance(2);
      pod.answer(stream, 200, "part", end);
      if (!end) streams.answering.insert(stream);
    }
  }

  void lose_channel(FakePod& pod) {
    pod.close();
    mute_.insert(pod.spec.id);
  }

  void die(FakePod& pod) {
    if (chance(2)) pod.read_all();
    exit(pod);
  }

  void exit(FakePod& pod) {
    if (!gone_.insert(pod.spec.id).second) return;
    switch (below(3)) {
      case 0:
        return home->exit(pod);
      case 1:
        return home->exit(pod, Cause::kStartFailed);
      default:
        return home->exit(pod, Cause::kSignalled, SIGKILL);
    }
  }

  void change_function() {
    switch (below(4)) {
      case 0:
        return engine.remove_function(echo);
      case 1:
        home->refuse_starts = Error{ErrorCode::kResourceExhausted, "ask launcher: too many", 0};
        return;
      default:
        home->refuse_starts.reset();
        manifest::FunctionSpec spec = plain_spec();
        spec.set_concurrency(static_cast<int>(1 + below(3)));
        put("echo", spec, ++revision_);
    }
  }

  std::minstd_rand random_;
  CallerToken last_token_ = 0;
  std::uint64_t revision_ = 1;
  std::map<CallerToken, InvocationId> calls_;
  std::set<CallerToken> sending_, left_;
  std::set<PodId> greeted_, mute_, gone_;
  std::map<PodId, Streams> streams_;
  std::map<std::string, int> kinds_;
};

class EnginePropertyTest : public testing::TestWithParam<std::uint32_t> {};

TEST_P(EnginePropertyTest, EndsEveryInvocationExactlyOnceAndKeepsNothing) {
  Life life(GetParam());
  for (int i = 0; i < kSteps && !testing::Test::HasFailure(); ++i) life.step();
  life.wind_down();
}

INSTANTIATE_TEST_SUITE_P(Seeds, EnginePropertyTest, testing::Range(1U, 9U));

}  // namespace
}  // namespace subito::node
