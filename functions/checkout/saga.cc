#include "functions/checkout/saga.h"

#include <map>
#include <utility>

#include "functions/shop/json.h"

namespace shop {
namespace {

using subito::CallError;
using subito::Request;
using subito::Response;
using Record = OrderStore::Record;

// How long an order stays with a pod that died or lost its Redis. Nothing hangs on it being long
// enough: of two pods that work on one order every step of one has no effect. It saves the work.
constexpr std::chrono::seconds kLease{5};

Response with_status(const StoredAnswer& answer, const std::string& order) {
  Response response = Response::json(answer.body, answer.status);
  if (answer.status == 201) response.header("location", "/orders/" + order);
  if (answer.status >= 400) response.header("content-type", "application/problem+json");
  return response;
}

std::string problem_type(const Response& answer) {
  return text_of(read_answer(answer), "type");
}

}  // namespace

Response Saga::place(const Lines& lines) {
  Order fresh;
  fresh.id = random_order_id();
  fresh.lines = lines;
  Begun begun = store_.begin(key_, fresh, kLease);
  switch (begun.outcome) {
    case Begun::Outcome::kMismatch:
      return Response::problem(422, "idempotency-key-reused",
                               "this Idempotency-Key was used for another order");
    case Begun::Outcome::kInFlight:
      return overtaken();
    case Begun::Outcome::kReplay:
      return with_status(begun.answer, begun.order.id).header("idempotency-replayed", "true");
    case Begun::Outcome::kResumed:
    case Begun::Outcome::kStarted:
      break;
  }
  order_ = std::move(begun.order);
  return run();
}

Response Saga::run() {
  if (order_.status == OrderStatus::kNew) {
    if (Ended ended = price()) return *std::move(ended);
    if (Ended ended = reserve()) return *std::move(ended);
  }
  if (order_.status == OrderStatus::kReserved) return commit();
  return overtaken();  // final, by somebody whose answer was lost with him: ask again
}

Saga::Ended Saga::price() {
  std::string ids;
  for (const Line& line : order_.lines) ids += (ids.empty() ? "" : ",") + line.product;
  try {
    const Response answer = context_.call("catalogue", Request("GET", "/products?ids=" + ids));
    if (answer.status() != 200) {
      return give_up("catalogue answered " + std::to_string(answer.status()));
    }
    const Json products = read_answer(answer);
    if (!products.is_array()) return give_up("catalogue answered no list");
    return take_prices(products);
  } catch (const CallError& error) {
    return give_up(error.what());
  }
}

Saga::Ended Saga::take_prices(const Json& products) {
  std::map<std::string, std::int64_t> prices;
  for (const Json& product : products) {
    const Json& price = member(product, "priceMinor");
    if (price.is_number_integer()) prices[text_of(product, "id")] = price.get<std::int64_t>();
  }
  for (Line& line : order_.lines) {
    const auto price = prices.find(line.product);
    if (price == prices.end()) {
      return refuse(422, "unknown-product", "there is no product " + line.product);
    }
    line.price_minor = price->second;
  }
  order_.total_minor = total_minor(order_.lines);
  if (order_.total_minor) return std::nullopt;
  return refuse(422, "total-too-large", "the total is more than can be counted");
}

Saga::Ended Saga::reserve() {
  JsonWriter body;
  body.open_object().key("order").text(order_.id).key("lines").open_array();
  for (const Line& line : order_.lines) {
    body.open_object().key("productId").text(line.product);
    body.key("quantity").integer(line.quantity).close_object();
  }
  body.close_array().close_object();
  try {
    const Response answer = stock("/reservations", body.take());
    const int status = answer.status();
    if (status == 200 || status == 201) {
      if (become(OrderStatus::kReserved, Record::kLeave, {})) return std::nullopt;
      return overtaken();
    }
    const std::string type = problem_type(answer);
    const std::string detail = text_of(read_answer(answer), "detail");
    if (status == 409 && type == "out-of-stock") return refuse(409, type, detail);
    if (status == 404 && type == "unknown-product") return refuse(422, type, detail);
    return give_up("stock answered " + std::to_string(status) + " to the reservation");
  } catch (const CallError& error) {
    return give_up(error.what());
  }
}

Response Saga::commit() {
  try {
    const Response answer = stock("/reservations/" + order_.id + "/commit", {});
    if (answer.status() == 409) {
      return refuse(409, "reservation-lost", "the reservation was released");
    }
    if (answer.status() != 200) {
      return unsure("stock answered " + std::to_string(answer.status()) + " to the commit");
    }
  } catch (const CallError& error) {
    return unsure(error.what());
  }
  Order completed = order_;
  completed.status = OrderStatus::kCompleted;
  const StoredAnswer answer{201, to_json(completed)};
  if (!become(OrderStatus::kCompleted, Record::kAnswer, answer)) return overtaken();
  context_.log().info("order completed", {{"order", order_.id}});
  return with_status(answer, order_.id);
}

// It cannot be, now or later: the same answer is given to every repetition.
Response Saga::refuse(int status, const std::string& type, const std::string& detail) {
  // Even if we hold nothing: a run before us, or one that took us for dead, may have reserved. What
  // is released once cannot be reserved after.
  if (!release()) return unsure("stock does not release");
  Response response = Response::problem(status, type, detail);
  order_.reason = type;
  if (!become(OrderStatus::kCancelled, Record::kAnswer, {status, response.body()})) {
    return overtaken();
  }
  return response;
}

// It could be another time: nothing is held, and the key is free for a new try.
Response Saga::give_up(const std::string& reason) {
  context_.log().warning("order given up", {{"order", order_.id}, {"reason", reason}});
  if (!release()) return unsure(reason);
  order_.reason = reason;
  if (!become(OrderStatus::kCancelled, Record::kForget, {})) return overtaken();
  return Response::problem(503, "order-cancelled", "nothing was ordered, try again: " + reason)
      .header("retry-after", "1");
}

// Whether stock holds pieces for it is not known: a repetition with the same key finds out.
Response Saga::unsure(const std::string& reason) {
  context_.log().warning("order left open", {{"order", order_.id}, {"reason", reason}});
  store_.let_go(key_);
  return Response::problem(503, "order-open", "ask again with the same Idempotency-Key: " + reason)
      .header("retry-after", "1");
}

Response Saga::overtaken() {
  return Response::problem(409, "order-in-flight",
                           "an order with this Idempotency-Key is being placed right now")
      .header("retry-after", "1");
}

bool Saga::release() {
  try {
    return stock("/reservations/" + order_.id + "/release", {}).status() == 200;
  } catch (const CallError&) {
    return false;
  }
}

Response Saga::stock(const std::string& path, std::string body) {
  subito::Headers headers;
  if (!body.empty()) headers.set("content-type", "application/json");
  return context_.call("stock", Request("POST", path, std::move(headers), std::move(body)));
}

bool Saga::become(OrderStatus to, Record record, const StoredAnswer& answer) {
  const OrderStatus from = order_.status;
  if (!may_become(from, to)) throw std::logic_error("change order: no such step");
  order_.status = to;
  return store_.change(key_, order_, from, record, answer);
}

}  // namespace shop
