#include "runtime/bindings/endpoint.h"

#include <gtest/gtest.h>

namespace subito::bindings {
namespace {

TEST(EndpointTest, ReadsHostAndPortBracketsAndUnixPaths) {
  EXPECT_EQ(parse_endpoint("cache.local:6379")->host, "cache.local");
  EXPECT_EQ(parse_endpoint("127.0.0.1:1")->port, 1);
  EXPECT_EQ(parse_endpoint("[::1]:65535")->host, "::1");
  EXPECT_EQ(parse_endpoint("unix:/run/a.sock")->unix_path, "/run/a.sock");
  for (const char* text : {"cache:6379", "[::1]:80", "unix:/run/a.sock"}) {
    EXPECT_EQ(parse_endpoint(text)->text(), text);
  }
}

TEST(EndpointTest, RefusesWhatCannotBeDialled) {
  const std::string long_path = "unix:/" + std::string(kUnixPathBytesMax, 'a');
  for (const std::string& text :
       {std::string(""), std::string("cache"), std::string(":80"), std::string("cache:"),
        std::string("cache:0"), std::string("cache:65536"), std::string("cache:8x"),
        std::string("cache:-1"), std::string("::1:80"), std::string("unix:run"), long_path,
        std::string("unix:/a\0b", 9), std::string("a\0b:80", 6)}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_FALSE(endpoint.has_value()) << text;
    EXPECT_EQ(endpoint.error().code, ErrorCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(parse_endpoint("cache").error().message, "read address 'cache': no port");
}

TEST(RedisEndpointTest, ReadsALoginInFrontAndNeverRepeatsIt) {
  const auto full = parse_redis_endpoint("redis://admin:p@ss:word@cache:6379");
  EXPECT_EQ(full->user, "admin");
  EXPECT_EQ(full->password, "p@ss:word");
  EXPECT_EQ(full->endpoint.host, "cache");
  EXPECT_EQ(parse_redis_endpoint(":secret@unix:/r.sock")->user, "");
  EXPECT_EQ(parse_redis_endpoint("cache:6379")->password, "");

  for (const char* text : {"admin:secret@cache", "secret@cache:1", "admin:@cache:1"}) {
    const auto broken = parse_redis_endpoint(text);
    ASSERT_FALSE(broken.has_value()) << text;
    EXPECT_EQ(broken.error().message.find("secret"), std::string::npos) << broken.error().message;
  }
}

}  // namespace
}  // namespace subito::bindings
