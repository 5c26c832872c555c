#include "functions/checkout/checkout.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "functions/checkout/history.h"
#include "functions/checkout/redis_order_store.h"
#include "functions/shop/delivered.h"
#include "functions/shop/service.h"

namespace shop {
namespace {

using subito::Context;
using subito::HttpError;
using subito::Request;
using subito::Response;

constexpr const char* kGuest = "guest";
// A rebuild stops this long before its invocation must, and is asked for again.
constexpr std::chrono::seconds kRebuildMargin{2};

std::string customer_of(const Json& body) {
  if (member(body, "customer").is_null()) return kGuest;
  std::string customer = text_of(body, "customer");
  if (is_id(customer)) return customer;
  throw HttpError(400, "bad-customer", "\"customer\" is 1 to 40 letters, digits, '-' and '_'");
}

std::optional<std::int64_t> expected_minor_of(const Json& body) {
  const Json& expected = member(body, "expectedTotalMinor");
  if (expected.is_null()) return std::nullopt;
  // What is too large for 64 bits with a sign comes out negative.
  if (expected.is_number_integer() && expected.get<std::int64_t>() >= 0) {
    return expected.get<std::int64_t>();
  }
  throw HttpError(400, "bad-expected-total",
                  "\"expectedTotalMinor\" is a whole number of pence, 0 or more");
}

Response place_order(const Request& request, Context& context) {
  const Wish wish = read_wish(request);
  RedisOrderStore store(context.redis("redis"));
  return Saga(context, store).place(wish);
}

Response get_order(const Request& request, Context& context) {
  const std::string& id = request.param("id");
  std::optional<Order> order;
  if (is_id(id)) order = RedisOrderStore(context.redis("redis")).find(id);
  if (!order) throw HttpError(404, "unknown-order", "there is no order " + id);
  return Response::json(to_json(*order) + "\n").header("cache-control", "no-store");
}

Response list_orders(const Request& request, Context& context) {
  const std::string& customer = request.param("customer");
  if (!is_id(customer)) {
    throw HttpError(400, "bad-customer", "a customer is 1 to 40 letters, digits, '-' and '_'");
  }
  const PageAsked asked = page_asked(request);
  return Response::json(History(context.redis("redis")).page(customer, asked))
      .header("cache-control", "no-store");
}

Response carry_on(const Request& request, Context& context) {
  const std::string order(request.header("ce-subject").value_or(""));
  if (!is_id(order)) throw HttpError(400, "bad-event", "ce-subject is the id of an order");
  RedisOrderStore store(context.redis("redis"));
  return Saga(context, store).carry_on(order);
}

// One of a kind that is not known here tells nothing about a customer's orders.
Response take_events_in(const Request& request, Context& context) {
  const std::vector<Delivered> events = delivered_events(request);
  std::vector<History::Told> told;
  std::vector<std::string> unreadable;
  for (const auto& [id, event] : events) {
    if (!is_order_event(event.type)) continue;
    try {
      told.push_back({id, order_changed(event).order});
    } catch (const std::invalid_argument& error) {
      if (events.size() == 1) throw HttpError(422, "bad-event", error.what());
      unreadable.push_back(id);
    }
  }
  History(context.redis("redis")).apply(told);
  return all_but(unreadable);
}

Response rebuild_history(const Request&, Context& context) {
  if (context.setting("maintenance") != "allow") {
    throw HttpError(404, "not-found", "the setting \"maintenance\" is not allow");
  }
  const Rebuilt rebuilt = History(context.redis("redis")).rebuild([&context] {
    return context.time_left() > kRebuildMargin;
  });
  JsonWriter out;
  out.open_object().key("done").boolean(rebuilt.done);
  out.key("generation").integer(rebuilt.generation).key("events").integer(rebuilt.events);
  out.key("skipped").integer(rebuilt.skipped);
  return Response::json(out.close_object().take());
}

}  // namespace

std::string idempotency_key(const Request& request) {
  const std::string key(idempotency_header(request).value_or(""));
  if (is_idempotency_key(key)) return key;
  throw HttpError(400, "idempotency-key-missing",
                  "an order needs the header Idempotency-Key: 1 to 128 characters of your choice, "
                  "the same when you ask again");
}

bool prefers_async(const Request& request) {
  for (const auto& [name, value] : request.headers().fields()) {
    if (name != "prefer") continue;
    std::string_view left = value;
    while (!left.empty()) {
      const std::size_t comma = left.find(',');
      std::string_view one = left.substr(0, comma);
      left.remove_prefix(comma == left.npos ? left.size() : comma + 1);
      one = one.substr(0, one.find(';'));
      const std::size_t begin = one.find_first_not_of(" \t");
      if (begin == one.npos) continue;
      one = one.substr(begin, one.find_last_not_of(" \t") + 1 - begin);
      const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
      constexpr std::string_view kAsync = "respond-async";
      if (std::equal(one.begin(), one.end(), kAsync.begin(), kAsync.end(), same)) return true;
    }
  }
  return false;
}

Wish read_wish(const Request& request) {
  Wish wish;
  wish.key = idempotency_key(request);
  const Json body = read_object(request);
  wish.customer = customer_of(body);
  wish.lines = read_lines(body);
  wish.expected_minor = expected_minor_of(body);
  wish.placed_ms = unix_ms();
  wish.respond_async = prefers_async(request);
  return wish;
}

subito::Router checkout_router() {
  subito::Router router;
  router.post("/orders", guarded(place_order));
  router.get("/orders/{id}", guarded(get_order));
  router.get("/customers/{customer}/orders", guarded(list_orders));
  router.post("/due", guarded(carry_on));
  router.post("/events", guarded(take_events_in));
  router.post("/history/rebuild", guarded(rebuild_history));
  add_openapi(router, checkout_openapi());
  add_health(router, check_redis);
  return router;
}

}  // namespace shop
