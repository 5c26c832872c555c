#include "functions/shop/lines.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace shop {
namespace {

Lines read(const std::string& lines) {
  return read_lines(Json::parse("{\"lines\":" + lines + "}"));
}

TEST(LinesTest, MergesAndOrdersSoThatNoCheckIsPassedTwice) {
  const Lines lines =
      read(R"([{"productId":"3","quantity":2},{"productId":"1","quantity":1,"price":0.01},)"
           R"({"productId":"3","quantity":4}])");
  EXPECT_EQ(lines, (Lines{{"1", 1, {}}, {"3", 6, {}}}));
  EXPECT_EQ(to_text(lines), "1=1,3=6");
}

TEST(LinesTest, RefusesWhatIsNoLine) {
  std::string many = "[";
  for (int i = 0; i <= 100; ++i) many += R"({"productId":"1","quantity":1},)";
  many.back() = ']';
  for (const std::string& lines :
       {std::string("[]"), std::string("{}"), std::string("[1]"), many,
        std::string(R"([{"productId":"1"}])"), std::string(R"([{"quantity":1}])"),
        std::string(R"([{"productId":1,"quantity":1}])"),
        std::string(R"([{"productId":"a b","quantity":1}])"),
        std::string(R"([{"productId":"1,2=3","quantity":1}])"),
        std::string(R"([{"productId":"1","quantity":0}])"),
        std::string(R"([{"productId":"1","quantity":-1}])"),
        std::string(R"([{"productId":"1","quantity":1.5}])"),
        std::string(R"([{"productId":"1","quantity":"1"}])"),
        std::string(R"([{"productId":"1","quantity":1000001}])"),
        std::string(R"([{"productId":"1","quantity":18446744073709551615}])"),
        std::string(R"([{"productId":"1","quantity":1000000},{"productId":"1","quantity":1}])")}) {
    EXPECT_THROW(read(lines), subito::HttpError) << lines;
  }
}

TEST(LinesTest, AreTheSameAfterStorage) {
  const Lines lines{{"1", 2, 120}, {"b-2", 1, {}}};
  EXPECT_EQ(to_text(lines), "1=2@120,b-2=1");
  EXPECT_EQ(lines_of_text(to_text(lines)), lines);
  EXPECT_EQ(lines_of_text(""), Lines{});
  for (const char* text : {"1", "1=", "1=x", "1=2@", "1=2,,"}) {
    EXPECT_THROW(lines_of_text(text), std::invalid_argument) << text;
  }
}

TEST(LinesTest, AddUpExactlyOrNotAtAll) {
  EXPECT_EQ(total_minor({{"1", 3, 120}, {"3", 2, 4550}}), 9460);
  EXPECT_EQ(total_minor({{"1", 1'000'000, 9'300'000'000'000}}), std::nullopt);
  EXPECT_THROW((void)total_minor({{"1", 3, {}}}), std::invalid_argument);
}

}  // namespace
}  // namespace shop
