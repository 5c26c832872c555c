#include "runtime/protocol/stream.h"

#include <gtest/gtest.h>

namespace subito::protocol {
namespace {

using Verdict = Streams::Verdict;

FrameHeader header(FrameType type, std::uint32_t stream, bool end = false, std::uint32_t body = 0) {
  return FrameHeader{type, end ? kFlagEnd : std::uint16_t{0}, stream, 0, body};
}

// Two ends of one channel, greeted. What one sends the other receives at once, or later by hand.
class StreamTest : public testing::Test {
 protected:
  StreamTest() {
    pass(pod_, node_, header(FrameType::kHello, 0));
    pass(node_, pod_, header(FrameType::kConfig, 0));
    pod_.set_invocations_max(2);
  }

  static Verdict pass(Streams& from, Streams& to, FrameHeader frame) {
    EXPECT_TRUE(from.may_send(frame)) << to_string(frame.type);
    from.sent(frame);
    return take(to, frame);
  }
  static Verdict take(Streams& to, FrameHeader frame) {
    const auto verdict = to.receive(frame);
    EXPECT_TRUE(verdict) << verdict.error().message;
    return verdict.value_or(Verdict::kIgnore);
  }
  static std::string breach(Streams& to, FrameHeader frame) {
    const auto verdict = to.receive(frame);
    if (verdict) return "none";
    EXPECT_EQ(verdict.error().code, ErrorCode::kProtocol);
    return verdict.error().message;
  }

