#include "runtime/http/path.h"

#include <gtest/gtest.h>

namespace subito::http {
namespace {

TEST(PercentDecodeTest, DecodesEachEscapeOnce) {
  EXPECT_EQ(*percent_decode("a%20b%2Fc%252f+"), "a b/c%2f+");
}

TEST(PercentDecodeTest, RefusesMalformedEscapesAndNul) {
  for (const std::string_view bad : {"%", "%2", "%zz", "a%2", "%00", "%-1"}) {
    EXPECT_FALSE(percent_decode(bad)) << bad;
    EXPECT_FALSE(normalize_path("/" + std::string(bad))) << bad;
  }
}

TEST(PercentDecodeTest, ReadsLenientlyWhatARouterReads) {
  EXPECT_EQ(percent_decode_leniently("/%64u%65"), "/due");
  EXPECT_EQ(percent_decode_leniently("%2F%zz%2"), "/%zz%2");
  EXPECT_EQ(percent_decode_leniently("a%00"), std::string("a\0", 2));
}

TEST(PercentEncodeTest, LeavesWhatIsUnreservedAndIsUndoneByDecoding) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("a b/\xc3\xa9%"), "a%20b%2F%C3%A9%25");
  EXPECT_EQ(percent_decode(percent_encode("a b/\xc3\xa9%")).value(), "a b/\xc3\xa9%");
}

TEST(NormalizePathTest, GivesAPathItsOneSpelling) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/a/", "/a/"},
      {"/%61%2d%7E", "/a-~"},
      {"/a%20b%c3%a4", "/a%20b%C3%A4"},
      {"/a%2fb", "/a%2Fb"},
      {"/a/./b", "/a/b"},
      {"/a/../b", "/b"},
      {"/a/%2e%2E/b", "/b"},
      {"/a/b/..", "/a/"},
      {"/a/b/.", "/a/b/"},
      {"/a//b", "/a//b"},
      {"/a/..", "/"},
      {"/.../..a/a..", "/.../..a/a.."},
      {"/a/%2e%2e%2fb", "/a/..%2Fb"},
  };
  for (const auto& [path, expected] : cases) {
    const auto got = normalize_path(path);
    ASSERT_TRUE(got) << path;
    EXPECT_EQ(*got, expected) << path;
    EXPECT_EQ(*normalize_path(*got), *got) << path;
  }
}

TEST(NormalizePathTest, NeverClimbsAboveTheRoot) {
  for (const std::string_view bad : {"/..", "/a/../..", "/%2e%2e/a", "/a/../../b", "a", ""}) {
    EXPECT_FALSE(normalize_path(bad)) << bad;
  }
}

}  // namespace
}  // namespace subito::http
