#include "runtime/node/traces/tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/node/fake_pod.h"

namespace subito::node {
namespace {

using protocol::FrameType;
using testing::ElementsAre;
using testing::UnorderedElementsAre;
using traces::Span;

constexpr char kSampled[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr char kNotSampled[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

class TracerTest : public EngineFixture, public testing::Test {
 protected:
  TracerTest() : tracer([this](Span&& span) { spans.push_back(std::move(span)); }) {
    engine.set_tracer(&tracer);
  }
  ~TracerTest() override { engine.set_tracer(nullptr); }

  InvocationId ask_with(CallerToken token, const std::string& traceparent, bool is_new = false) {
    Invocation invocation;
    invocation.function = echo;
    invocation.method = "GET";
    invocation.path = "/items";
    invocation.traceparent = traceparent;
    invocation.tracestate = "vendor=1";
    invocation.trace_is_new = is_new;
    const InvocationId id = engine.invoke(caller, token, std::move(invocation));
    settle();
    return id;
  }
  const Span& span(const std::string& name) const {
    static const Span kNone;
    for (const Span& span : spans) {
      if (span.name == name) return span;
    }
    ADD_FAILURE() << "no span " << name;
    return kNone;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Span& span : spans) names.push_back(span.name);
    return names;
  }

  std::vector<Span> spans;
  Tracer tracer;
};

TEST_F(TracerTest, WhatIsNotSampledIsNotTouched) {
  FakePod& pod = warm_pod();
  ask_with(7, kNotSampled);
  const auto frame = pod.expect_invoke();
  const auto invoke = frame.parse<protocol::Invoke>();
  EXPECT_EQ(invoke.traceparent(), kNotSampled);
  EXPECT_EQ(invoke.tracestate(), "vendor=1");
  EXPECT_FALSE(invoke.trace());
  pod.answer(frame.header.stream, 200, "");
  settle();
  EXPECT_THAT(names(), ElementsAre());
}

TEST_F(TracerTest, AWarmRequestIsServerQueueAndHandler) {
  FakePod& pod = warm_pod();
  ask_with(7, kSampled);
  const auto frame = pod.expect_invoke();
  const auto invoke = frame.parse<protocol::Invoke>();
  EXPECT_TRUE(invoke.trace());
  EXPECT_EQ(invoke.tracestate(), "vendor=1");
  pod.answer(frame.header.stream, 200, "");
  settle();
  EXPECT_THAT(names(), UnorderedElementsAre("GET echo", "queue", "handler"));
  const Span& server = span("GET echo");
  EXPECT_EQ(server.trace.high, 0x4bf92f3577b34da6U);
  EXPECT_EQ(server.parent, 0x00f067aa0ba902b7U);
  EXPECT_EQ(server.tracestate, "vendor=1");
  EXPECT_EQ(span("queue").parent, server.id);
  EXPECT_EQ(span("handler").parent, server.id);
  const auto seen = traces::parse_traceparent(invoke.traceparent());
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->span, span("handler").id) << "what the function makes hangs elsewhere";
  EXPECT_TRUE(seen->sampled);
  for (const Span& part : spans) {
    EXPECT_GE(part.start_unix_ns, server.start_unix_ns) << part.name;
    EXPECT_LE(part.start_unix_ns, part.end_unix_ns) << part.name;
    EXPECT_LE(part.end_unix_ns, server.end_unix_ns) << part.name;
  }
}

TEST_F(TracerTest, AColdOneHasAStartToo) {
  ask_with(7, kSampled, true);
  FakePod& pod = home->pod(0);
  pod.hello();
  settle();
  pod.answer(pod.expect_invoke().header.stream, 200, "");
  settle();
  EXPECT_THAT(names(), UnorderedElementsAre("GET echo", "queue", "start", "handler"));
  EXPECT_EQ(span("GET echo").parent, 0U) << "nobody has sent the span that the gateway named";
  EXPECT_EQ(span("start").parent, span("GET echo").id);
}

// On a core of its own it may be quicker than the node, which was about to write that down.
TEST_F(TracerTest, APodThatBeginsBeforeItIsKnownToBeLaunchedHasItsSteps) {
  ask_with(7, kSampled);
  FakePod& pod = home->pod(0);
  const Pod& known = *engine.pods().find(pod.spec.id);
  const TimePoint began = known.decided + std::chrono::nanoseconds(1);
  ASSERT_LT(began, known.launched);
  protocol::Hello hello;
  hello.set_began_ns(static_cast<std::uint64_t>(began.time_since_epoch().count()));
  pod.send(FrameType::kHello, 0, hello);
  settle();
  pod.answer(pod.expect_invoke().header.stream, 200, "");
  settle();
  EXPECT_THAT(names(), testing::Contains("hello"));
  EXPECT_EQ(known.began, began);
  EXPECT_EQ(known.launched, began) << "as it was before";
}

TEST_F(TracerTest, TakesWhatAPodTellsWithinItsTimeAndBound) {
  FakePod& pod = warm_pod();
  ask_with(7, kSampled);
  const auto frame = pod.expect_invoke();
  protocol::Result result;
  result.set_status(200);
  result.set_spans_dropped(2);
  for (int i = 0; i < kPodSpansMax + 3; ++i) {
    protocol::PodSpan& told = *result.add_spans();
    told.set_name("GET");
    told.set_begin_ns(0);
    told.set_end_ns(~0ULL);
  }
  pod.send(FrameType::kResult, frame.header.stream, result, "", true);
  settle();
  EXPECT_EQ(spans.size(), 3U + kPodSpansMax);
  const Span& handler = span("handler");
  EXPECT_EQ(span("GET").parent, handler.id);
  EXPECT_GE(span("GET").start_unix_ns, handler.start_unix_ns);
  EXPECT_LE(span("GET").end_unix_ns, handler.end_unix_ns);
  bool told = false;
  for (const auto& [key, value] : handler.attributes) {
    if (key == std::string("subito.spans_dropped")) told = std::get<std::int64_t>(value) == 5;
  }
  EXPECT_TRUE(told);
}

TEST_F(TracerTest, SaysWhyTheNodeAnswered) {
  manifest::FunctionSpec spec = plain_spec();
  spec.add_triggers()->set_path("/items");
  put("echo", spec, 2);
  ask_with(7, kSampled);
  EXPECT_THAT(names(), UnorderedElementsAre("GET echo", "queue"));
  EXPECT_TRUE(span("GET echo").failed);
  EXPECT_EQ(span("GET echo").failure, "trigger-path");
}

TEST_F(TracerTest, APodThatDiedWithARequestLeavesTheSpanThatItsCallsName) {
  FakePod& pod = warm_pod();
  const InvocationId id = ask_with(7, kSampled);
  pod.expect_invoke();
  home->exit(pod, pods::PodExit::Cause::kSignalled, SIGKILL);
  settle();
  home->exit(home->pod(1), pods::PodExit::Cause::kStartFailed, 0, "start pod: exec");
  settle();
  engine.abort(id);
  settle();
  EXPECT_THAT(names(), testing::IsSupersetOf({"GET echo", "handler"}));
}

TEST_F(TracerTest, ACallIsBetweenItsCallerAndWhatIsCalled) {
  FakePod& pod = warm_pod();
  ask_with(7, kSampled);
  const auto frame = pod.expect_invoke();
  const InvocationRecord* record = engine.running_on(pod.spec.id, frame.header.stream);
  ASSERT_NE(record, nullptr);
  Invocation called;
  called.method = "GET";
  const auto call = tracer.begin_call(*record, "stock", called, engine.now());
  tracer.end_call(*call, 200, "", engine.now());
  pod.answer(frame.header.stream, 200, "");
  settle();
  EXPECT_EQ(span("call stock").parent, span("handler").id);
  EXPECT_EQ(traces::parse_traceparent(called.traceparent)->span, span("call stock").id);
  EXPECT_EQ(span("call stock").service, "echo");
}

}  // namespace
}  // namespace subito::node
