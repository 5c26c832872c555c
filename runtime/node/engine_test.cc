#include "runtime/node/engine.h"

#include <gtest/gtest.h>

#include "runtime/node/fake_pod.h"

namespace subito::node {
namespace {

using protocol::FrameType;

class EngineTest : public EngineFixture, public testing::Test {
 protected:
  // All that comes: the kernel's buffer holds less than a window.
  std::size_t read_body(FakePod& pod) {
    std::size_t bytes = 0;
    for (int turn = 0; turn < 5; ++turn) {
      for (const auto& frame : pod.read()) bytes += frame.body.size();
      settle();
    }
    return bytes;
  }
};

TEST_F(EngineTest, WritesTheRequestBeforeThePodHasSaidAnything) {
  invoke(1);
  ASSERT_EQ(home->pods.size(), 1U);
  const auto frames = home->pod(0).read();
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].header.type, FrameType::kConfig);
  EXPECT_EQ(frames[0].parse<protocol::Config>().pod(), "echo-1");
  EXPECT_EQ(frames[1].header.type, FrameType::kInvoke);
  EXPECT_TRUE(frames[1].header.end());
}

TEST_F(EngineTest, BringsTheAnswerAndSaysThatThePodWasCold) {
  invoke(1);
  FakePod& pod = home->pod(0);
  pod.hello();
  settle();
  pod.answer(pod.expect_invoke().header.stream, 201, "made");
  settle();
  EXPECT_EQ(outcome(1).status, 201);
  EXPECT_EQ(outcome(1).body, "made");
  EXPECT_TRUE(outcome(1).ended);
  EXPECT_EQ(outcome(1).timing.start_kind, "pooled");
}

TEST_F(EngineTest, WakesNobodyForThePathOfATriggerButForTheTrigger) {
  manifest::FunctionSpec spec = plain_spec();
  spec.add_triggers()->set_path("/due");
  put("echo", spec, 2);
  const auto deliver = [this](CallerToken token, Origin origin) {
    Invocation invocation;
    invocation.function = echo;
    invocation.origin = origin;
    invocation.method = "POST";
    invocation.path = "/due";
    engine.invoke(caller, token, std::move(invocation));
    settle();
  };
  deliver(1, Origin::kClient);
  deliver(2, Origin::kFunction);
  for (const CallerToken token : {1, 2}) {
    ASSERT_TRUE(outcome(token).failure);
    EXPECT_EQ(outcome(token).failure->status, 403);
  }
  EXPECT_TRUE(home->pods.empty());
  deliver(3, Origin::kTrigger);
  EXPECT_EQ(home->pods.size(), 1U);
}

TEST_F(EngineTest, APathThatBecomesATriggersIsClosedToThoseWhoWaitAlready) {
  manifest::FunctionSpec spec = plain_spec();
  spec.mutable_scaling()->set_max(1);
  put("echo", spec, 2);
  invoke(1);
  home->pods.back()->hello();
  settle();
  Invocation invocation;
  invocation.function = echo;
  invocation.method = "POST";
  invocation.path = "/due";
  engine.invoke(caller, 2, std::move(invocation));
  settle();
  spec.add_triggers()->set_path("/due");
  put("echo", spec, 3);
  settle();
  FakePod& old = *home->pods.front();
  old.answer(old.expect_invoke().header.stream, 200, "");
  settle();
  ASSERT_TRUE(outcome(2).failure);
  EXPECT_EQ(outcome(2).failure->status, 403);
}

TEST_F(EngineTest, TheCountOfADeliveryIsTheNodesWord) {
  const auto counted = [this](CallerToken token, Origin origin) {
    Invocation invocation;
    invocation.function = echo;
    invocation.origin = origin;
    invocation.method = "POST";
    invocation.path = "/";
    invocation.fields = {{"accept", "*/*"}, {std::string(kDeliveryField), "1"}};
    engine.invoke(caller, token, std::move(invocation));
    settle();
    FakePod& pod = *home->pods.back();
    const auto frame = pod.expect_invoke();
    pod.answer(frame.header.stream, 200, "");
    settle();
    return frame.parse<protocol::Invoke>().headers_size() == 2;
  };
  warm_pod();
  EXPECT_FALSE(counted(1, Origin::kClient));
  EXPECT_FALSE(counted(2, Origin::kFunction));
  EXPECT_TRUE(counted(3, Origin::kTrigger));
  EXPECT_TRUE(counted(4, Origin::kOperator));
}

