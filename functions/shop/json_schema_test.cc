#include "functions/shop/json_schema.h"

#include <gtest/gtest.h>

namespace shop {
namespace {

std::string fault(const std::string& value, const std::string& schema) {
  const Json document = Json::parse(R"({"parts":{"Id":{"type":"string","pattern":"^[a-z]+$"}}})");
  return schema_fault(Json::parse(value), Json::parse(schema), document);
}

TEST(JsonSchemaTest, TakesWhatTheSchemaSays) {
  const char* const schema = R"({
    "type": "object", "required": ["id"], "additionalProperties": false,
    "properties": {
      "id": {"$ref": "#/parts/Id"},
      "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 3},
      "list": {"type": "array", "minItems": 1, "maxItems": 2,
               "items": {"type": "string", "minLength": 1, "maxLength": 2}},
      "state": {"enum": ["A", "B"]},
      "on": {"const": true},
      "one": {"oneOf": [{"type": "string"}, {"type": "boolean"}]}}})";
  EXPECT_EQ(fault(R"({"id":"a"})", schema), "");
  EXPECT_EQ(fault(R"({"id":"a","n":3,"list":["a"],"state":"B","on":true,"one":"x"})", schema), "");
  EXPECT_EQ(fault(R"({"id":"a","n":null})", schema), "");
}

TEST(JsonSchemaTest, SaysWhereAndWhyAValueDoesNotFit) {
  const auto member_fault = [](const std::string& value, const std::string& schema) {
    return fault("{\"m\":" + value + "}", R"({"type":"object","properties":{"m":)" + schema + "}}");
  };
  EXPECT_EQ(member_fault("1", R"({"type":"string"})"), "/m: 1 is no \"string\"");
  EXPECT_EQ(member_fault("1.5", R"({"type":"integer"})"), "/m: 1.5 is no \"integer\"");
  EXPECT_EQ(member_fault("\"A\"", R"({"$ref":"#/parts/Id"})"),
            "/m: \"A\" does not match \"^[a-z]+$\"");
  EXPECT_EQ(member_fault("0", R"({"minimum":1})"), "/m: 0 is under 1");
  EXPECT_EQ(member_fault("4", R"({"maximum":3})"), "/m: 4 is over 3");
  EXPECT_EQ(member_fault("\"\"", R"({"minLength":1})"), "/m: \"\" is under 1");
  EXPECT_EQ(member_fault("\"abc\"", R"({"maxLength":2})"), "/m: \"abc\" is over 2");
  EXPECT_EQ(member_fault("[]", R"({"minItems":1})"), "/m: [] is under 1");
  EXPECT_EQ(member_fault("[1,2]", R"({"maxItems":1})"), "/m: [1,2] is over 1");
  EXPECT_EQ(member_fault("[1,\"a\"]", R"({"items":{"type":"integer"}})"),
            "/m/1: \"a\" is no \"integer\"");
  EXPECT_EQ(member_fault("\"C\"", R"({"enum":["A"]})"), "/m: \"C\" is none of [\"A\"]");
  EXPECT_EQ(member_fault("false", R"({"const":true})"), "/m: false is not true");
  EXPECT_EQ(member_fault("{}", R"({"required":["id"]})"), "/m: \"id\" is missing");
  EXPECT_EQ(member_fault("{\"a\":1}", R"({"additionalProperties":false})"),
            "/m: \"a\" is not documented");
  EXPECT_EQ(member_fault("{\"a\":1}", R"({"additionalProperties":{"type":"string"}})"),
            "/m/a: 1 is no \"string\"");
  EXPECT_EQ(member_fault("1", R"({"oneOf":[{"minimum":0},{"maximum":2}]})").substr(0, 27),
            "/m: matches 2 schemas, not ");
}

TEST(JsonSchemaTest, AKeywordThatNobodyChecksIsAFault) {
  EXPECT_EQ(fault("1", R"({"description":"a number","multipleOf":2})"),
            "/: nobody checks \"multipleOf\"");
}

}  // namespace
}  // namespace shop
