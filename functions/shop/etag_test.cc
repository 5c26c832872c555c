#include "functions/shop/etag.h"

#include <gtest/gtest.h>

namespace shop {
namespace {

using subito::Request;
using subito::Response;

int status_of_if_match(const std::string& value) {
  try {
    versions_of_if_match(Request("PUT", "/", {{"If-Match", value}}));
    return 200;
  } catch (const subito::HttpError& error) {
    return error.status();
  }
}

TEST(EtagTest, IfMatchNamesAVersionOrNothing) {
  EXPECT_EQ(versions_of_if_match(Request("PUT", "/", {{"If-Match", etag_of_version(7)}})),
            std::vector<std::int64_t>{7});
  EXPECT_EQ(versions_of_if_match(Request("PUT", "/", {{"If-Match", " * "}})),
            std::vector<std::int64_t>{});
  EXPECT_EQ(
      versions_of_if_match(Request("PUT", "/", {{"If-Match", "\"7\", W/\"8\",\"x\" , \"9\""}})),
      (std::vector<std::int64_t>{7, 9}));
  for (const char* value : {"7", "\"\"", "\"x\"", "W/\"7\"", "W/\"7\", x", "\"-1\"", "\"0\"",
                            "\"99999999999999999999\""}) {
    EXPECT_EQ(status_of_if_match(value), 412) << value;
  }
  try {
    versions_of_if_match(Request("PUT", "/"));
    ADD_FAILURE() << "taken without If-Match";
  } catch (const subito::HttpError& error) {
    EXPECT_EQ(error.status(), 428);
  }
}

TEST(EtagTest, WhatTheClientHasIsNotSentAgain) {
  const auto status = [](const std::string& known) {
    const Request request("GET", "/", {{"If-None-Match", known}});
    return tagged(request, Response::json("{}"), "\"7\"").status();
  };
  for (const char* known : {"\"7\"", "W/\"7\"", "\"6\", \"7\"", "*"}) EXPECT_EQ(status(known), 304);
  for (const char* known : {"\"6\"", "7", "", "\"77\""}) EXPECT_EQ(status(known), 200) << known;
  const Request request("GET", "/", {{"If-None-Match", "\"7\""}});
  const Response known = tagged(request, Response::json("{}"), "\"7\"");
  EXPECT_EQ(known.body(), "");
  EXPECT_EQ(known.headers().get("etag"), "\"7\"");
  EXPECT_FALSE(known.headers().get("content-type"));
}

TEST(EtagTest, BytesHaveTheTagOfTheirHash) {
  const auto tag = [](const std::string& body) {
    return std::string(*tagged(Request("GET", "/"), Response::json(body)).headers().get("etag"));
  };
  EXPECT_EQ(tag(""), "\"cbf29ce484222325\"");
  EXPECT_EQ(tag("a"), "\"af63dc4c8601ec8c\"");
  EXPECT_NE(tag("ab"), tag("ba"));
}

TEST(EtagTest, APageThatNowLeadsToAnotherHasAnotherTag) {
  const auto tag = [](const std::string& link) {
    Response page = Response::json("[]");
    if (!link.empty()) page.header("link", link);
    return std::string(*tagged(Request("GET", "/"), std::move(page)).headers().get("etag"));
  };
  EXPECT_NE(tag(""), tag("</products?cursor=a>; rel=\"next\""));
}

}  // namespace
}  // namespace shop
