#include <gtest/gtest.h>

#include "runtime/traces/otlp.h"
#include "runtime/traces/otlp.pb.h"
#include "runtime/traces/trace_context.h"

namespace subito::traces {
namespace {

// The example of W3C Trace Context, 3.2.
constexpr char kParent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContextTest, ComesBackTheSame) {
  const auto context = parse_traceparent(kParent);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace.high, 0x4bf92f3577b34da6U);
  EXPECT_EQ(context->trace.low, 0xa3ce929d0e0e4736U);
  EXPECT_EQ(context->span, 0x00f067aa0ba902b7U);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(to_traceparent(*context), kParent);
}

TEST(TraceContextTest, ReadsOfALaterVersionWhatItKnows) {
  EXPECT_EQ(normal_traceparent("01" + std::string(kParent).substr(2)), kParent);
  EXPECT_EQ(normal_traceparent("cc" + std::string(kParent).substr(2) + "-what-comes"), kParent);
  EXPECT_EQ(normal_traceparent(kParent), kParent);
  EXPECT_FALSE(normal_traceparent("none"));
}

TEST(TraceContextTest, RefusesWhatIsNone) {
  for (const char* text : {"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                           "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
                           "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g"}) {
    EXPECT_FALSE(parse_traceparent(text)) << text;
  }
}

TEST(TraceContextTest, TheFlagIsTheLastBit) {
  EXPECT_TRUE(is_sampled(kParent));
  const std::string parent(kParent, sizeof kParent - 2);
  for (const char digit : {'1', '3', '9', 'b', 'f'}) EXPECT_TRUE(is_sampled(parent + digit));
  for (const char digit : {'0', '2', '8', 'a', 'e'}) EXPECT_FALSE(is_sampled(parent + digit));
  EXPECT_FALSE(is_sampled(""));
}

TEST(SamplerTest, TakesItsShareByTheTraceIdAlone) {
  EXPECT_FALSE(Sampler().takes({1, 0}));
  EXPECT_TRUE(Sampler(1).takes({0, ~std::uint64_t{0}}));
  const Sampler tenth(0.1);
  int taken = 0;
  std::uint64_t id = 1;
  for (int i = 0; i < 10'000; ++i) {
    id = id * 6364136223846793005U + 1442695040888963407U;
    taken += tenth.takes({0, id}) ? 1 : 0;
    EXPECT_EQ(tenth.takes({7, id}), tenth.takes({0, id}));
    if (tenth.takes({0, id})) {
      EXPECT_TRUE(Sampler(0.2).takes({0, id})) << "more takes what less took";
    }
  }
  EXPECT_NEAR(taken, 1000, 120);
}

Span span(const char* service) {
  return {
      .trace = {1, 2},
      .id = 3,
      .parent = 4,
      .tracestate = "a=1",
      .name = "GET stock\n",
      .kind = SpanKind::kServer,
      .start_unix_ns = 10,
      .end_unix_ns = 20,
      .attributes = {{"http.response.status_code", std::int64_t{504}}, {"faas.coldstart", true}},
      .failed = true,
      .failure = "deadline-exceeded",
      .service = service};
}

TEST(OtlpTest, WritesSpansByService) {
  otlp::ExportTraceServiceRequest request;
  ASSERT_TRUE(request.ParseFromString(
      otlp_request({span("stock"), span("shop"), span("stock")}, {"0.1", "n1"})));
  ASSERT_EQ(request.resource_spans_size(), 2);
  const auto& stock = request.resource_spans(0);
  EXPECT_EQ(stock.resource().attributes(0).value().string_value(), "stock");
  ASSERT_EQ(stock.scope_spans(0).spans_size(), 2);
  const auto& written = stock.scope_spans(0).spans(0);
  EXPECT_EQ(written.trace_id(), std::string("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2", 16));
  EXPECT_EQ(written.span_id(), std::string("\0\0\0\0\0\0\0\3", 8));
  EXPECT_EQ(written.parent_span_id(), std::string("\0\0\0\0\0\0\0\4", 8));
  EXPECT_EQ(written.name(), "GET stock?");
  EXPECT_EQ(written.kind(), 2);
  EXPECT_EQ(written.start_time_unix_nano(), 10U);
  EXPECT_EQ(written.end_time_unix_nano(), 20U);
  EXPECT_EQ(written.attributes(0).value().int_value(), 504);
  EXPECT_TRUE(written.attributes(1).value().bool_value());
  EXPECT_EQ(written.status().code(), 2);
  EXPECT_EQ(written.status().message(), "deadline-exceeded");
}

// By hand, so that a wrong number in the .proto is seen: key 1 << 3 | 2, and so on down.
TEST(OtlpTest, TheNumbersAreThoseOfTheSpecification) {
  Span plain;
  plain.trace = {0x0102030405060708, 0x090a0b0c0d0e0f10};
  plain.id = 0x1112131415161718;
  plain.kind = SpanKind::kClient;
  plain.name = "x";
  plain.start_unix_ns = 1;
  plain.end_unix_ns = 2;
  plain.service = "s";
  const std::string bytes = otlp_request({plain}, {"", ""});
  const std::string expected =
      std::string("\x0a\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10", 18) +
      std::string("\x12\x08\x11\x12\x13\x14\x15\x16\x17\x18", 10) +
      std::string("\x2a\x01x\x30\x03", 5) + std::string("\x39\x01\0\0\0\0\0\0\0", 9) +
      std::string("\x41\x02\0\0\0\0\0\0\0", 9) + std::string("\x85\x01\x01\0\0\0", 6);
  EXPECT_NE(bytes.find(expected), bytes.npos);
  EXPECT_EQ(bytes.substr(0, 1), "\x0a");
}

TEST(OtlpTest, ReadsHowManyAReceiverDidNotTake) {
  EXPECT_EQ(rejected_spans(""), 0U);
  EXPECT_EQ(rejected_spans("\xff\xff"), 0U);
  EXPECT_EQ(rejected_spans(std::string("\x0a\x02\x08\x05")), 5U);
}

}  // namespace
}  // namespace subito::traces
