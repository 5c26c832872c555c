#include "functions/checkout/providers.h"

#include <map>
#include <utility>

#include "functions/shop/json.h"
#include "functions/shop/money.h"

namespace shop {
namespace {

using subito::Request;
using subito::Response;

struct Problem {
  int status = 0;
  std::string type;
  std::string detail;
};

// What an answer that says yes tells besides is not read.
Problem problem_of(const Response& answer) {
  if (answer.status() < 400) return {answer.status(), "", ""};
  const Json body = read_answer(answer);
  return {answer.status(), text_of(body, "type"), text_of(body, "detail")};
}

// An answer that settles nothing.
Step unexpected(const char* function, const char* to, const Problem& problem) {
  std::string reason =
      std::string(function) + " answered " + std::to_string(problem.status) + " to " + to;
  if (!problem.type.empty()) reason += " (" + problem.type + ")";
  return Step::unsure(std::move(reason));
}

std::string reservation_of(const Order& order) {
  JsonWriter body;
  body.open_object().key("order").text(order.id).key("lines").open_array();
  for (const Line& line : order.lines) {
    body.open_object().key("productId").text(line.product);
    body.key("quantity").integer(line.quantity).close_object();
  }
  return body.close_array().close_object().take();
}

std::string authorisation_of(const Order& order) {
  JsonWriter body;
  body.open_object().key("order").text(order.id).key("customer").text(order.customer);
  body.key("amountMinor").integer(order.total_minor.value());
  return body.key("currency").text(kCurrency).close_object().take();
}

Request post_of(const std::string& path, std::string body) {
  subito::Headers headers;
  if (!body.empty()) headers.set("content-type", "application/json");
  return Request("POST", path, std::move(headers), std::move(body));
}

Step take_prices(const Json& products, Order& order) {
  std::map<std::string, std::int64_t> prices;
  for (const Json& product : products) {
    const Json& price = member(product, "priceMinor");
    if (price.is_number_integer()) prices[text_of(product, "id")] = price.get<std::int64_t>();
  }
  Lines lines = order.lines;
  for (Line& line : lines) {
    const auto price = prices.find(line.product);
    if (price == prices.end()) {
      return Step::refused(422, "unknown-product", "there is no product " + line.product);
    }
    line.price_minor = price->second;
  }
  const auto total = total_minor(lines);
  if (!total) return Step::refused(422, "total-too-large", "the total is more than can be counted");
  if (order.expected_minor && *order.expected_minor != *total) {
    return Step::refused(409, "price-changed",
                         "the total is " + pounds(*total) + ", and not " +
                             pounds(*order.expected_minor) + " as was expected");
  }
  order.lines = std::move(lines);
  order.total_minor = total;
  return Step::done();
}

Step read_prices(const Response& answer, Order& order) {
  if (answer.status() != 200) return unexpected("catalogue", "the prices", problem_of(answer));
  const Json products = read_answer(answer);
  if (!products.is_array()) return Step::unsure("catalogue answered no list");
  return take_prices(products, order);
}

Step read_reservation(const Response& answer) {
  const Problem problem = problem_of(answer);
  switch (problem.status) {
    case 200:
    case 201:
      return Step::done();
    case 404:
      if (problem.type != "unknown-product") break;
      return Step::refused(422, problem.type, problem.detail);
    case 409:  // out-of-stock, or that of an order that has been released
      return Step::refused(409, problem.type.empty() ? "reservation-lost" : problem.type,
                           problem.detail);
    case 422:
      return Step::refused(422, "reservation-mismatch", problem.detail);
    default:
      break;
  }
  return unexpected("stock", "the reservation", problem);
}

Step read_authorisation(const Response& answer) {
  const Problem problem = problem_of(answer);
  switch (problem.status) {
    case 200:
    case 201:
      return Step::done();
    case 402:
      return Step::refused(402, "payment-declined", problem.detail);
    case 404:
      if (problem.type != "unknown-customer") break;
      return Step::refused(422, problem.type, problem.detail);
    case 409:
      return Step::refused(409, "authorisation-ended", problem.detail);
    case 422:
      // A run that died had authorised other prices: not for ever, a new order has a new id.
      if (problem.type == "authorisation-mismatch") {
        return Step::refused(503, "unavailable", "the price changed while it was being placed");
      }
      return Step::refused(422, "payment-refused", problem.detail);
    default:
      break;
  }
  return unexpected("payment", "the authorisation", problem);
}

Step read_commit(const Response& answer) {
  const Problem problem = problem_of(answer);
  if (problem.status == 200) return Step::done();
  if (problem.status == 409 || problem.type == "unknown-reservation") {
    return Step::refused(409, "reservation-lost", "the reservation ended before the order did");
  }
  return unexpected("stock", "the commit", problem);
}

Step read_capture(const Response& answer) {
  const Problem problem = problem_of(answer);
  if (problem.status == 200) return Step::done();
  if (problem.status == 409 || problem.type == "unknown-authorisation") {
    return Step::refused(409, "authorisation-ended", "the payment ended before the order did");
  }
  return unexpected("payment", "the capture", problem);
}

Step read_undoing(const char* function, const char* what, const Response& answer) {
  if (answer.status() == 200) return Step::done();
  return unexpected(function, what, problem_of(answer));
}

}  // namespace

StepUnderWay::StepUnderWay(subito::Context& context, const char* function, const Request& request,
                           Reader reader)
    : reader_(std::move(reader)) {
  try {
    call_.emplace(context.start_call(function, request));
  } catch (const subito::CallError& error) {
    reason_ = error.what();
  }
}

Step StepUnderWay::wait() {
  if (!call_) return Step::unsure(reason_);
  try {
    return reader_(call_->get());
  } catch (const subito::CallError& error) {
    return Step::unsure(error.what());
  }
}

StepUnderWay Providers::prices(Order& order) {
  std::string ids;
  for (const Line& line : order.lines) ids += (ids.empty() ? "" : ",") + line.product;
  return ask("catalogue", Request("GET", "/products?ids=" + ids),
             [&order](const Response& answer) { return read_prices(answer, order); });
}

StepUnderWay Providers::reserve(const Order& order) {
  return ask("stock", post_of("/reservations", reservation_of(order)), read_reservation);
}

StepUnderWay Providers::authorise(const Order& order) {
  return ask("payment", post_of("/authorisations", authorisation_of(order)), read_authorisation);
}

StepUnderWay Providers::commit(const Order& order) {
  return ask("stock", post_of("/reservations/" + order.id + "/commit", {}), read_commit);
}

StepUnderWay Providers::capture(const Order& order) {
  return ask("payment", post_of("/authorisations/" + order.id + "/capture", {}), read_capture);
}

StepUnderWay Providers::void_payment(const Order& order) {
  return ask("payment", post_of("/authorisations/" + order.id + "/void", {}),
             std::bind_front(read_undoing, "payment", "the void"));
}

StepUnderWay Providers::release(const Order& order) {
  return ask("stock", post_of("/reservations/" + order.id + "/release", {}),
             std::bind_front(read_undoing, "stock", "the release"));
}

StepUnderWay Providers::ask(const char* function, const Request& request,
                            StepUnderWay::Reader reader) {
  return StepUnderWay(context_, function, request, std::move(reader));
}

}  // namespace shop
