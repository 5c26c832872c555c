#include "functions/checkout/checkout.h"

#include <gtest/gtest.h>
#include <subito/testing.h>

#include "functions/checkout/history.h"

namespace shop {
namespace {

using subito::HttpError;
using subito::Request;

std::string refused(const std::function<void()>& call) {
  try {
    call();
    return "";
  } catch (const HttpError& error) {
    return std::to_string(error.status()) + " " + error.type();
  }
}

Wish read(const std::string& body, const std::string& prefer = "") {
  subito::Headers headers{{"Idempotency-Key", "k"}};
  if (!prefer.empty()) headers.add("Prefer", prefer);
  return read_wish(Request("POST", "/orders", headers, body));
}

TEST(CheckoutTest, AKeyMustBeThereAndPlain) {
  const auto key = [](const std::string& value) {
    return idempotency_key(Request("POST", "/orders", {{"Idempotency-Key", value}}));
  };
  EXPECT_EQ(key("abc-1"), "abc-1");
  EXPECT_THROW(key(""), HttpError);
  EXPECT_THROW(key("a b"), HttpError);
  EXPECT_THROW(key(std::string(129, 'a')), HttpError);
  EXPECT_THROW(idempotency_key(Request("POST", "/orders")), HttpError);
}

TEST(CheckoutTest, AnOrderIsOfAGuestUnlessItSaysOfWhom) {
  const std::string lines = R"("lines":[{"productId":"1","quantity":2}]})";
  EXPECT_EQ(read("{" + lines).customer, "guest");
  EXPECT_EQ(read("{\"customer\":null," + lines).customer, "guest");
  const Wish wish = read("{\"customer\":\"ada\"," + lines);
  EXPECT_EQ(wish.customer, "ada");
  EXPECT_EQ(wish.key, "k");
  EXPECT_EQ(wish.lines, (Lines{{"1", 2, {}}}));
  EXPECT_FALSE(wish.respond_async);
  for (const char* customer : {"\"\"", "\"a b\"", "\"a:b\"", "7", "[]"}) {
    EXPECT_EQ(refused([&] { read("{\"customer\":" + std::string(customer) + "," + lines); }),
              "400 bad-customer")
        << customer;
  }
}

TEST(CheckoutTest, AnOrderMaySayWhichTotalItExpects) {
  const auto expected = [](const std::string& value) {
    return read(R"({"lines":[{"productId":"1","quantity":2}],"expectedTotalMinor":)" + value + "}")
        .expected_minor;
  };
  EXPECT_EQ(read(R"({"lines":[{"productId":"1","quantity":2}]})").expected_minor, std::nullopt);
  EXPECT_EQ(expected("null"), std::nullopt);
  EXPECT_EQ(expected("0"), 0);
  EXPECT_EQ(expected("9223372036854775807"), 9'223'372'036'854'775'807);
  for (const char* value : {"-1", "1.5", "\"240\"", "[]", "1e30", "9223372036854775808"}) {
    EXPECT_EQ(refused([&] { expected(value); }), "400 bad-expected-total") << value;
  }
}

TEST(CheckoutTest, ReadsThePreferenceForAnAnswerAtOnce) {
  const auto prefers = [](const std::string& value) {
    return prefers_async(Request("POST", "/orders", {{"Prefer", value}}));
  };
  for (const char* value : {"respond-async", "Respond-Async", "wait=10, respond-async",
                            " respond-async ; x=1,wait=1", "a;b, respond-async"}) {
    EXPECT_TRUE(prefers(value)) << value;
  }
  for (const char* value : {"", "respond", "respond-async2", "x; respond-async", "wait=5,,"}) {
    EXPECT_FALSE(prefers(value)) << value;
  }
  EXPECT_FALSE(prefers_async(Request("POST", "/orders")));
}

TEST(CheckoutTest, APageIsBoundedAndItsCursorIsOneOfOurs) {
  const auto page = [](const std::string& query) {
    return page_asked(Request("GET", "/customers/ada/orders" + query));
  };
  EXPECT_EQ(page("").limit, kPageDefault);
  EXPECT_EQ(page("?limit=100").limit, 100u);
  Order order;
  order.id = std::string(32, 'f');
  order.placed_ms = 1'764'146'351'007;
  EXPECT_EQ(history_entry(order), "001764146351007-" + order.id);
  EXPECT_EQ(page("?cursor=" + history_entry(order)).after, history_entry(order));
  for (const char* limit : {"0", "-1", "101", "1.5", "a", "", "99999999999999999999", "1%20"}) {
    EXPECT_EQ(refused([&] { page("?limit=" + std::string(limit)); }), "400 bad-limit") << limit;
  }
  for (const std::string& cursor : {std::string(""), std::string("a"), std::string("0-") + order.id,
                                    "001764146351007-" + std::string(32, 'g'),
                                    "00176414635100x-" + order.id, history_entry(order) + "0"}) {
    EXPECT_EQ(refused([&] { page("?cursor=" + cursor); }), "400 bad-cursor") << cursor;
  }
}

TEST(CheckoutTest, OfABatchOfEventsTheUnreadableAreNamedToComeAgain) {
  subito::testing::TestContext context({.function = "checkout"});
  context.add_redis("redis");
  const Request batch("POST", "/events", {{"content-type", "application/cloudevents-batch+json"}},
                      R"([{"id":"1-0","type":"shop.v1.OrderPlaced","data_base64":"/w=="},
                          {"id":"1-1","type":"shop.v1.Other","data_base64":"/w=="},
                          {"id":"1-2","type":"shop.v1.OrderCompleted","data_base64":"/w=="}])");
  const subito::Response answer = subito::testing::answer_of(checkout_router(), batch, context);
  EXPECT_EQ(answer.status(), 204);
  EXPECT_EQ(answer.headers().get("subito-failed"), "1-0, 1-2");
}

TEST(CheckoutTest, TheTriggersAndTheMaintenanceRefuseWhatIsNotForThem) {
  subito::testing::TestContext context({.function = "checkout"});
  context.add_redis("redis");
  const auto ask = [&](const Request& request) {
    return subito::testing::answer_of(checkout_router(), request, context).status();
  };
  EXPECT_EQ(ask(Request("POST", "/due")), 400);
  EXPECT_EQ(ask(Request("POST", "/due", {{"ce-subject", "a b"}})), 400);
  EXPECT_EQ(ask(Request("POST", "/events")), 400);
  for (const char* id : {"", "1", "-1", "1-", "1-2-3", "a-1"}) {
    EXPECT_EQ(ask(Request("POST", "/events", {{"ce-id", id}})), 400) << id;
  }
  EXPECT_EQ(ask(Request("POST", "/events", {{"ce-id", "1-0"}, {"ce-type", "shop.v1.Other"}})), 204);
  EXPECT_EQ(ask(Request("POST", "/events", {{"ce-id", "1-0"}, {"ce-type", "shop.v1.OrderPlaced"}},
                        "\xff")),
            422);
  EXPECT_EQ(ask(Request("POST", "/history/rebuild")), 404);
  EXPECT_EQ(ask(Request("GET", "/customers/a%20b/orders")), 400);
  EXPECT_EQ(ask(Request("GET", "/orders/a%20b")), 404);
}

}  // namespace
}  // namespace shop
