// A stand-in for payment in memory, as checkout sees it. Test code only.
#include <map>
#include <memory>
#include <mutex>

#include "functions/shop/json.h"

namespace shop {
namespace {

using subito::Context;
using subito::HttpError;
using subito::Request;
using subito::Response;

struct Books {
  struct Customer {
    std::int64_t limit, available, held, spent;
  };
  struct Authorisation {
    std::string state, customer;
    std::int64_t amount = 0;
  };
  std::mutex mutex;
  std::map<std::string, Customer> customers{{"guest", {100'000'000, 100'000'000, 0, 0}},
                                            {"ada", {50'000, 50'000, 0, 0}},
                                            {"bob", {200, 200, 0, 0}}};
  std::map<std::string, Authorisation> authorisations;
};

Response answer(const std::string& order, const Books::Authorisation& held, int status) {
  JsonWriter out;
  out.open_object().key("order").text(order).key("customer").text(held.customer);
  out.key("state").text(held.state).key("amountMinor").integer(held.amount);
  return Response::json(out.key("currency").text("GBP").close_object().take(), status);
}

Response authorise(Books& books, const Request& request) {
  const Json body = read_object(request);
  const std::string order = text_of(body, "order");
  const std::string customer = text_of(body, "customer");
  const std::int64_t amount = member(body, "amountMinor").get<std::int64_t>();
  const std::lock_guard lock(books.mutex);
  const auto known = books.authorisations.find(order);
  if (known != books.authorisations.end()) {
    if (known->second.state == "VOIDED") throw HttpError(409, "authorisation-ended", "VOIDED");
    return answer(order, known->second, 200);
  }
  const auto credit = books.customers.find(customer);
  if (credit == books.customers.end()) throw HttpError(404, "unknown-customer", customer);
  if (credit->second.available < amount) throw HttpError(402, "payment-declined", "no credit");
  credit->second.available -= amount;
  credit->second.held += amount;
  return answer(order, books.authorisations[order] = {"AUTHORISED", customer, amount}, 201);
}

Response end(Books& books, const std::string& order, const std::string& state) {
  const bool capture = state == "CAPTURED";
  const std::lock_guard lock(books.mutex);
  if (capture && !books.authorisations.contains(order)) {
    throw HttpError(404, "unknown-authorisation", order);
  }
  Books::Authorisation& held = books.authorisations[order];
  if (held.state == state) return answer(order, held, 200);
  if (!held.state.empty() && held.state != "AUTHORISED") {
    throw HttpError(409, "authorisation-ended", held.state);
  }
  held.state = state;
  if (!held.customer.empty()) {
    Books::Customer& customer = books.customers.at(held.customer);
    customer.held -= held.amount;
    (capture ? customer.spent : customer.available) += held.amount;
  }
  return answer(order, held, 200);
}

}  // namespace

subito::Router payment_router() {
  const auto books = std::make_shared<Books>();
  subito::Router router;
  router.post("/authorisations",
              [books](const Request& request, Context&) { return authorise(*books, request); });
  router.post("/authorisations/{order}/capture", [books](const Request& request, Context&) {
    return end(*books, request.param("order"), "CAPTURED");
  });
  router.post("/authorisations/{order}/void", [books](const Request& request, Context&) {
    return end(*books, request.param("order"), "VOIDED");
  });
  router.get("/customers/{id}", [books](const Request& request, Context&) {
    const std::lock_guard lock(books->mutex);
    const Books::Customer& customer = books->customers.at(request.param("id"));
    JsonWriter out;
    out.open_object().key("limitMinor").integer(customer.limit).key("availableMinor");
    out.integer(customer.available).key("heldMinor").integer(customer.held);
    return Response::json(out.key("spentMinor").integer(customer.spent).close_object().take());
  });
  return router;
}

}  // namespace shop