  Streams node_{Side::kNode};
  Streams pod_{Side::kPod};
};

TEST_F(StreamTest, AnInvocationIsOverWhenBothDirectionsHaveEnded) {
  pass(node_, pod_, header(FrameType::kInvoke, 1));
  pass(node_, pod_, header(FrameType::kBody, 1, true));
  pass(pod_, node_, header(FrameType::kResult, 1));
  EXPECT_TRUE(node_.is_open(1));
  pass(pod_, node_, header(FrameType::kBody, 1, true));
  EXPECT_FALSE(node_.is_open(1));
  EXPECT_FALSE(pod_.is_open(1));
  EXPECT_EQ(node_.next_stream(), 3U);
}

TEST(StreamGreetingTest, NothingComesBeforeTheGreetingAndItComesOnce) {
  Streams pod(Side::kPod);
  EXPECT_EQ(pod.receive(header(FrameType::kInvoke, 1)).error().message,
            "accept INVOKE: it came before CONFIG");
  EXPECT_TRUE(pod.receive(header(FrameType::kConfig, 0)));
  EXPECT_EQ(pod.receive(header(FrameType::kConfig, 0)).error().message,
            "accept CONFIG: there was one already");
  EXPECT_FALSE(pod.may_send(header(FrameType::kLog, 0)));
  pod.sent(header(FrameType::kHello, 0));
  EXPECT_TRUE(pod.may_send(header(FrameType::kLog, 0)));
  EXPECT_FALSE(pod.may_send(header(FrameType::kHello, 0)));
}

TEST(StreamGreetingTest, APodMayLogBeforeItGreetsAndNothingElse) {
  Streams node(Side::kNode);
  EXPECT_TRUE(node.receive(header(FrameType::kLog, 0)));
  EXPECT_EQ(node.receive(header(FrameType::kCall, 2)).error().message,
            "accept CALL: it came before HELLO");
  EXPECT_TRUE(node.receive(header(FrameType::kLog, 0)));
  EXPECT_TRUE(node.receive(header(FrameType::kHello, 0)));
  Streams pod(Side::kPod);
  EXPECT_FALSE(pod.receive(header(FrameType::kLog, 0)));
}

TEST_F(StreamTest, EachSideOpensItsOwnIdsOnlyAndTheyGrow) {
  EXPECT_EQ(breach(pod_, header(FrameType::kInvoke, 2)), "accept INVOKE: stream 2 is ours to open");
  EXPECT_EQ(breach(node_, header(FrameType::kCall, 3)), "accept CALL: stream 3 is ours to open");
  EXPECT_EQ(breach(node_, header(FrameType::kInvoke, 1)), "accept INVOKE: it is ours to send");
  EXPECT_EQ(breach(pod_, header(FrameType::kCall, 2)), "accept CALL: it is ours to send");
  EXPECT_EQ(breach(pod_, header(FrameType::kHello, 0)), "accept HELLO: it is ours to send");
  take(pod_, header(FrameType::kInvoke, 5, true));
  EXPECT_EQ(breach(pod_, header(FrameType::kInvoke, 5)), "accept INVOKE: stream 5 is not a new id");
  EXPECT_EQ(breach(pod_, header(FrameType::kInvoke, 3)), "accept INVOKE: stream 3 is not a new id");
}

TEST_F(StreamTest, FramesForStreamsThatWereNeverOpenedAreABreach) {
  for (const auto type : {FrameType::kBody, FrameType::kWindow, FrameType::kCancel}) {
    EXPECT_NE(breach(pod_, header(type, 7)).find("stream 7 was never opened"), std::string::npos);
  }
}

TEST_F(StreamTest, TheOrderWithinAStreamIsKept) {
  pass(node_, pod_, header(FrameType::kInvoke, 1, true));
  EXPECT_EQ(breach(node_, header(FrameType::kBody, 1)), "accept BODY: there was no RESULT before");
  EXPECT_EQ(breach(pod_, header(FrameType::kBody, 1)), "accept BODY: after END");
  EXPECT_EQ(breach(node_, header(FrameType::kConnected, 1, true)),
            "accept CONNECTED: the stream is not a connect");
  pass(pod_, node_, header(FrameType::kResult, 1));
  EXPECT_EQ(breach(node_, header(FrameType::kResult, 1)), "accept RESULT: there was one already");
  EXPECT_FALSE(pod_.may_send(header(FrameType::kResult, 1)));
  pass(node_, pod_, header(FrameType::kInvoke, 3));
  EXPECT_EQ(breach(pod_, header(FrameType::kResult, 3)),
            "accept RESULT: it answers its own stream");
}

TEST_F(StreamTest, AConnectIsAnsweredByConnectedAlone) {
  pass(pod_, node_, header(FrameType::kConnect, 2, true));
  EXPECT_EQ(breach(pod_, header(FrameType::kResult, 2)), "accept RESULT: the stream is a connect");
  pass(node_, pod_, header(FrameType::kConnected, 2, true));
  EXPECT_FALSE(pod_.is_open(2));
}

TEST_F(StreamTest, MoreInvocationsThanAgreedAreABreach) {
  pass(node_, pod_, header(FrameType::kInvoke, 1));
  pass(node_, pod_, header(FrameType::kInvoke, 3));
  EXPECT_EQ(breach(pod_, header(FrameType::kInvoke, 5)), "accept INVOKE: more than 2 at once");
  // Answered, the first makes room although its request is not complete.
  pass(pod_, node_, header(FrameType::kResult, 1, true));
  EXPECT_EQ(take(pod_, header(FrameType::kInvoke, 5)), Verdict::kDeliver);
}

TEST_F(StreamTest, APodHasALimitOfOpenCalls) {
  for (std::size_t i = 0; i < kPodStreamsMax; ++i) {
    pass(pod_, node_, header(FrameType::kCall, pod_.next_stream()));
  }
  const auto one_more = header(FrameType::kCall, pod_.next_stream());
  EXPECT_FALSE(pod_.may_send(one_more));
  EXPECT_EQ(breach(node_, one_more), "accept CALL: more than 1024 at once");
}

TEST_F(StreamTest, NoInvokeAfterDrain) {
  pass(node_, pod_, header(FrameType::kInvoke, 1));
  pass(node_, pod_, header(FrameType::kDrain, 0));
  EXPECT_FALSE(node_.may_send(header(FrameType::kInvoke, 3)));
  EXPECT_EQ(breach(pod_, header(FrameType::kInvoke, 3)), "accept INVOKE: after DRAIN");
  EXPECT_EQ(breach(pod_, header(FrameType::kDrain, 0)), "accept DRAIN: there was one already");
  EXPECT_EQ(pass(node_, pod_, header(FrameType::kBody, 1, true)), Verdict::kDeliver);
  EXPECT_EQ(pass(pod_, node_, header(FrameType::kCall, 2, true)), Verdict::kDeliver);
}

TEST_F(StreamTest, ACancelIsAnsweredByACancelAndWhatCrossedIsIgnored) {
  pass(node_, pod_, header(FrameType::kInvoke, 1));
  node_.sent(header(FrameType::kCancel, 1));
  EXPECT_FALSE(node_.may_send(header(FrameType::kBody, 1)));
  EXPECT_FALSE(node_.may_send(header(FrameType::kWindow, 1)));
  EXPECT_FALSE(node_.may_send(header(FrameType::kCancel, 1)));
  EXPECT_EQ(pass(pod_, node_, header(FrameType::kResult, 1)), Verdict::kIgnore);
  EXPECT_EQ(take(pod_, header(FrameType::kCancel, 1)), Verdict::kDeliver);
  EXPECT_TRUE(pod_.is_cancelled(1));
  EXPECT_FALSE(pod_.may_send(header(FrameType::kBody, 1)));
  EXPECT_TRUE(node_.is_open(1));
  EXPECT_EQ(pass(pod_, node_, header(FrameType::kCancel, 1)), Verdict::kDeliver);
  EXPECT_FALSE(node_.is_open(1));
  EXPECT_FALSE(pod_.is_open(1));
}

TEST_F(StreamTest, CancelAndEndThatCrossAreBothFine) {
  pass(node_, pod_, header(FrameType::kInvoke, 1));
  node_.sent(header(FrameType::kCancel, 1));
  pod_.sent(header(FrameType::kResult, 1, true));
  EXPECT_EQ(take(node_, header(FrameType::kResult, 1, true)), Verdict::kIgnore);
  EXPECT_EQ(take(pod_, header(FrameType::kCancel, 1)), Verdict::kDeliver);
  EXPECT_FALSE(node_.is_open(1));
  EXPECT_FALSE(pod_.is_open(1));
}

TEST_F(StreamTest, TwoCancelsThatCrossAreBothFine) {
  pass(node_, pod_, header(FrameType::kInvoke, 1));
  node_.sent(header(FrameType::kCancel, 1));
  pod_.sent(header(FrameType::kCancel, 1));
  take(node_, header(FrameType::kCancel, 1));
  take(pod_, header(FrameType::kCancel, 1));
  EXPECT_EQ(node_.open_streams() + pod_.open_streams(), 0U);
}

TEST_F(StreamTest, AfterTheirCancelNothingMoreMayCome) {
  pass(node_, pod_, header(FrameType::kInvoke, 1));
  pass(node_, pod_, header(FrameType::kCancel, 1));
  EXPECT_EQ(breach(pod_, header(FrameType::kBody, 1)), "accept BODY: after CANCEL");
  EXPECT_EQ(breach(pod_, header(FrameType::kCancel, 1)), "accept CANCEL: after CANCEL");
  EXPECT_EQ(breach(pod_, header(FrameType::kWindow, 1)), "accept WINDOW: after CANCEL");
}

TEST_F(StreamTest, WhoHasEndedMayStillCancelTheAnswer) {
  pass(node_, pod_, header(FrameType::kInvoke, 1, true));
  EXPECT_EQ(pass(node_, pod_, header(FrameType::kCancel, 1)), Verdict::kDeliver);
  EXPECT_TRUE(pod_.is_cancelled(1));
  pass(pod_, node_, header(FrameType::kCancel, 1));
  EXPECT_FALSE(node_.is_open(1));
}

TEST_F(StreamTest, LateWindowsAndCancelsOfAStreamThatIsOverAreIgnored) {
  pass(node_, pod_, header(FrameType::kInvoke, 1, true));
  pod_.sent(header(FrameType::kResult, 1, true));
  node_.sent(header(FrameType::kWindow, 1));
  node_.sent(header(FrameType::kCancel, 1));
  EXPECT_EQ(take(pod_, header(FrameType::kWindow, 1)), Verdict::kIgnore);
  EXPECT_EQ(take(pod_, header(FrameType::kCancel, 1)), Verdict::kIgnore);
  EXPECT_EQ(breach(pod_, header(FrameType::kBody, 1)), "accept BODY: stream 1 is over");
}

TEST_F(StreamTest, AfterTheAnswerTheRestOfTheRequestIsIgnored) {
  pass(node_, pod_, header(FrameType::kInvoke, 1));
  pod_.sent(header(FrameType::kResult, 1, true));
  EXPECT_EQ(pass(node_, pod_, header(FrameType::kBody, 1, false, 10)), Verdict::kIgnore);
  take(node_, header(FrameType::kResult, 1, true));
  EXPECT_TRUE(node_.is_ours_open(1));
  EXPECT_EQ(pass(node_, pod_, header(FrameType::kCancel, 1)), Verdict::kDeliver);
  EXPECT_EQ(node_.open_streams() + pod_.open_streams(), 0U);
}

TEST_F(StreamTest, BodiesKeepToTheirCredit) {
  pass(node_, pod_, header(FrameType::kInvoke, 1, false, kBodyBytesMax));
  for (int i = 0; i < 3; ++i) pass(node_, pod_, header(FrameType::kBody, 1, false, kBodyBytesMax));
  EXPECT_EQ(node_.credit_bytes(1), 0U);
  EXPECT_FALSE(node_.may_send(header(FrameType::kBody, 1, false, 1)));
  EXPECT_TRUE(node_.may_send(header(FrameType::kBody, 1, true)));
  EXPECT_EQ(breach(pod_, header(FrameType::kBody, 1, false, 1)),
            "accept BODY: body is over the window");
}

TEST_F(StreamTest, CreditComesBackOnceHalfOfItIsUsed) {
  pass(node_, pod_, header(FrameType::kInvoke, 1, false, kBodyBytesMax));
  pass(node_, pod_, header(FrameType::kBody, 1, false, kBodyBytesMax));
  EXPECT_EQ(pod_.consumed(1, kBodyBytesMax), 0U);
  const auto announced = pod_.consumed(1, kBodyBytesMax);
  EXPECT_EQ(announced, 2 * kBodyBytesMax);
  EXPECT_EQ(pass(pod_, node_, header(FrameType::kWindow, 1)), Verdict::kDeliver);
  EXPECT_TRUE(node_.granted(1, announced));
  EXPECT_EQ(node_.credit_bytes(1), kInitialWindowBytes);
  for (int i = 0; i < 4; ++i) pass(node_, pod_, header(FrameType::kBody, 1, false, kBodyBytesMax));
}

TEST_F(StreamTest, CreditIsNotGivenForWhatIsComplete) {
  pass(node_, pod_, header(FrameType::kInvoke, 1, true, kBodyBytesMax));
  EXPECT_EQ(pod_.consumed(1, kInitialWindowBytes), 0U);
  EXPECT_FALSE(pod_.may_send(header(FrameType::kWindow, 1)));
}

TEST_F(StreamTest, CreditNeitherOverflowsNorStandsStill) {
  pass(node_, pod_, header(FrameType::kInvoke, 1));
  EXPECT_EQ(node_.granted(1, 0).error().message, "accept WINDOW: it gives nothing");
  EXPECT_EQ(node_.granted(1, 0x8000'0000).error().message,
            "accept WINDOW: credit grows over the limit");
  EXPECT_TRUE(node_.granted(1, 0x7000'0000));
}

TEST_F(StreamTest, AConnectIsOpenUntilItsAnswerCameThoughItWasGivenUp) {
  pass(pod_, node_, header(FrameType::kConnect, 2, true));
  EXPECT_TRUE(pod_.has_open(FrameType::kConnect));
  EXPECT_FALSE(pod_.has_open(FrameType::kCall));
  pass(pod_, node_, header(FrameType::kCancel, 2));
  EXPECT_TRUE(pod_.has_open(FrameType::kConnect));
  EXPECT_EQ(pass(node_, pod_, header(FrameType::kCancel, 2)), Verdict::kDeliver);
  EXPECT_FALSE(pod_.has_open(FrameType::kConnect));
}

TEST(StreamDeathTest, SendingWhatIsNotAllowedIsOurOwnFault) {
  Streams node(Side::kNode);
  node.sent(header(FrameType::kConfig, 0));
  EXPECT_DEATH(node.sent(header(FrameType::kBody, 1)), "may_send");
}

}  // namespace
}  // namespace subito::protocol