TEST_F(EngineTest, WhoseTokenWasShownIsTheNodesWord) {
  const auto seen = [this](CallerToken token, Origin origin, const std::string& subject) {
    Invocation invocation;
    invocation.function = echo;
    invocation.origin = origin;
    invocation.method = "GET";
    invocation.path = "/";
    invocation.fields = {{std::string(kSubjectField), "forged"}};
    invocation.subject = subject;
    engine.invoke(caller, token, std::move(invocation));
    settle();
    FakePod& pod = *home->pods.back();
    const auto frame = pod.expect_invoke();
    pod.answer(frame.header.stream, 200, "");
    settle();
    const auto head = frame.parse<protocol::Invoke>();
    return head.headers_size() == 0 ? "" : head.headers(0).value();
  };
  warm_pod();
  EXPECT_EQ(seen(1, Origin::kClient, "ci"), "ci");
  EXPECT_EQ(seen(2, Origin::kClient, ""), "");
  EXPECT_EQ(seen(3, Origin::kFunction, ""), "");
  EXPECT_EQ(seen(4, Origin::kOperator, ""), "");
}

TEST_F(EngineTest, LowersTheHeaderNamesOfAPodThatDoesNotSpeakByTheSdk) {
  invoke(1);
  FakePod& pod = home->pod(0);
  pod.hello();
  protocol::Result head;
  head.set_status(200);
  head.add_headers()->set_name("X-Request-Id");
  pod.send(FrameType::kResult, pod.expect_invoke().header.stream, head, "", true);
  settle();
  EXPECT_EQ(outcome(1).fields, (http::Fields{{"x-request-id", ""}}));
}

TEST_F(EngineTest, ServesTheNextRequestFromTheSamePod) {
  FakePod& pod = warm_pod();
  invoke(2);
  EXPECT_EQ(home->pods.size(), 1U);
  pod.answer(pod.expect_invoke().header.stream, 200, "again");
  settle();
  EXPECT_EQ(outcome(2).body, "again");
  EXPECT_EQ(outcome(2).timing.start_kind, "warm");
}

TEST_F(EngineTest, PassesABodyOnWithinThePodsWindowAndNoFurther) {
  FakePod& pod = warm_pod();
  const InvocationId id = invoke(2, "POST", true);
  const std::uint32_t stream = pod.expect_invoke().header.stream;
  engine.body(id, std::string(kBodyWindowBytes, 'a'), false);
  settle();
  engine.body(id, std::string(1000, 'b'), true);
  settle();
  EXPECT_EQ(outcome(2).consumed, kBodyWindowBytes) << "the last 1000 bytes wait for credit";
  EXPECT_EQ(read_body(pod), kBodyWindowBytes);
  protocol::Window window;
  window.set_bytes(1000);
  pod.send(FrameType::kWindow, stream, window);
  settle();
  const auto rest = pod.read();
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].body, std::string(1000, 'b'));
  EXPECT_TRUE(rest[0].header.end());
  EXPECT_EQ(outcome(2).consumed, kBodyWindowBytes + 1000);
}

