#include "functions/shop/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace shop {
namespace {

TEST(JsonWriterTest, WritesNestedValuesWithCommasWhereTheyBelong) {
  JsonWriter out;
  out.open_array();
  out.open_object().key("id").text("1").key("price").money(120).key("list");
  out.open_array().integer(1).null().close_array().key("on").boolean(true).close_object();
  out.open_object().close_object();
  EXPECT_EQ(out.close_array().take(),
            "[{\"id\":\"1\",\"price\":1.2,\"list\":[1,null],\"on\":true},{}]\n");
}

TEST(JsonWriterTest, EscapesTextsAndKeeps64Bits) {
  JsonWriter out;
  out.open_object().key("a\"b").text("\n\x01\xff");
  out.key("n").integer(std::numeric_limits<std::int64_t>::max()).close_object();
  EXPECT_EQ(out.take(), "{\"a\\\"b\":\"\\n\\u0001\xEF\xBF\xBD\",\"n\":9223372036854775807}\n");
}

int status_of(const std::string& body) {
  try {
    read_object(subito::Request("POST", "/", {}, body));
    return 200;
  } catch (const subito::HttpError& error) {
    return error.status();
  }
}

TEST(JsonReadTest, TakesObjectsAlone) {
  EXPECT_EQ(status_of("{}"), 200);
  EXPECT_EQ(status_of(""), 400);
  EXPECT_EQ(status_of("[1]"), 400);
  EXPECT_EQ(status_of("{\"a\":1} x"), 400);
  EXPECT_EQ(status_of(std::string(30'000, '[')), 400);
  EXPECT_EQ(status_of("{\"a\":\"" + std::string(kBodyBytesMax, 'x') + "\"}"), 413);
}

TEST(JsonReadTest, SaysWhereABodyIsNoJson) {
  try {
    read_object(subito::Request("POST", "/", {}, R"({"lines": 1,})"));
    ADD_FAILURE() << "it was taken";
  } catch (const subito::HttpError& error) {
    EXPECT_EQ(error.type(), "bad-json");
    EXPECT_STREQ(error.what(), "the body is no JSON: it breaks off or goes wrong at byte 13");
  }
}

TEST(JsonReadTest, AMemberThatIsNotThereIsNull) {
  const Json object = Json::parse(R"({"a":"x","n":1})");
  EXPECT_EQ(text_of(object, "a"), "x");
  EXPECT_EQ(text_of(object, "n"), "");
  EXPECT_TRUE(member(object, "b").is_null());
  const Json number = 3;
  EXPECT_TRUE(member(number, "b").is_null());
}

}  // namespace
}  // namespace shop
