#include "functions/shop/openapi_check.h"

#include <gtest/gtest.h>

namespace shop {
namespace {

using subito::Request;
using subito::Response;

constexpr std::string_view kDocument = R"({
  "openapi": "3.1.0",
  "paths": {
    "/things/{id}": {
      "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {
        "parameters": [{"name": "n", "in": "query", "schema": {"type": "integer"}}],
        "x-problem-types": {"404": ["unknown", "gone"]},
        "responses": {
          "200": {
            "description": "it",
            "headers": {"ETag": {"required": true, "schema": {"type": "string"}}},
            "content": {"application/json": {"schema": {"type": "object"}}}},
          "304": {"description": "known"},
          "404": {"$ref": "#/components/responses/Problem"}}},
      "put": {
        "requestBody": {"required": true, "content": {"application/json": {"schema":
          {"type": "object", "required": ["a"]}}}},
        "responses": {"204": {"description": "done"}}}},
    "/things/first": {"get": {"responses": {"204": {"description": "none"}}}}},
  "components": {"responses": {"Problem": {"description": "a problem", "content": {
    "application/problem+json": {"schema": {"type": "object", "required": ["type"]}}}}}}
})";

class OpenApiCheckTest : public testing::Test {
 protected:
  std::string get(const std::string& target, const Response& answer) {
    return check_.fault(Request("GET", target), answer);
  }
  static Response thing() { return Response::json("{}").header("etag", "\"1\""); }

  OpenApiCheck check_{kDocument};
};

TEST_F(OpenApiCheckTest, TakesWhatIsDocumentedAndTellsWhatWasNeverProduced) {
  EXPECT_EQ(get("/things/1?n=3", thing()), "");
  EXPECT_EQ(get("/things/1", Response::problem(404, "unknown", "no such thing")), "");
  EXPECT_EQ(get("/things/first", Response(204)), "");
  EXPECT_EQ(check_.fault(Request("PUT", "/things/1", {}, R"({"a":1})"), Response(204)), "");
  EXPECT_EQ(check_.never_produced(),
            (std::vector<std::string>{"GET /things/{id} 304", "GET /things/{id} 404 gone"}));
  EXPECT_EQ(OpenApiCheck("").fault(Request("GET", "/"), Response(200)), "");
}

TEST_F(OpenApiCheckTest, FindsWhatIsNotDocumented) {
  EXPECT_EQ(get("/things/1", Response(500)), "GET /things/1: 500 is not documented: ");
  EXPECT_EQ(get("/things/1", Response::json("{}")), "GET /things/1: 200: header ETag is missing");
  EXPECT_EQ(get("/things/1", thing().header("x-more", "1")),
            "GET /things/1: 200: header x-more is not documented");
  EXPECT_EQ(get("/things/1", Response::text("{}").header("etag", "\"1\"")),
            "GET /things/1: 200: content type \"text/plain\" is not documented");
  EXPECT_EQ(get("/things/1", Response::json("[]").header("etag", "\"1\"")),
            "GET /things/1: 200: /: [] is no \"object\"");
  EXPECT_EQ(get("/things/1", Response::json("{").header("etag", "\"1\"")),
            "GET /things/1: 200: the body is no JSON: {");
  EXPECT_EQ(get("/things/1", Response::text("x", 304)),
            "GET /things/1: 304: a body, where none is documented: x");
  EXPECT_EQ(get("/things/1", Response::json(R"({"type":"a","status":400})", 404)
                                 .header("content-type", "application/problem+json")),
            R"(GET /things/1: 404: the problem's status is another: {"type":"a","status":400})");
  EXPECT_EQ(get("/things/1", Response::problem(404, "lost", "no such thing")),
            R"(GET /things/1: 404: the problem's type "lost" is not documented)");
  EXPECT_EQ(get("/things/1?n=x", thing()).substr(0, 27), "GET /things/1: taken with n");
}

TEST_F(OpenApiCheckTest, FindsARequestThatShouldNotHaveBeenTaken) {
  const auto put = [&](const std::string& body) {
    return check_.fault(Request("PUT", "/things/1", {}, body), Response(204));
  };
  EXPECT_EQ(put(""), "PUT /things/1: taken without a body");
  EXPECT_EQ(put("{}"),
            "PUT /things/1: taken with a body that is not documented: /: \"a\" is missing");
}

TEST_F(OpenApiCheckTest, WhatIsNotInTheDocumentIsRefused) {
  EXPECT_EQ(get("/other", Response::problem(404, "not-found", "nothing")), "");
  EXPECT_NE(get("/other", Response(200)), "");
  const Request remove("DELETE", "/things/1");
  EXPECT_EQ(check_.fault(remove, Response(405).header("allow", "GET, PUT")), "");
  EXPECT_NE(check_.fault(remove, Response(405)), "");
  EXPECT_NE(check_.fault(remove, Response(204)), "");
}

}  // namespace
}  // namespace shop
