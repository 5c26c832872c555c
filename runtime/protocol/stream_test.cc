#include "runtime/protocol/stream.h"

#include <gtest/gtest.h>

namespace subito::protocol {
namespace {
FrameHeader header(FrameType type, std::uint32_t stream, bool end = false, std::uint32_t body = 0) {
  return FrameHeader{type, end ? kFlagEnd : std::uint16_t{0}, stream, 0, body};
}

TEST(StreamTest, NothingComesBeforeTheGreeting) {
  Streams pod(Side::kPod);
  EXPECT_EQ(pod.receive(header(FrameType::kInvoke, 1)).error().message,
            "accept INVOKE: it came before CONFIG");
  EXPECT_TRUE(pod.receive(header(FrameType::kConfig, 0)));
  EXPECT_TRUE(pod.receive(header(FrameType::kInvoke, 1)));
}
}  // namespace
}  // namespace subito::protocol
