#include "functions/shop/delivered.h"

#include <gtest/gtest.h>

namespace shop {
namespace {

using subito::Request;

Request batch_of(const std::string& body) {
  return Request("POST", "/events", {{"content-type", "application/cloudevents-batch+json"}}, body);
}

int status_of(const Request& request) {
  try {
    delivered_events(request);
    return 200;
  } catch (const subito::HttpError& error) {
    return error.status();
  }
}

TEST(Delivered, OneEventIsTheRequest) {
  const auto events = delivered_events(
      Request("POST", "/events", {{"ce-id", "12-0"}, {"ce-type", "shop.v1.A"}}, "\x01"));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].id, "12-0");
  EXPECT_EQ(events[0].event.type, "shop.v1.A");
  EXPECT_EQ(events[0].event.data, "\x01");
}

TEST(Delivered, ABatchIsReadInItsOrderByteByByte) {
  const auto events = delivered_events(batch_of(
      R"([{"id":"1-0","type":"a","data_base64":"AP8="},{"id":"1-1","type":"b","data_base64":"+/8A"},
          {"id":"2-0","type":"c","data_base64":"QQ=="},{"id":"2-1","type":"d"}])"));
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].event.data, std::string("\0\xff", 2));
  EXPECT_EQ(events[1].event.data, std::string("\xfb\xff\0", 3));
  EXPECT_EQ(events[2].event.data, "A");
  EXPECT_EQ(events[3].event.data, "");
  EXPECT_EQ(events[3].id, "2-1");
}

TEST(Delivered, WhatIsNoDeliveryIsRefused) {
  for (const char* body :
       {"", "{}", "[1]", R"([{"id":"x"}])", R"([{"id":"1-0","data_base64":"A"}])",
        R"([{"id":"1-0","data_base64":"A-=="}])", R"([{"id":"1-0","data_base64":"===="}])"}) {
    EXPECT_EQ(status_of(batch_of(body)), 400) << body;
  }
  EXPECT_EQ(status_of(batch_of("[]")), 200);
  EXPECT_EQ(status_of(Request("POST", "/events")), 400);
}

TEST(Delivered, TheAnswerNamesWhatIsToComeAgain) {
  EXPECT_FALSE(all_but({}).headers().get("subito-failed").has_value());
  EXPECT_EQ(all_but({"1-0", "2-0"}).headers().get("subito-failed"), "1-0, 2-0");
  EXPECT_EQ(all_but({"1-0"}).status(), 204);
}

}  // namespace
}  // namespace shop
