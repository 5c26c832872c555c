#include "runtime/protocol/frame.h"

#include <gtest/gtest.h>

#include "runtime/protocol/pod.pb.h"

namespace subito::protocol {
namespace {

std::string log_frame(const std::string& message) {
  Log log;
  log.set_message(message);
  std::string out;
  EXPECT_TRUE(append_frame(out, FrameType::kLog, 0, log));
  return out;
}

std::string raw(FrameHeader header) {
  const auto bytes = encode(header);
  return {bytes.data(), bytes.size()};
}

std::string error_of(const std::string& bytes) {
  FrameParser parser;
  parser.feed(bytes);
  const auto frame = parser.next();
  return frame ? "no error" : frame.error().message;
}

FrameHeader header(FrameType type, std::uint32_t stream, std::uint16_t flags = 0,
                   std::uint32_t head = 0, std::uint32_t body = 0) {
  return FrameHeader{type, flags, stream, head, body};
}

TEST(FrameTest, HeaderIsLittleEndianAndComesBack) {
  const FrameHeader given = header(FrameType::kResult, 0x01020304, kFlagEnd, 0x0506, 0x0708);
  const auto bytes = encode(given);
  EXPECT_EQ(std::string(bytes.data(), bytes.size()),
            std::string("\x01\x05\x01\x00\x04\x03\x02\x01\x06\x05\x00\x00\x08\x07\x00\x00", 16));
  EXPECT_EQ(*decode(bytes), given);
}

TEST(FrameTest, HeadAndBodyComeBack) {
  Result result;
  result.set_status(201);
  std::string out;
  ASSERT_TRUE(append_frame(out, FrameType::kResult, 7, result, "created\n", true));
  append_frame(out, FrameType::kDrain, 0);
  FrameParser parser;
  parser.feed(out);
  auto frame = *parser.next();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->header.type, FrameType::kResult);
  EXPECT_EQ(frame->header.stream, 7U);
  EXPECT_TRUE(frame->end());
  EXPECT_EQ(frame->body, "created\n");
  Result parsed;
  ASSERT_TRUE(parse_head(*frame, parsed));
  EXPECT_EQ(parsed.status(), 201U);
  EXPECT_EQ((*parser.next())->header.type, FrameType::kDrain);
  EXPECT_FALSE(*parser.next());
  EXPECT_EQ(parser.pending_bytes(), 0U);
}

TEST(FrameTest, AnyChunkingGivesTheSameFrames) {
  std::string all;
  for (const std::size_t size : {0U, 1U, 100U, 5000U, 60000U}) {
    append_frame(all, FrameType::kBody, 3, std::string(size, 'x'), false);
  }
  for (const std::size_t step : {1U, 15U, 16U, 17U, 4096U, 70000U}) {
    FrameParser parser;
    std::vector<std::size_t> sizes;
    for (std::size_t at = 0; at < all.size(); at += step) {
      parser.feed(std::string_view(all).substr(at, step));
      for (auto frame = *parser.next(); frame; frame = *parser.next()) {
        sizes.push_back(frame->body.size());
        EXPECT_EQ(frame->body.find_first_not_of('x'), std::string_view::npos);
      }
    }
    EXPECT_EQ(sizes, (std::vector<std::size_t>{0, 1, 100, 5000, 60000})) << "steps of " << step;
  }
}

TEST(FrameTest, TheLargestFramePassesAndOneByteMoreDoesNot) {
  std::string out;
  append_frame(out, FrameType::kBody, 1, std::string(kBodyBytesMax, 'b'));
  FrameParser parser;
  parser.feed(out);
  EXPECT_EQ((*parser.next())->body.size(), kBodyBytesMax);
  EXPECT_EQ(error_of(raw(header(FrameType::kBody, 1, 0, 0, kBodyBytesMax + 1))),
            "read frame: BODY body of 65537 bytes is over the limit");
  EXPECT_EQ(error_of(raw(header(FrameType::kInvoke, 1, 0, 0xffff'ffff, 0))),
            "read frame: INVOKE head of 4294967295 bytes is over the limit");
}

TEST(FrameTest, NamesWhatIsWrongWithAHeader) {
  std::string version = log_frame("x");
  version[0] = 2;
  EXPECT_EQ(error_of(version), "read frame: version 2 is not known");
  std::string type = log_frame("x");
  type[1] = 13;
  EXPECT_EQ(error_of(type), "read frame: type 13 is not known");
  type[1] = 0;
  EXPECT_EQ(error_of(type), "read frame: type 0 is not known");
  EXPECT_EQ(error_of(raw(header(FrameType::kBody, 1, 2))), "read frame: unknown flags in BODY");
  EXPECT_EQ(error_of(raw(header(FrameType::kLog, 1))), "read frame: LOG on stream 1");
  EXPECT_EQ(error_of(raw(header(FrameType::kDrain, 0, 1))), "read frame: DRAIN with END");
  EXPECT_EQ(error_of(raw(header(FrameType::kBody, 0))), "read frame: BODY without a stream");
  EXPECT_EQ(error_of(raw(header(FrameType::kBody, 1, 0, 5))), "read frame: BODY with a head");
  EXPECT_EQ(error_of(raw(header(FrameType::kWindow, 1, 0, 0, 5))),
            "read frame: WINDOW with a body");
  EXPECT_EQ(error_of(raw(header(FrameType::kConnect, 2))), "read frame: CONNECT without END");
  EXPECT_EQ(error_of(raw(header(FrameType::kCancel, 1, 1))), "read frame: CANCEL with END");
}

TEST(FrameTest, AnErrorStays) {
  FrameParser parser;
  parser.feed(std::string(16, '\xff'));
  EXPECT_FALSE(parser.next());
  parser.feed(log_frame("fine"));
  EXPECT_FALSE(parser.next());
}

TEST(FrameTest, RefusesAHeadThatIsNoProtobuf) {
  std::string out = log_frame("a message");
  out[8] = static_cast<char>(out[8] - 1);  // cuts the last byte off the head
  out.pop_back();
  FrameParser parser;
  parser.feed(out);
  const auto frame = *parser.next();
  Log log;
  const auto status = parse_head(*frame, log);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kProtocol);
  EXPECT_EQ(status.error().message, "read LOG head: it is malformed");
}

TEST(FrameTest, RefusesToWriteAHeadOverTheLimit) {
  Log log;
  log.set_message(std::string(kHeadBytesMax, 'm'));
  std::string out = "before";
  const auto status = append_frame(out, FrameType::kLog, 0, log);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(out, "before");
}

TEST(FrameTest, ATruncatedFrameIsPending) {
  FrameParser parser;
  const std::string whole = log_frame("cut");
  parser.feed(std::string_view(whole).substr(0, whole.size() - 1));
  EXPECT_FALSE(*parser.next());
  EXPECT_EQ(parser.pending_bytes(), whole.size() - 1);
}

TEST(FrameTest, ReadsWithoutACopy) {
  FrameParser parser;
  const std::string bytes = log_frame("direct");
  const auto room = parser.prepare(bytes.size());
  ASSERT_GE(room.size(), bytes.size());
  bytes.copy(room.data(), bytes.size());
  parser.commit(bytes.size());
  EXPECT_TRUE(*parser.next());
}

}  // namespace
}  // namespace subito::protocol
