#include "functions/catalogue/product.h"

#include <gtest/gtest.h>

namespace shop {
namespace {

Product read(const std::string& body) {
  return read_product(Json::parse(body));
}

TEST(ProductTest, TakesWhatIsAProductAndIgnoresTheRest) {
  const Product product =
      read(R"({"sku":"a-1","name":"Säge","priceMinor":990,"tags":["b","a","b"],)"
           R"("id":"7","price":0.01,"version":9})");
  EXPECT_EQ(product, (Product{"", "Säge", "", 990, "a-1", {"a", "b"}, 1}));
}

TEST(ProductTest, WhatItWritesItCanReadAgain) {
  Product product{"7", "A \"b\"", "c", 990, "a-1", {"x", "y"}, 3};
  JsonWriter out;
  write_product(out, product);
  const std::string text = out.take();
  EXPECT_EQ(text, R"({"id":"7","sku":"a-1","name":"A \"b\"","description":"c","price":9.9,)"
                  R"("priceMinor":990,"currency":"GBP","tags":["x","y"],"version":3})"
                  "\n");
  product.id = "";
  product.version = 1;
  EXPECT_EQ(read(text), product);
  EXPECT_EQ(tags_of_text(to_text(product.tags)), product.tags);
  EXPECT_TRUE(tags_of_text("").empty());
}

struct BadCase {
  const char* member;
  std::string value;  // none: the member is not there
  int status;
};

TEST(ProductTest, NamesTheMemberThatIsWrong) {
  const BadCase cases[] = {{"sku", "", 400},
                           {"sku", "7", 400},
                           {"sku", "\"a b\"", 422},
                           {"sku", "\"\"", 422},
                           {"name", "", 400},
                           {"name", "\"\"", 422},
                           {"name", "\"a\\nb\"", 422},
                           {"name", "\"  \"", 422},
                           {"name", "\"a\\u202eb\"", 422},
                           {"description", "\"a\\u2066b\"", 422},
                           {"name", "\"" + std::string(kNameBytesMax + 1, 'a') + "\"", 422},
                           {"description", "1", 400},
                           {"description", "\"" + std::string(1001, 'a') + "\"", 422},
                           {"priceMinor", "", 400},
                           {"priceMinor", "1.5", 400},
                           {"priceMinor", "\"1\"", 400},
                           {"priceMinor", "0", 422},
                           {"priceMinor", "-1", 422},
                           {"priceMinor", "1000000000001", 422},
                           {"priceMinor", "18446744073709551615", 422},
                           {"tags", "\"a\"", 400},
                           {"tags", "[1]", 400},
                           {"tags", "[\"a,b\"]", 422},
                           {"tags", R"(["1","2","3","4","5","6","7","8","9","10","11"])", 422}};
  for (const auto& [name, value, status] : cases) {
    Json body = Json::parse(R"({"sku":"1","name":"a","priceMinor":1})");
    body.erase(name);
    if (!value.empty()) body[name] = Json::parse(value);
    try {
      read_product(body);
      ADD_FAILURE() << body << " was taken";
    } catch (const subito::HttpError& error) {
      EXPECT_EQ(error.status(), status) << body;
      EXPECT_EQ(std::string(error.what()).find("\"" + std::string(name) + "\" is "), 0u)
          << error.what();
    }
  }
}

TEST(ProductTest, ItsEventsAreNamedAsTheirMessages) {
  EXPECT_EQ(created_event({}).type, "shop.v1.ProductCreated");
  EXPECT_EQ(changed_event({}).type, "shop.v1.ProductChanged");
  EXPECT_EQ(deleted_event({}).type, "shop.v1.ProductDeleted");
}

}  // namespace
}  // namespace shop
