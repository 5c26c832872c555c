#include "runtime/http/problem.h"

#include <gtest/gtest.h>

namespace subito::http {
namespace {

TEST(ProblemTest, SaysTypeTitleStatusAndDetail) {
  EXPECT_EQ(problem_json(429, "queue-full", "full"),
            "{\"type\":\"urn:subito:problem:queue-full\",\"title\":\"Too Many Requests\","
            "\"status\":429,\"detail\":\"full\"}\n");
  EXPECT_EQ(problem_json(404, "", ""),
            "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}\n");
}

TEST(ProblemTest, EscapesWhatJsonMustHaveEscaped) {
  std::string out;
  append_json_string(out, std::string_view("a\"b\\c\n\r\t\0\x1f\x7f", 11));
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\r\\t\\u0000\\u001f\\u007f\"");
}

TEST(ProblemTest, KeepsUtf8AndReplacesWhatIsNone) {
  const auto json = [](std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
  };
  EXPECT_EQ(json("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"),
            "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\"");
  EXPECT_EQ(json("\xff"), "\"\xef\xbf\xbd\"");
  EXPECT_EQ(json("\xc3"), "\"\xef\xbf\xbd\"");                                  // cut short
  EXPECT_EQ(json("\xc0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");                  // overlong
  EXPECT_EQ(json("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");  // surrogate
}

}  // namespace
}  // namespace subito::http
