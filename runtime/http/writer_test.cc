#include "runtime/http/writer.h"

#include <gtest/gtest.h>

#include "runtime/http/request_parser.h"
#include "runtime/http/response_parser.h"

namespace subito::http {
namespace {

std::string written(const ResponseHead& head, const ResponseOptions& options) {
  std::string out;
  EXPECT_TRUE(append_response_head(out, head, options));
  return out;
}

TEST(WriterTest, WritesAnAnswerWithALength) {
  ResponseHead head;
  head.fields = {{"content-type", "text/plain"}, {"x-a", ""}};
  head.content_length = 2;
  EXPECT_EQ(written(head, {Framing::kLength, true, 1, "now", "us"}),
            "HTTP/1.1 200 OK\r\nServer: us\r\nDate: now\r\nContent-Length: 2\r\n"
            "content-type: text/plain\r\nx-a: \r\n\r\n");
}

TEST(WriterTest, SaysWhatBecomesOfTheConnection) {
  EXPECT_EQ(written({204, {}, {}}, {Framing::kNone, false, 1, "", ""}),
            "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(written({204, {}, {}}, {Framing::kNone, true, 0, "", ""}),
            "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
}

TEST(WriterTest, LeavesOutFieldsThatItWritesItself) {
  const Fields fields = {{"Content-Length", "9"}, {"transfer-encoding", "gzip"},  {"date", "never"},
                         {"Connection", "x"},     {"proxy-authenticate-us", "a"}, {"server", "b"}};
  EXPECT_EQ(written({200, fields, {}}, {Framing::kChunked, true, 1, "", ""}),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(WriterTest, KeepsWhoMadeTheAnswer) {
  EXPECT_EQ(written({404, {{"proxy-status", "subito"}}, {}}, {Framing::kNone, true, 1, "", ""}),
            "HTTP/1.1 404 Not Found\r\nproxy-status: subito\r\n\r\n");
}

TEST(WriterTest, RefusesWhatWouldBeginALineOfItsOwn) {
  std::string out;
  for (const std::string& bad : {std::string("a\r\nSet-Cookie: b"), std::string("a\nb"),
                                 std::string("a\rb"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(append_response_head(out, {200, {{"x", bad}}, {}}, {}));
    EXPECT_FALSE(append_response_head(out, {200, {{bad, "x"}}, {}}, {}));
    RequestHead request;
    request.method = "GET";
    request.path = "/";
    request.host = bad;
    EXPECT_FALSE(append_request_head(out, request));
    request.host = "a";
    request.path = "/" + bad;
    EXPECT_FALSE(append_request_head(out, request));
    request.path = "/";
    request.query = bad;
    EXPECT_FALSE(append_request_head(out, request));
    request.query = "";
    request.method = bad;
    EXPECT_FALSE(append_request_head(out, request));
  }
  EXPECT_FALSE(append_response_head(out, {200, {{"", "x"}}, {}}, {}));
  EXPECT_FALSE(append_response_head(out, {99, {}, {}}, {}));
  EXPECT_FALSE(append_response_head(out, {1000, {}, {}}, {}));
  EXPECT_EQ(out, "");
}

TEST(WriterTest, FramesChunksAndNeverEndsByAccident) {
  std::string out;
  append_chunk(out, "0123456789abcdef!");
  append_chunk(out, "");
  append_last_chunk(out);
  EXPECT_EQ(out, "11\r\n0123456789abcdef!\r\n0\r\n\r\n");
}

TEST(WriterTest, OurParserReadsWhatOurWriterWrote) {
  RequestHead request;
  request.method = "POST";
  request.path = "/a%20b";
  request.query = "c=d";
  request.host = "h:1";
  request.fields = {{"host", "other"}, {"x-a", "b"}, {"connection", "close"}};
  request.chunked = true;
  std::string bytes;
  ASSERT_TRUE(append_request_head(bytes, request));
  std::string_view input = bytes;
  RequestParser parser({});
  ASSERT_EQ(parser.next(input), Event::kHead) << parser.rejection().reason;
  EXPECT_EQ(parser.head().path, "/a%20b");
  EXPECT_EQ(parser.head().query, "c=d");
  EXPECT_EQ(parser.head().host, "h:1");
  EXPECT_EQ(parser.head().fields, (Fields{{"host", "h:1"}, {"x-a", "b"}}));
  EXPECT_TRUE(parser.head().chunked);
}

TEST(DateCacheTest, WritesTheDateOfTheSecond) {
  DateCache cache;
  EXPECT_EQ(cache.at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(cache.at(784111778), "Sun, 06 Nov 1994 08:49:38 GMT");
}

}  // namespace
}  // namespace subito::http
