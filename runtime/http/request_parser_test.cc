#include "runtime/http/request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "runtime/http/malformed_requests.h"

namespace subito::http {
namespace {

using testing::ElementsAre;
using testing::Pair;

// What a parser said of some bytes, as text: equal texts are equal events.
struct Transcript {
  std::string text;
  int status = 0;
  std::size_t requests = 0;
};

void tell_head(RequestParser& parser, Transcript& out) {
  const RequestHead head = std::move(parser.head());
  out.text += head.method + " " + head.path + " ? " + head.query + " @ " + head.host + " 1." +
              std::to_string(head.minor_version) + (head.chunked ? " chunked" : "") +
              (head.content_length ? " " + std::to_string(*head.content_length) : "") +
              (parser.has_body() ? " body" : "") + (parser.keep_alive() ? " keep" : " close") +
              (parser.expects_continue() ? " expects" : "");
  for (const auto& [name, value] : head.fields) out.text += "\n" + name + ": " + value;
  out.text += "\n[";
}

// Feeds `bytes` in pieces of `step`.
Transcript parse(std::string_view bytes, std::size_t step, const ParserLimits& limits = {}) {
  RequestParser parser(limits);
  Transcript out;
  while (!bytes.empty()) {
    std::string_view input = bytes.substr(0, step);
    bytes.remove_prefix(input.size());
    for (bool more = true; more;) {
      switch (parser.next(input)) {
        case Event::kMore:
          EXPECT_TRUE(input.empty());
          more = false;
          break;
        case Event::kHead:
          tell_head(parser, out);
          break;
        case Event::kBody:
          out.text += parser.body();
          break;
        case Event::kEnd:
          out.text += "]\n";
          ++out.requests;
          break;
        case Event::kRejected:
          out.status = parser.rejection().status;
          out.text += "rejected: " + std::string(parser.rejection().reason);
          EXPECT_EQ(parser.next(input), Event::kRejected);
          return out;
      }
    }
  }
  return out;
}

Transcript parse_whole(std::string_view bytes, const ParserLimits& limits = {}) {
  const Transcript whole = parse(bytes, bytes.size(), limits);
  EXPECT_EQ(parse(bytes, 1, limits).text, whole.text);
  EXPECT_EQ(parse(bytes, 7, limits).text, whole.text);
  return whole;
}

RequestHead head_of(std::string_view bytes) {
  RequestParser parser({});
  EXPECT_EQ(parser.next(bytes), Event::kHead) << parser.rejection().reason;
  return std::move(parser.head());
}

class MalformedRequestTest : public testing::TestWithParam<MalformedRequest> {};

TEST_P(MalformedRequestTest, IsRefusedWithItsStatusHoweverItIsCut) {
  EXPECT_EQ(parse_whole(GetParam().bytes).status, GetParam().status)
      << parse_whole(GetParam().bytes).text;
}

INSTANTIATE_TEST_SUITE_P(All, MalformedRequestTest, testing::ValuesIn(malformed_requests()),
                         [](const auto& test) { return test.param.name; });

TEST(RequestParserTest, ReadsTheSimplestRequest) {
  const RequestHead head = head_of("GET /a%20b?c=d HTTP/1.1\r\nHost: example.org:80\r\n\r\n");
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.path, "/a%20b");
  EXPECT_EQ(head.query, "c=d");
  EXPECT_EQ(head.host, "example.org:80");
  EXPECT_THAT(head.fields, ElementsAre(Pair("host", "example.org:80")));
  EXPECT_FALSE(head.content_length);
  EXPECT_FALSE(head.chunked);
}

TEST(RequestParserTest, StopsAtTheEndOfEachPipelinedRequest) {
  const std::string two =
      "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
  RequestParser parser({});
  std::string_view input = two;
  EXPECT_EQ(parser.next(input), Event::kHead);
  EXPECT_EQ(parser.next(input), Event::kBody);
  EXPECT_EQ(parser.body(), "abc");
  EXPECT_EQ(parser.next(input), Event::kEnd);
  EXPECT_TRUE(parser.between_requests());
  EXPECT_EQ(input.substr(0, 6), "GET /2");
  EXPECT_EQ(parser.next(input), Event::kHead);
  EXPECT_FALSE(parser.has_body());
  EXPECT_EQ(parser.next(input), Event::kEnd);
  EXPECT_EQ(parser.next(input), Event::kMore);
  EXPECT_EQ(parse_whole(two + two).requests, 4U);
}

TEST(RequestParserTest, PutsChunksTogetherAndDropsExtensionsAndTrailers) {
  const Transcript got = parse_whole(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3\r\nabc\r\n00a;x=y ;z=\"q r\"\r\n0123456789\r\n1 ; t\r\n!\r\n0\r\nSum: 1\r\n\r\n");
  EXPECT_EQ(got.text, "POST / ?  @ a 1.1 chunked body keep\nhost: a\n[abc0123456789!]\n");
}

TEST(RequestParserTest, LowersNamesTrimsValuesAndKeepsOrderAndRepeats) {
  const RequestHead head =
      head_of("GET / HTTP/1.1\r\nHOST:a\r\nX-B: \t 1  2\t \r\nX-A:\r\nx-b: \xe4\r\n\r\n");
  EXPECT_THAT(head.fields, ElementsAre(Pair("host", "a"), Pair("x-b", "1  2"), Pair("x-a", ""),
                                       Pair("x-b", "\xe4")));
}

TEST(RequestParserTest, DropsWhatSpeaksAboutOneConnectionOnly) {
  const RequestHead head = head_of(
      "POST / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Mine, host\r\nX-Mine: 1\r\n"
      "Keep-Alive: 5\r\nTE: trailers\r\nTrailer: Sum\r\nUpgrade: h2c\r\nProxy-Connection: x\r\n"
      "Expect: 100-Continue\r\nContent-Length: 4\r\nX-Other: 2\r\n\r\n");
  EXPECT_THAT(head.fields, ElementsAre(Pair("host", "a"), Pair("x-other", "2")));
  EXPECT_EQ(head.content_length, 4U);
}

TEST(RequestParserTest, TakesTheAuthorityOfAnAbsoluteTargetForHost) {
  const RequestHead head = head_of("GET HTTP://b:81?x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(head.host, "b:81");
  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query, "x");
  EXPECT_THAT(head.fields, ElementsAre(Pair("host", "b:81")));
}

TEST(RequestParserTest, TakesAnAsteriskWithOptions) {
  EXPECT_EQ(head_of("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").path, "*");
}

TEST(RequestParserTest, TakesAnIpLiteralAsHost) {
  EXPECT_EQ(head_of("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n").host, "[::1]:8080");
}

TEST(RequestParserTest, ForgivesAnEmptyLineBetweenRequests) {
  EXPECT_EQ(parse_whole("GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
                .requests,
            2U);
}

TEST(RequestParserTest, KeepsAliveAsVersionAndConnectionSay) {
  const auto keeps = [](std::string_view version, std::string_view fields) {
    RequestParser parser({});
    const std::string bytes =
        "GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n" + std::string(fields) + "\r\n";
    std::string_view input = bytes;
    EXPECT_EQ(parser.next(input), Event::kHead);
    return parser.keep_alive();
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_FALSE(keeps("1.1", "Connection: foo, CLOSE\r\n"));
  EXPECT_FALSE(keeps("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: Keep-Alive\r\n"));
}

TEST(RequestParserTest, NeedsNoHostInHttp10) {
  EXPECT_EQ(head_of("GET / HTTP/1.0\r\n\r\n").minor_version, 0);
}

TEST(RequestParserTest, TellsOfAnExpectationOnlyWhereItMeansSomething) {
  const auto expects = [](std::string_view bytes) {
    RequestParser parser({});
    EXPECT_EQ(parser.next(bytes), Event::kHead);
    return parser.expects_continue();
  };
  EXPECT_TRUE(
      expects("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
  EXPECT_FALSE(expects("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_FALSE(
      expects("PUT / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
}

TEST(RequestParserTest, HoldsTheLimitsItWasGiven) {
  const ParserLimits limits{64, 2, 16, 4};
  const auto status = [&](const std::string& bytes) { return parse_whole(bytes, limits).status; };
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n"), 0);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nY: 1\r\n\r\n"), 431);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(64, 'x')), 431);
  EXPECT_EQ(status("GET /123456789012345 HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  EXPECT_EQ(status("GET /1234567890123456 HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
  EXPECT_EQ(status("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"), 413);
  const std::string chunked = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const ParserLimits small_body{1024, 8, 16, 4};
  EXPECT_EQ(parse_whole(chunked + "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", small_body).status, 0);
  EXPECT_EQ(parse_whole(chunked + "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", small_body).status, 413);
}

}  // namespace
}  // namespace subito::http