TEST_F(EngineTest, AShortBodyThatIsThereTravelsWithTheInvoke) {
  FakePod& pod = warm_pod();
  const auto frames_of = [&](CallerToken token, std::size_t bytes) {
    engine.body(ask(token, "POST", true), std::string(bytes, 'a'), true);
    settle();
    auto frames = pod.read();
    pod.answer(frames.at(0).header.stream, 200, "");
    settle();
    EXPECT_EQ(outcome(token).consumed, bytes);
    return frames;
  };
  const auto with_it = frames_of(2, 4096);
  ASSERT_EQ(with_it.size(), 1U);
  EXPECT_EQ(with_it[0].body.size(), 4096U);
  EXPECT_TRUE(with_it[0].header.end());
  const auto behind_it = frames_of(3, 4097);
  ASSERT_EQ(behind_it.size(), 2U);
  EXPECT_EQ(behind_it[0].body, "");
  EXPECT_FALSE(behind_it[0].header.end());
  EXPECT_EQ(behind_it[1].body.size(), 4097U);
}

TEST_F(EngineTest, ManyUploadsAtOnceWaitForAPodThatIsStillStarting) {
  constexpr std::size_t kUploads = 64;
  manifest::FunctionSpec spec = plain_spec();
  spec.set_concurrency(kUploads);
  spec.mutable_scaling()->set_max(1);
  put("echo", spec, 2);
  for (CallerToken token = 1; token <= kUploads; ++token) {
    const InvocationId id = invoke(token, "POST", true);
    engine.body(id, std::string(kBodyWindowBytes, 'a'), false);
    engine.body(id, "b", true);
    settle();
  }
  ASSERT_EQ(home->pods.size(), 1U);
  EXPECT_TRUE(observer.gone.empty()) << observer.gone.front();
  FakePod& pod = home->pod(0);
  pod.hello();
  std::map<std::uint32_t, std::size_t> received;
  for (std::size_t ended = 0, quiet = 0; ended < kUploads && quiet < 3; ++quiet) {
    settle();
    for (const auto& frame : pod.read()) {
      quiet = 0;
      if (frame.header.type != FrameType::kBody) continue;
      std::size_t& bytes = received[frame.header.stream] += frame.body.size();
      if (frame.header.end()) ++ended;
      if (bytes != kBodyWindowBytes) continue;
      protocol::Window window;
      window.set_bytes(1);
      pod.send(FrameType::kWindow, frame.header.stream, window);
    }
  }
  ASSERT_EQ(received.size(), kUploads);
  for (const auto& [stream, bytes] : received) EXPECT_EQ(bytes, kBodyWindowBytes + 1) << stream;
  EXPECT_TRUE(home->killed.empty());
}

TEST_F(EngineTest, GivesThePodNoCreditWhileTheCallerIsSlow) {
  FakePod& pod = warm_pod();
  const InvocationId id = invoke(2);
  const std::uint32_t stream = pod.expect_invoke().header.stream;
  caller.accept_bodies = false;
  pod.answer(stream, 200, std::string(64 << 10, 'x'), false);
  settle();
  for (int i = 0; i < 3; ++i) {
    pod.body(stream, std::string(64 << 10, 'x'), false);
    settle();
  }
  for (const auto& frame : pod.read()) EXPECT_NE(frame.header.type, FrameType::kWindow);
  engine.resume(id);
  settle();
  std::uint32_t credit = 0;
  for (const auto& frame : pod.read()) credit += frame.parse<protocol::Window>().bytes();
  EXPECT_GE(credit, 192U << 10);
}

TEST_F(EngineTest, TellsThePodWhenTheClientLeftAndKeepsItsSlotUntilItLetsGo) {
  FakePod& pod = warm_pod();
  const InvocationId id = invoke(2);
  const std::uint32_t stream = pod.expect_invoke().header.stream;
  engine.abort(id);
  settle();
  const auto frames = pod.read();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].header.type, FrameType::kCancel);
  EXPECT_EQ(frames[0].parse<protocol::Cancel>().reason(), protocol::Cancel::CLIENT_LEFT);
  pod.send(FrameType::kCancel, stream, protocol::Cancel());
  settle();
  invoke(3);
  EXPECT_EQ(home->pods.size(), 1U) << "the pod is free again";
  EXPECT_EQ(pod.expect_invoke().parse<protocol::Invoke>().request_id(), "r3");
}

