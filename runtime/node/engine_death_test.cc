// What becomes of invocations when their pod ends.
#include <gtest/gtest.h>

#include <csignal>

#include "runtime/node/fake_pod.h"

namespace subito::node {
namespace {

using Cause = pods::PodExit::Cause;
using scheduler::RefuseReason;

class PodDeathTest : public EngineFixture, public testing::Test {
 protected:
  FakePod& another_warm_pod() {
    invoke(1);
    FakePod& pod = *home->pods.back();
    pod.hello();
    settle();
    pod.answer(pod.expect_invoke().header.stream, 200, "");
    settle();
    return pod;
  }
  // A pod of the function, by this spec, works on an invocation whose deadline and grace pass.
  FunctionId work_past_the_deadline(const manifest::FunctionSpec& spec) {
    auto revision = std::make_shared<Revision>(*put("echo", spec, 2));
    revision->timeout = std::chrono::milliseconds(1);
    revision->scaling.cancel_grace = std::chrono::milliseconds(1);
    engine.put_function(revision);
    invoke(1);
    home->pod(0).hello();
    return revision->function;
  }
  std::uint32_t stream_of_one_sent_in_time(FakePod& pod);
};

TEST_F(PodDeathTest, GivesAnInvocationToAnotherPodWhenTheFirstNeverRan) {
  invoke(1, "POST");
  home->exit(home->pod(0), Cause::kStartFailed, 0, "start pod: exec: Exec format error");
  settle();
  EXPECT_EQ(home->pods.size(), 1U) << "a failed start is followed by a back-off";
  ASSERT_TRUE(turn_until([&] { return home->pods.size() == 2; }));
  settle();
  ASSERT_EQ(home->pods.size(), 2U);
  FakePod& second = home->pod(1);
  second.hello();
  settle();
  second.answer(second.expect_invoke().header.stream, 200, "served");
  settle();
  EXPECT_EQ(outcome(1).body, "served");
}

TEST_F(PodDeathTest, GivesAnInvocationToAnotherPodWhenItWasStillInTheKernel) {
  FakePod& pod = warm_pod();
  invoke(2, "POST");
  home->exit(pod, Cause::kSignalled, SIGKILL);  // without having read it
  settle();
  ASSERT_EQ(home->pods.size(), 2U);
  FakePod& second = home->pod(1);
  EXPECT_EQ(second.expect_invoke().parse<protocol::Invoke>().method(), "POST");
}

TEST_F(PodDeathTest, GivesAnInvocationToAnotherPodWhenTheFirstDiedBeforeItWasSent) {
  FakePod& pod = warm_pod();
  Invocation invocation;
  invocation.function = echo;
  invocation.method = "POST";
  invocation.path = "/";
  engine.invoke(caller, 2, std::move(invocation));  // decided, to be sent at the end of the turn
  home->exit(pod, Cause::kSignalled, SIGKILL);
  engine.pods().channels().close(pod.spec.id);
  settle();
  pod.close();
  ASSERT_TRUE(turn_until([&] { return home->pods.size() == 2; }));
  settle();
  EXPECT_EQ(home->pod(1).expect_invoke().parse<protocol::Invoke>().method(), "POST");
}

TEST_F(PodDeathTest, GivesAnInvocationToAnotherPodWhenTheChannelOfTheFirstHadClosed) {
  FakePod& pod = warm_pod();
  pod.close();
  settle();
  invoke(2, "POST");  // its process still lives, as far as anybody knows
  home->exit(pod, Cause::kSignalled, SIGKILL);
  settle();
  ASSERT_EQ(home->pods.size(), 2U);
  EXPECT_EQ(home->pod(1).expect_invoke().parse<protocol::Invoke>().method(), "POST");
}

TEST_F(PodDeathTest, GivesAnInvocationToAnotherPodWhenTheFirstCouldNotBeMade) {
  home->refuse_starts = Error{ErrorCode::kResourceExhausted, "ask launcher: too many", 0};
  invoke(1, "POST");
  home->refuse_starts.reset();
  ASSERT_TRUE(turn_until([&] { return !home->pods.empty() || outcome(1).failure; }));
  settle();
  ASSERT_FALSE(outcome(1).failure) << outcome(1).failure->detail;
  EXPECT_EQ(home->pod(0).expect_invoke().parse<protocol::Invoke>().method(), "POST");
}

TEST_F(PodDeathTest, SaysHowTheLastPodEndedWhenNoneComesUp) {
  invoke(1);
  for (std::size_t i = 0; !outcome(1).failure; ++i) {
    ASSERT_TRUE(turn_until([&] { return home->pods.size() > i; }));
    settle();
    home->exit(home->pod(i), Cause::kSignalled, SIGKILL);
    settle();
  }
  EXPECT_EQ(outcome(1).failure->type, "start-failed");
  EXPECT_EQ(outcome(1).failure->detail,
            "no pod of the function came up: the last one ended by SIGKILL; see `subito describe`");
}

TEST_F(PodDeathTest, TellsClientsNothingOfTheHostWhenNoPodCouldBeMade) {
  home->refuse_starts = Error{ErrorCode::kUnavailable, "start pod: open /var/lib/x: gone", 0};
  invoke(1);
  ASSERT_TRUE(turn_until([&] { return outcome(1).failure.has_value(); }));
  EXPECT_EQ(outcome(1).failure->detail,
            "no pod of the function came up: the last one did not start; see `subito describe`");
}

TEST_F(PodDeathTest, TellsClientsNothingOfTheHostWhenAPodFailsWithinItsStart) {
  invoke(1);
  for (std::size_t i = 0; !outcome(1).failure; ++i) {
    ASSERT_TRUE(turn_until([&] { return home->pods.size() > i; }));
    home->exit(home->pod(i), Cause::kStartFailed, 0, "start pod: exec: Exec format error");
    settle();
  }
  EXPECT_EQ(outcome(1).failure->detail,
            "no pod of the function came up: the last one did not start; see `subito describe`");
}

TEST_F(PodDeathTest, AnswersAPostOfWhichThePodDiedWith502AtOnce) {
  FakePod& pod = warm_pod();
  invoke(2, "POST");
  pod.expect_invoke();
  home->exit(pod, Cause::kSignalled, SIGSEGV);
  settle();
  ASSERT_TRUE(outcome(2).failure.has_value());
  EXPECT_EQ(outcome(2).failure->status, 502);
  EXPECT_NE(outcome(2).failure->detail.find("SIGSEGV"), std::string::npos);
  EXPECT_EQ(home->pods.size(), 1U);
}

TEST_F(PodDeathTest, TellsWhereTheTimeOfAnUnansweredRequestWent) {
  constexpr Duration kHandler = std::chrono::milliseconds(20);
  FakePod& pod = warm_pod();
  ask(2, "POST", false, kHandler);
  settle();
  const std::uint32_t stream = pod.expect_invoke().header.stream;
  ASSERT_TRUE(turn_until([&] { return outcome(2).failure.has_value(); }));
  EXPECT_EQ(outcome(2).failure->status, 504);
  EXPECT_EQ(outcome(2).failure->timing.start_kind, "warm");
  EXPECT_GT(outcome(2).failure->timing.handler, kHandler / 2);
  pod.send(protocol::FrameType::kCancel, stream, protocol::Cancel());
  settle();
  const TimePoint asked = loop.now();
  invoke(3, "POST");
  pod.expect_invoke();
  let_pass(kHandler);
  home->exit(pod, Cause::kSignalled, SIGSEGV);
  settle();
  EXPECT_EQ(outcome(3).failure->status, 502);
  EXPECT_GE(outcome(3).failure->timing.handler, kHandler);
  EXPECT_LE(outcome(3).failure->timing.queue + outcome(3).failure->timing.handler,
            loop.now() - asked);
}

// The engine's timer counts whole milliseconds: what is due sooner is found due by the next event.
constexpr Duration kAtOnce = std::chrono::microseconds(50);

TEST_F(PodDeathTest, Answers504WhenTheDeadlinePassedBeforeThePodsEndWasSeen) {
  for (const char* method : {"GET", "POST"}) {
    SCOPED_TRACE(method);
    FakePod& pod = another_warm_pod();
    ask(2, method, false, kAtOnce);
    loop.turn(false);
    pod.read_all();
    home->exit(pod, Cause::kSignalled, SIGKILL);
    let_pass(kAtOnce);
    settle();
    ASSERT_TRUE(outcome(2).failure.has_value()) << "a client that waits for ever";
    EXPECT_EQ(outcome(2).failure->status, 504);
    EXPECT_EQ(engine.invocations(), 0U);
    outcome(2) = {};
  }
}

// On a busy machine some run out of time before they are sent. 0: none was.
std::uint32_t PodDeathTest::stream_of_one_sent_in_time(FakePod& pod) {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    ask(2, "GET", false, kAtOnce);
    loop.turn(false);
    for (const ReceivedFrame& frame : pod.read()) {
      if (frame.header.type == protocol::FrameType::kInvoke) return frame.header.stream;
    }
    if (!turn_until([&] { return outcome(2).failure.has_value(); })) return 0;
    outcome(2) = {};
  }
  return 0;
}

TEST_F(PodDeathTest, Answers504WhenTheAnswerBeginsAfterTheDeadlineAndBeforeTheTimer) {
  FakePod& pod = warm_pod();
  for (const bool end : {true, false}) {
    SCOPED_TRACE(end);
    const auto deadlines_passed = [&] {
      return engine.meters().own(echo)->refused.at(
          static_cast<std::size_t>(RefuseReason::kDeadline));
    };
    const std::uint32_t stream = stream_of_one_sent_in_time(pod);
    ASSERT_NE(stream, 0U);
    const std::uint64_t before = deadlines_passed();
    let_pass(kAtOnce);
    pod.answer(stream, 504, "the function's own word", end);
    settle();
    ASSERT_TRUE(outcome(2).failure.has_value()) << "the function's answer went through";
    EXPECT_EQ(outcome(2).failure->type, "deadline-exceeded");
    EXPECT_EQ(outcome(2).ends, 1);
    EXPECT_EQ(deadlines_passed(), before + 1);
    if (!end) pod.body(stream, "", true);
    settle();
    EXPECT_EQ(engine.invocations(), 0U);
    outcome(2) = {};
  }
}

TEST_F(PodDeathTest, Answers504WhenTheDeadlinePassesBeforeItIsSentToAPodThatIsNearlyGone) {
  FakePod& pod = warm_pod();
  pod.close();
  settle();  // its process still lives, as far as anybody knows
  ask(2, "GET", false, kAtOnce);
  ASSERT_TRUE(turn_until([&] { return outcome(2).failure.has_value(); }));
  EXPECT_EQ(outcome(2).failure->status, 504);
  EXPECT_EQ(engine.invocations(), 0U);
  home->exit(pod, Cause::kSignalled, SIGKILL);
  settle();
  EXPECT_TRUE(engine.scheduler().node().pods == 0) << "nothing is started for it";
}

TEST_F(PodDeathTest, ForgetsWhatItsClientLeftInTheTurnInWhichItsPodDied) {
  for (const char* method : {"GET", "POST"}) {
    SCOPED_TRACE(method);
    FakePod& pod = another_warm_pod();
    const InvocationId id = invoke(2, method);
    pod.read_all();
    pod.close();
    settle();  // of its end only the process is missing
    engine.abort(id);
    home->exit(pod, Cause::kSignalled, SIGKILL);
    settle();
    EXPECT_EQ(engine.invocations(), 0U);
    EXPECT_FALSE(outcome(2).failure.has_value());
  }
}

TEST_F(PodDeathTest, RepeatsAGetOnceAndNotTwice) {
  FakePod& pod = warm_pod();
  invoke(2, "GET");
  pod.expect_invoke();
  home->exit(pod, Cause::kOutOfMemory);
  settle();
  ASSERT_EQ(home->pods.size(), 2U);
  FakePod& second = home->pod(1);
  second.hello();
  second.expect_invoke();
  settle();
  home->exit(second, Cause::kOutOfMemory);
  settle();
  ASSERT_TRUE(outcome(2).failure.has_value());
  EXPECT_EQ(outcome(2).failure->status, 502);
}

TEST_F(PodDeathTest, RepeatsAPostWithAnIdempotencyKeyAndItsWholeBody) {
  FakePod& pod = warm_pod();
  Invocation invocation;
  invocation.function = echo;
  invocation.method = "POST";
  invocation.path = "/orders";
  invocation.fields = {{"idempotency-key", "k1"}};
  invocation.body_follows = true;
  const InvocationId id = engine.invoke(caller, 2, std::move(invocation));
  engine.body(id, "first ", false);
  settle();
  pod.read_all();
  home->exit(pod, Cause::kSignalled, SIGKILL);
  settle();
  engine.body(id, "second", true);
  settle();
  ASSERT_EQ(home->pods.size(), 2U);
  std::string body;
  for (const auto& frame : home->pod(1).read()) body += frame.body;
  EXPECT_EQ(body, "first second");
  EXPECT_EQ(outcome(2).consumed, 12U) << "the caller is told once";
}

TEST_F(PodDeathTest, AbortsAnAnswerThatHasBegun) {
  FakePod& pod = warm_pod();
  invoke(2, "GET");
  pod.answer(pod.expect_invoke().header.stream, 200, "half of it", false);
  settle();
  home->exit(pod, Cause::kSignalled, SIGKILL);
  settle();
  EXPECT_TRUE(outcome(2).aborted);
  EXPECT_EQ(home->pods.size(), 1U);
}

TEST_F(PodDeathTest, StartsNoPodThatCouldNotBeToldItsSettings) {
  manifest::FunctionSpec spec = plain_spec();
  spec.mutable_scaling()->set_min(1);
  for (const char* key : {"a", "b"}) (*spec.mutable_settings())[key] = std::string(40'000, 'x');
  const RevisionPtr revision = put("echo", spec, 2);
  std::string why;
  engine.probe(revision, "echo-check", [&](Result<Duration> start, pods::StartMode) {
    why = start ? "it came up" : start.error().message;
  });
  invoke(1);
  EXPECT_NE(why.find("spec.settings"), std::string::npos) << why;
  ASSERT_TRUE(outcome(1).failure.has_value());
  EXPECT_EQ(outcome(1).failure->status, 503);
  EXPECT_NE(outcome(1).failure->detail.find("spec.settings"), std::string::npos);
  EXPECT_EQ(home->pods.size(), 0U);
}

TEST_F(PodDeathTest, AsksAPodWhereItIsThatGoesOnPastItsDeadlineAndThenKillsIt) {
  const FunctionId function = work_past_the_deadline(plain_spec());
  ASSERT_TRUE(turn_until([&] { return !home->asked.empty(); }));
  EXPECT_TRUE(home->killed.empty()) << "it gets a moment";
  ASSERT_TRUE(turn_until([&] { return !home->killed.empty(); }));
  home->exit(home->pod(0), Cause::kSignalled, SIGKILL);
  settle();
  EXPECT_EQ(observer.gone.at(0), "echo-1 killed: its handler went on past its deadline");
  EXPECT_EQ(observer.at_work_then.at(0), "GET /");
  EXPECT_EQ(engine.failed(function), 1U);
}

TEST_F(PodDeathTest, DoesNotAskAPodOfSeveralThreads) {
  manifest::FunctionSpec spec = plain_spec();
  spec.set_concurrency(2);
  work_past_the_deadline(spec);
  ASSERT_TRUE(turn_until([&] { return !home->killed.empty(); }));
  EXPECT_TRUE(home->asked.empty());
}

TEST(ShownTest, IsMethodAndPathAlonePrintableAndBounded) {
  Invocation invocation;
  invocation.method = "GET";
  invocation.path = "/items/7";
  invocation.query = "token=secret";
  EXPECT_EQ(shown(invocation), "GET /items/7");
  invocation.path = "/a\x1b[31m\xc3";
  EXPECT_EQ(shown(invocation), "GET /a?[31m?");
  invocation.path = "/" + std::string(1000, 'a');
  EXPECT_EQ(shown(invocation).size(), 4 + kShownPathBytesMax + 3);
}

TEST_F(PodDeathTest, KillsAPodThatBreaksTheProtocolAndSaysSo) {
  FakePod& pod = warm_pod();
  invoke(2, "POST");
  pod.read_all();
  pod.garbage(std::string(16, '\xff'));
  settle();
  ASSERT_EQ(home->killed, std::vector<PodId>{pod.spec.id});
  home->exit(pod, Cause::kSignalled, SIGKILL);
  settle();
  EXPECT_EQ(outcome(2).failure->status, 502);
  ASSERT_EQ(observer.gone.size(), 1U);
  EXPECT_NE(observer.gone[0].find("broke the protocol"), std::string::npos) << observer.gone[0];
}

TEST_F(PodDeathTest, RefusesAnAnswerWithAForgedHeader) {
  FakePod& pod = warm_pod();
  invoke(2, "POST");
  protocol::Result head;
  head.set_status(200);
  auto* header = head.add_headers();
  header->set_name("x");
  header->set_value("1\r\nset-cookie: a=b");
  pod.send(protocol::FrameType::kResult, pod.expect_invoke().header.stream, head, "", true);
  settle();
  EXPECT_EQ(home->killed.size(), 1U);
  EXPECT_EQ(outcome(2).status, 0);
}

TEST_F(PodDeathTest, KillsAPodWhoseChannelClosedButWhoseProcessLives) {
  FakePod& pod = warm_pod();
  pod.close();
  settle();
  EXPECT_EQ(home->killed.size(), 1U);
}

}  // namespace
}  // namespace subito::node
