#include "runtime/http/response_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace subito::http {
namespace {

// Feeds `bytes` in pieces of `step`, then the end of the connection if `closed`.
std::string parse(std::string_view bytes, std::size_t step, bool closed, bool asked_head) {
  ResponseParser parser({});
  if (asked_head) parser.expect_no_body();
  std::string out;
  const auto tell = [&](Event event) {
    if (event == Event::kHead) {
      const ResponseHead head = std::move(parser.head());
      out += std::to_string(head.status) + (parser.keep_alive() ? " keep" : " close");
      for (const auto& [name, value] : head.fields) out += "\n" + name + ": " + value;
      out += "\n[";
    } else if (event == Event::kBody) {
      out += parser.body();
    } else if (event == Event::kEnd) {
      out += "]\n";
    } else if (event == Event::kRejected) {
      out += "rejected";
    }
    return event != Event::kMore && event != Event::kRejected;
  };
  while (!bytes.empty()) {
    std::string_view input = bytes.substr(0, step);
    bytes.remove_prefix(input.size());
    while (tell(parser.next(input))) {
    }
    if (parser.rejection().status != 0) return out;
  }
  if (closed) tell(parser.finish());
  return out;
}

std::string parse(std::string_view bytes, bool closed = false, bool asked_head = false) {
  const std::string whole = parse(bytes, bytes.size(), closed, asked_head);
  EXPECT_EQ(parse(bytes, 1, closed, asked_head), whole);
  return whole;
}

TEST(ResponseParserTest, ReadsABodyByItsLength) {
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b \r\n\r\nhi"
                  "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n"),
            "200 keep\nx-a: b\n[hi]\n404 keep\n[]\n");
}

TEST(ResponseParserTest, ReadsAChunkedBody) {
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
            "200 keep\n[hi]\n");
}

TEST(ResponseParserTest, ReadsABodyUntilTheConnectionCloses) {
  EXPECT_EQ(parse("HTTP/1.0 200 OK\r\n\r\nall of it", true), "200 close\n[all of it]\n");
}

TEST(ResponseParserTest, SkipsInterimAnswers) {
  EXPECT_EQ(parse("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                  "HTTP/1.1 204 No Content\r\n\r\n"),
            "204 keep\n[]\n");
}

TEST(ResponseParserTest, ExpectsNoBodyBehindHeadAndNotModified) {
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", false, true), "200 keep\n[]\n");
  EXPECT_EQ(parse("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"), "304 keep\n[]\n");
}

TEST(ResponseParserTest, SaysWhetherTheConnectionMayBeUsedAgain) {
  EXPECT_EQ(parse("HTTP/1.1 204 a\r\nConnection: close\r\n\r\n"), "204 close\n[]\n");
  EXPECT_EQ(parse("HTTP/1.0 204 a\r\nConnection: keep-alive\r\n\r\n"), "204 keep\n[]\n");
}

TEST(ResponseParserTest, RefusesACutAnswer) {
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", true), "200 keep\n[hirejected");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", true),
            "200 keep\n[hirejected");
  EXPECT_EQ(parse("HTTP/1.1 200", true), "rejected");
}

TEST(ResponseParserTest, RefusesWhatIsAmbiguous) {
  for (const std::string_view bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\nX: a\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 999 Odd\r\n\r\n", "RTSP/1.0 200 OK\r\n\r\n"}) {
    EXPECT_EQ(parse(bytes), "rejected") << bytes;
  }
}

TEST(ResponseParserTest, IsAtRestBetweenAnswers) {
  EXPECT_EQ(parse("HTTP/1.1 204 a\r\n\r\n", true), "204 keep\n[]\n");
}

}  // namespace
}  // namespace subito::http