TEST_F(EngineTest, TakesALateAnswerForLettingGo) {
  FakePod& pod = warm_pod();
  const InvocationId id = invoke(2);
  const std::uint32_t stream = pod.expect_invoke().header.stream;
  engine.abort(id);
  settle();
  pod.answer(stream, 200, "too late");
  settle();
  EXPECT_EQ(outcome(2).status, 0);
  invoke(3);
  EXPECT_EQ(home->pods.size(), 1U);
}

TEST_F(EngineTest, ForgetsAWaitingRequestWhoseClientLeft) {
  const InvocationId id = invoke(1);
  FakePod& pod = home->pod(0);
  engine.abort(id);
  settle();
  pod.hello();
  settle();
  pod.read_all();
  EXPECT_EQ(outcome(1).status, 0);
}

TEST_F(EngineTest, Answers413WhenTheBodyIsTooLarge) {
  manifest::FunctionSpec small = plain_spec();
  small.set_body_bytes_max(10);
  put("echo", small, 2);
  const InvocationId id = invoke(1, "POST", true);
  engine.body(id, "12345678901", false);
  EXPECT_FALSE(outcome(1).failure.has_value()) << "never from inside the caller's own call";
  settle();
  ASSERT_TRUE(outcome(1).failure.has_value());
  EXPECT_EQ(outcome(1).failure->status, 413);
}

TEST_F(EngineTest, Answers404ForAFunctionThatIsNotThere) {
  engine.remove_function(echo);
  settle();
  invoke(1);
  ASSERT_TRUE(outcome(1).failure.has_value());
  EXPECT_EQ(outcome(1).failure->status, 404);
}

TEST_F(EngineTest, Answers404WhenTheFunctionIsRemovedBeforeItsPodIsStarted) {
  ask(1, "GET");
  engine.remove_function(echo);
  settle();
  ASSERT_TRUE(outcome(1).failure.has_value());
  EXPECT_EQ(outcome(1).failure->status, 404);
  EXPECT_EQ(outcome(1).failure->timing.start_kind, "") << "it reached no pod";
  EXPECT_EQ(home->pods.size(), 0U);
  EXPECT_EQ(engine.invocations(), 0U);
}

class EngineCpuTest : public EngineTest {
 protected:
  using Told = std::vector<std::pair<PodId, std::uint32_t>>;
  struct Asked {
    FakePod* pod = nullptr;
    std::uint32_t stream = 0;
  };

  EngineCpuTest() {
    manifest::FunctionSpec two = plain_spec();
    two.mutable_scaling()->set_min(2);
    put("echo", two, 2);
    for (const auto& pod : home->pods) pod->hello();
    settle();
  }
  Asked ask_one(CallerToken token) {
    last = invoke(token);
    for (const auto& pod : home->pods) {
      for (const ReceivedFrame& frame : pod->read()) {
        if (frame.header.type == FrameType::kInvoke) return {pod.get(), frame.header.stream};
      }
    }
    ADD_FAILURE() << "no pod was asked";
    return {};
  }
  Told told() { return std::exchange(home->cpu_shares, {}); }

  InvocationId last;
};

TEST_F(EngineCpuTest, BusyPodsOfAFunctionShareTheCpu) {
  const Asked first = ask_one(1);
  EXPECT_EQ(told(), Told()) << "a pod alone has what it was made with";
  const Asked second = ask_one(2);
  EXPECT_EQ(told(), (Told{{first.pod->spec.id, 500}, {second.pod->spec.id, 500}}));
  second.pod->answer(second.stream, 200, "");
  settle();
  EXPECT_EQ(told(), (Told{{first.pod->spec.id, 1000}}));
  manifest::FunctionSpec heavy = plain_spec();
  heavy.mutable_scaling()->set_weight(3);
  put("echo", heavy, 3);
  EXPECT_EQ(told(), (Told{{first.pod->spec.id, 3000}}));
}

