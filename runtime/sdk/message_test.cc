#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "runtime/sdk/access.h"
#include "runtime/sdk/include/subito/function.h"
#include "runtime/sdk/listen_environment.h"
#include "runtime/sdk/logger.h"
#include "runtime/sdk/text.h"

namespace subito {
namespace {

TEST(HeadersTest, AreFoundWithoutRegardToCaseAndKeepTheirOrder) {
  Headers headers = {{"Content-Type", "text/plain"}, {"X-A", "1"}};
  headers.add("x-a", "2");
  EXPECT_EQ(headers.get("X-a"), "1");
  EXPECT_EQ(headers.fields().size(), 3U);
  EXPECT_EQ(headers.fields()[0].first, "content-type");
  headers.set("X-A", "3");
  EXPECT_EQ(headers.get("x-a"), "3");
  EXPECT_EQ(headers.fields().size(), 2U);
  EXPECT_FALSE(headers.get("missing"));
}

TEST(HeadersTest, RefuseWhatWouldSplitAMessage) {
  Headers headers;
  EXPECT_THROW(headers.add("location", "/a\r\nset-cookie: x"), std::invalid_argument);
  EXPECT_THROW(headers.set("location", std::string("/a\0b", 4)), std::invalid_argument);
  EXPECT_THROW(headers.add("a b", "x"), std::invalid_argument);
  EXPECT_THROW(headers.add("", "x"), std::invalid_argument);
  EXPECT_TRUE(headers.fields().empty());
  headers.add("x-name", "caf\xc3\xa9\tau lait");
  EXPECT_EQ(headers.get("x-name"), "caf\xc3\xa9\tau lait");
}

TEST(RequestTest, MadeByHandRefusesWhatWouldSplitAMessage) {
  EXPECT_THROW(Request("GET", "/a b"), std::invalid_argument);
  EXPECT_THROW(Request("GET", "/a\r\nhost: b"), std::invalid_argument);
  EXPECT_THROW(Request("GET", "a"), std::invalid_argument);
  EXPECT_THROW(Request("G T", "/"), std::invalid_argument);
  EXPECT_THROW(Request("", "/"), std::invalid_argument);
  EXPECT_EQ(Request("GET", "/a%20b?c=%0A").query("c"), "\n");
}

TEST(RequestTest, ReadsItsTarget) {
  const Request request("GET", "/a%20b?name=J%C3%B6rg+M&empty&x=1&x=2&y=a=b");
  EXPECT_EQ(request.path(), "/a%20b");
  EXPECT_EQ(request.query_string(), "name=J%C3%B6rg+M&empty&x=1&x=2&y=a=b");
  EXPECT_EQ(request.query("name"), "J\xc3\xb6rg M");
  EXPECT_EQ(request.query("empty"), "");
  EXPECT_EQ(request.query("x"), "1");
  EXPECT_EQ(request.query("y"), "a=b");
  EXPECT_FALSE(request.query("z"));
  EXPECT_THROW(static_cast<void>(request.param("id")), std::out_of_range);
}

TEST(RequestTest, GivesABodyMadeByHandWholeOrInPieces) {
  const std::string large(100'000, 'b');
  const Request request("POST", "/", {}, large);
  EXPECT_EQ(request.body(), large);
  EXPECT_EQ(request.stream().read().size(), 65'536U);
  EXPECT_EQ(request.stream().read().size(), 100'000U - 65'536U);
  EXPECT_EQ(request.stream().read(), "");
}

class EndlessReader final : public BodyReader {
 public:
  std::string read() override { return std::string(64 << 10, 'e'); }
};

TEST(RequestTest, RefusesABodyOverTheLimit) {
  EndlessReader reader;
  const Request request = RequestAccess::make("POST", "/", "", {}, &reader);
  try {
    static_cast<void>(request.body());
    FAIL();
  } catch (const HttpError& error) {
    EXPECT_EQ(error.status(), 413);
  }
}

TEST(ResponseTest, MakesProblemDocuments) {
  const Response response = Response::problem(409, "out-of-stock", "no \"anvil\"\n left \xff");
  EXPECT_EQ(response.status(), 409);
  EXPECT_EQ(response.headers().get("content-type"), "application/problem+json");
  EXPECT_EQ(response.body(),
            "{\"type\":\"out-of-stock\",\"title\":\"Conflict\",\"status\":409,"
            "\"detail\":\"no \\\"anvil\\\"\\n left \xef\xbf\xbd\"}\n");
}

TEST(ResponseTest, ReplacesAHeaderButAddsCookies) {
  const Response response = Response::text("x")
                                .header("Content-Type", "text/csv")
                                .header("set-cookie", "a=1")
                                .header("Set-Cookie", "b=2");
  EXPECT_EQ(response.headers().fields().size(), 3U);
  EXPECT_EQ(response.headers().get("content-type"), "text/csv");
}

TEST(TextTest, JsonStringsAreValidWhateverComesIn) {
  std::string out;
  sdk::append_json_string(out, std::string("a\0\x1f\\\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 13));
  EXPECT_EQ(out, "\"a\\u0000\\u001f\\\\\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
  for (const char* bad : {"\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\x80"}) {
    out.clear();
    sdk::append_json_string(out, bad);
    EXPECT_EQ(out.substr(0, 4), "\"\xef\xbf\xbd") << bad;
  }
}

TEST(TextTest, AJsonStringIsQuotedAndEscaped) {
  EXPECT_EQ(json_string(""), R"("")");
  EXPECT_EQ(json_string("say \"hi\"\n\x80"), "\"say \\\"hi\\\"\\n\xef\xbf\xbd\"");
}

TEST(TextTest, PercentDecodingLeavesWhatIsNoEscape) {
  EXPECT_EQ(sdk::percent_decode("%41%4a%4A", false), "AJJ");
  EXPECT_EQ(sdk::percent_decode("100%", false), "100%");
  EXPECT_EQ(sdk::percent_decode("%4", false), "%4");
  EXPECT_EQ(sdk::percent_decode("%zz+", false), "%zz+");
  EXPECT_EQ(sdk::percent_decode("a+b", true), "a b");
}

TEST(LoggerTest, LeavesOutFieldsThatDoNotFit) {
  const std::string large(sdk::kLogFieldsBytesMax, 'f');
  EXPECT_EQ(sdk::fields_as_json({{"large", large}, {"n", "1"}}), "{\"n\":\"1\"}");
  EXPECT_EQ(sdk::fields_as_json({}), "");
  EXPECT_THAT(sdk::as_json_line(2, "m", "{\"n\":\"1\"}", "r"),
              testing::EndsWith(R"(Z","level":"warning","message":"m","request_id":"r","n":"1"})"
                                "\n"));
}

TEST(EndpointTest, ReadsAddressesInTheirForms) {
  const auto redis = *sdk::parse_endpoint("redis://me:se%40cret@127.0.0.1:7000", 6379);
  EXPECT_EQ(redis.user, "me");
  EXPECT_EQ(redis.password, "se@cret");
  EXPECT_EQ(redis.port, 7000);
  EXPECT_EQ(sdk::parse_endpoint("redis://localhost", 6379)->port, 6379);
  EXPECT_EQ(sdk::parse_endpoint("http://[::1]:80/base/")->base, "/base");
  EXPECT_EQ(sdk::parse_endpoint("http://[::1]:80/base/")->host, "::1");
  EXPECT_EQ(sdk::parse_endpoint("unix:/run/x.sock")->path, "/run/x.sock");
  EXPECT_EQ(sdk::parse_endpoint("unix:///run/a@/x.sock")->path, "/run/a@/x.sock");
  const auto local = *sdk::parse_endpoint("unix://me:se%2fcret@/run/x.sock");
  EXPECT_EQ(local.path, "/run/x.sock");
  EXPECT_EQ(local.user, "me");
  EXPECT_EQ(local.password, "se/cret");
  EXPECT_FALSE(sdk::parse_endpoint("unix://me:secret@"));
  EXPECT_EQ(sdk::parse_endpoint("shop.example:80").error().message,
            "read address shop.example:80: the host is not an IP address, and a function resolves "
            "no names; write 127.0.0.1:80, localhost:80, [::1]:80 or unix:/path");
  EXPECT_THAT(sdk::parse_endpoint("shop.example", 6379).error().message,
              testing::HasSubstr("write 127.0.0.1:6379, "));
  EXPECT_EQ(sdk::parse_endpoint("9000").error().message,
            "read address 9000: it is a port without a host; write 127.0.0.1:9000");
  EXPECT_FALSE(sdk::parse_endpoint("127.0.0.1:70000"));
  EXPECT_FALSE(sdk::parse_endpoint("unix:" + std::string(108, 'x')));
}

TEST(Environment, SaysWhichVariableIsWrongAndKeepsItsPassword) {
  ::setenv("REDIS_URL", "redis://me:secret@cache:6379", 1);
  try {
    (void)sdk::redis_endpoint("stock");
    ADD_FAILURE() << "a host name is none that a function can use";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()).find("use REDIS_URL: read address cache:6379: the host"),
              0U)
        << error.what();
  }
  ::setenv("REDIS_URL_STOCK", "127.0.0.1:7000", 1);
  EXPECT_EQ(sdk::redis_endpoint("stock")->port, 7000);
  ::unsetenv("REDIS_URL_STOCK");
  ::unsetenv("REDIS_URL");
}

}  // namespace
}  // namespace subito
