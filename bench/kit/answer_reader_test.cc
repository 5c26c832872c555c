#include "bench/kit/answer_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::bench {
namespace {

using testing::HasSubstr;
using Outcome = AnswerReader::Outcome;

const Expected kHi{200, "hi"};
const std::string kAnswer = "HTTP/1.1 200 OK\r\nDate: now\r\ncontent-LENGTH: 2\r\n\r\nhi";

TEST(AnswerReader, TakesAnAnswerAndIsReadyForTheNext) {
  AnswerReader reader(kHi);
  EXPECT_EQ(reader.take(kAnswer), Outcome::kRight);
  EXPECT_EQ(reader.take(kAnswer), Outcome::kRight);
}

TEST(AnswerReader, TakesItByteByByte) {
  AnswerReader reader(kHi);
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i + 1 < kAnswer.size(); ++i) {
      ASSERT_EQ(reader.take(kAnswer.substr(i, 1)), Outcome::kMore) << i;
    }
    EXPECT_EQ(reader.take("i"), Outcome::kRight);
  }
}

TEST(AnswerReader, TakesOneWithoutBody) {
  const Expected empty;
  AnswerReader reader(empty);
  EXPECT_EQ(reader.take("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Outcome::kRight);
}

TEST(AnswerReader, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops", "status 502, not 200: oops"},
      {"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nhi", "status 0"},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "status 0"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nho", "not the one expected"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", "3 bytes, not 2"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!", "nobody asked for"},
      {"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nhi", "no Content-Length"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "no Content-Length"},
      {"HTTP/1.1 200 OK\r\nX-Content-Length: 2\r\n\r\nhi", "no Content-Length"}};
  for (const auto& [answer, reason] : cases) {
    AnswerReader reader(kHi);
    EXPECT_EQ(reader.take(answer), Outcome::kWrong) << answer;
    EXPECT_THAT(reader.fault(), HasSubstr(reason));
  }
}

TEST(AnswerReader, BoundsTheHead) {
  AnswerReader reader(kHi);
  EXPECT_EQ(reader.take(std::string(AnswerReader::kHeadBytesMax, 'x')), Outcome::kMore);
  EXPECT_EQ(reader.take("x"), Outcome::kWrong);
  EXPECT_THAT(reader.fault(), HasSubstr("too large"));
}

}  // namespace
}  // namespace subito::bench