TEST_F(EngineCpuTest, APodIsBusyUntilItLetsGoOfAnInvocationThatNobodyWaitsFor) {
  const Asked first = ask_one(1);
  const InvocationId abandoned = last;
  const Asked second = ask_one(2);
  told();
  engine.abort(abandoned);
  settle();
  EXPECT_EQ(told(), Told());
  first.pod->send(FrameType::kCancel, first.stream, protocol::Cancel());
  settle();
  EXPECT_EQ(told(), (Told{{second.pod->spec.id, 1000}}));
}

TEST_F(EngineCpuTest, APodThatDiedIsNotBusy) {
  const Asked first = ask_one(1);
  const Asked second = ask_one(2);
  told();
  home->exit(*second.pod, pods::PodExit::Cause::kSignalled, 9);
  settle();
  const Told after = told();
  ASSERT_FALSE(after.empty());
  EXPECT_EQ(after[0], std::pair(first.pod->spec.id, 1000U));
}

TEST_F(EngineTest, PassesLogsAndExceptionsOn) {
  FakePod& pod = warm_pod();
  invoke(2);
  const std::uint32_t stream = pod.expect_invoke().header.stream;
  protocol::Log log;
  log.set_message("reserved");
  log.set_invocation(stream);
  pod.send(FrameType::kLog, 0, log);
  protocol::Result result;
  result.set_status(500);
  result.mutable_failure()->set_type("std::out_of_range");
  result.mutable_failure()->set_message("no such anvil");
  pod.send(FrameType::kResult, stream, result, "", true);
  settle();
  EXPECT_EQ(observer.logged, std::vector<std::string>{"reserved"});
  EXPECT_EQ(observer.exceptions, std::vector<std::string>{"no such anvil"});
  EXPECT_EQ(outcome(2).status, 500);
  EXPECT_EQ(engine.failed(engine.pods().find(pod.spec.id)->revision->function), 1U);
}

TEST_F(EngineTest, ProbesAPodBesideTheSchedulerAndDrainsIt) {
  const RevisionPtr revision = put("echo", plain_spec(), 2);
  std::optional<bool> came_up;
  engine.probe(revision, "echo-check",
               [&](Result<Duration> start, pods::StartMode) { came_up = start.has_value(); });
  FakePod& pod = home->pod(0);
  pod.hello();
  settle();
  EXPECT_EQ(came_up, true);
  bool drained = false;
  for (const auto& frame : pod.read()) drained |= frame.header.type == FrameType::kDrain;
  EXPECT_TRUE(drained);
}

TEST_F(EngineTest, KillsAProbedPodThatDoesNotEnd) {
  auto revision = std::make_shared<Revision>(*put("echo", plain_spec(), 2));
  revision->scaling.drain_timeout = std::chrono::milliseconds(1);
  int told = 0;
  engine.probe(revision, "echo-check", [&](const auto&, pods::StartMode) { ++told; });
  FakePod& pod = home->pod(0);
  pod.hello();
  ASSERT_TRUE(turn_until([&] { return !home->killed.empty(); }));
  home->exit(pod, pods::PodExit::Cause::kSignalled, 9);
  settle();
  EXPECT_EQ(engine.pods().size(), 0U);
  EXPECT_EQ(told, 1);
}

TEST_F(EngineTest, TellsWhyAProbeDidNotComeUp) {
  const RevisionPtr revision = put("echo", plain_spec(), 2);
  std::string why;
  engine.probe(revision, "echo-check", [&](Result<Duration> start, pods::StartMode) {
    why = start ? "it came up" : start.error().message;
  });
  settle();
  home->exit(home->pod(0), pods::PodExit::Cause::kSignalled, 11);
  settle();
  EXPECT_EQ(why, "ended by SIGSEGV");
}

TEST_F(EngineTest, ClosesOnceTheLastPodIsGone) {
  FakePod& pod = warm_pod();
  bool closed = false;
  engine.close([&] { closed = true; });
  settle();
  EXPECT_FALSE(closed);
  home->exit(pod);
  settle();
  EXPECT_TRUE(closed);
  invoke(5);
  EXPECT_EQ(outcome(5).failure->status, 503);
}

}  // namespace
}  // namespace subito::node
