#include "functions/checkout/test_providers.h"

#include "functions/shop/json.h"
#include "functions/shop/lines.h"

namespace shop {
namespace {

using subito::Request;
using subito::Response;

Response failed(Fault fault) {
  if (fault == Fault::kBadRequest) return Response::problem(400, "bad-request", "the test says so");
  if (fault == Fault::kUnavailable) {
    return Response::problem(503, "storage-unavailable", "the test says so");
  }
  throw subito::CallError("unavailable", "the test lets it fail");
}

// "ORDER" of "/reservations/ORDER/commit".
std::string order_of(const std::string& path) {
  const std::size_t begin = path.find('/', 1) + 1;
  return path.substr(begin, path.rfind('/') - begin);
}

}  // namespace

TestProviders::TestProviders(FaultPlan& plan, subito::testing::TestContext& context) : plan_(plan) {
  context.on_call("catalogue", [this](const Request&) {
    return plan_.run([this] { return Response::json(catalogue); }, failed);
  });
  context.on_call("stock", [this](const Request& request) {
    return plan_.run([&] { return stock(request); }, failed);
  });
  context.on_call("payment", [this](const Request& request) {
    return plan_.run([&] { return payment(request); }, failed);
  });
}

std::string TestProviders::reservation(const std::string& order) {
  const auto at = reservations.find(order);
  return at == reservations.end() ? "" : at->second.state;
}

std::string TestProviders::authorisation(const std::string& order) {
  const auto at = authorisations.find(order);
  return at == authorisations.end() ? "" : at->second.state;
}

std::int64_t TestProviders::pieces(const std::string& state) const {
  std::int64_t sum = 0;
  for (const auto& [order, held] : reservations) sum += held.state == state ? held.quantity : 0;
  return sum;
}

std::int64_t TestProviders::money_minor(const std::string& state,
                                        const std::string& customer) const {
  std::int64_t sum = 0;
  for (const auto& [order, held] : authorisations) {
    const bool counts = held.state == state && (customer.empty() || held.customer == customer);
    sum += counts ? held.amount_minor : 0;
  }
  return sum;
}

void TestProviders::receive(std::int64_t more) {
  received += more;
  available += more;
}

void TestProviders::allow(const std::string& customer, std::int64_t more_minor) {
  limit_minor.at(customer) += more_minor;
  credit_minor.at(customer) += more_minor;
}

void TestProviders::expire(const std::string& order) {
  Reservation& held = reservations[order];
  if (held.state != "RESERVED") return;
  held.state = "EXPIRED";
  available += held.quantity;
}

Response TestProviders::stock(const Request& request) {
  const std::string& path = request.path();
  if (path == "/reservations") return reserve(request);
  const bool commit = path.ends_with("/commit");
  const std::string order = order_of(path);
  if (commit && expire_at_commit) expire(order);
  if (commit && !reservations.contains(order)) {
    return Response::problem(404, "unknown-reservation", order);
  }
  Reservation& held = reservations[order];
  const std::string wanted = commit ? "COMMITTED" : "RELEASED";
  if (held.state == wanted || (!commit && held.state == "EXPIRED")) return Response::json("{}");
  if (commit && held.state != "RESERVED") {
    return Response::problem(409, "reservation-ended", held.state);
  }
  held.state = wanted;
  if (!commit) available += held.quantity;
  return Response::json("{}");
}

Response TestProviders::reserve(const Request& request) {
  const Json body = Json::parse(request.body());
  const std::string order = text_of(body, "order");
  const std::int64_t quantity = read_lines(body).front().quantity;
  if (const std::string state = reservation(order); !state.empty()) {
    if (state == "RESERVED" || state == "COMMITTED") return Response::json("{}");
    return Response::problem(409, "reservation-ended", state);
  }
  if (quantity > available) {
    return Response::problem(409, "out-of-stock", "product 3: too few");
  }
  available -= quantity;
  reservations[order] = {"RESERVED", quantity};
  return Response::json("{}", 201);
}

Response TestProviders::payment(const Request& request) {
  const std::string& path = request.path();
  if (path == "/authorisations") return authorise(request);
  const std::string order = order_of(path);
  const bool capture = path.ends_with("/capture");
  if (capture && !authorisations.contains(order)) {
    return Response::problem(404, "unknown-authorisation", order);
  }
  Authorisation& held = authorisations[order];
  const std::string wanted = capture ? "CAPTURED" : "VOIDED";
  if (held.state == wanted) return Response::json("{}");
  if (capture && held.state != "AUTHORISED") {
    return Response::problem(409, "authorisation-ended", held.state);
  }
  held.state = wanted;
  if (!capture && !held.customer.empty()) credit_minor.at(held.customer) += held.amount_minor;
  return Response::json("{}");
}

Response TestProviders::authorise(const Request& request) {
  const Json body = Json::parse(request.body());
  const std::string order = text_of(body, "order");
  const std::string customer = text_of(body, "customer");
  const std::int64_t amount = member(body, "amountMinor").get<std::int64_t>();
  if (const std::string state = authorisation(order); !state.empty()) {
    if (state == "VOIDED") return Response::problem(409, "authorisation-ended", state);
    if (authorisations.at(order).amount_minor != amount) {
      return Response::problem(422, "authorisation-mismatch", order);
    }
    return Response::json("{}");
  }
  const auto credit = credit_minor.find(customer);
  if (credit == credit_minor.end()) return Response::problem(404, "unknown-customer", customer);
  if (credit->second < amount) return Response::problem(402, "payment-declined", "no credit");
  credit->second -= amount;
  authorisations[order] = {"AUTHORISED", customer, amount};
  return Response::json("{}", 201);
}

}  // namespace shop
