#include "functions/checkout/test_providers.h"

#include "functions/shop/contract.h"
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

// Read once: a test that walks every fault makes thousands of these.
const Response& stock_says(const std::string& description) {
  static ContractAnswers answers("checkout", "stock");
  return answers(description);
}

const Response& payment_says(const std::string& description) {
  static ContractAnswers answers("checkout", "payment");
  return answers(description);
}

}  // namespace

TestProviders::TestProviders(FaultPlan& plan, subito::testing::TestContext& context) : plan_(plan) {
  static ContractAnswers catalogue_says("checkout", "catalogue");
  catalogue = catalogue_says("tells the prices of the products asked for").body();
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
  const std::string order = order_of(path);
  return path.ends_with("/commit") ? commit(order) : release(order);
}

Response TestProviders::commit(const std::string& order) {
  if (expire_at_commit) expire(order);
  const std::string state = reservation(order);
  if (state.empty()) return stock_says("does not commit what was never reserved");
  if (state == "COMMITTED") return stock_says("commits once, however often it is asked");
  if (state != "RESERVED") return stock_says("does not commit what was released");
  reservations[order].state = "COMMITTED";
  return stock_says("commits");
}

Response TestProviders::release(const std::string& order) {
  const std::string state = reservation(order);
  if (state == "RELEASED" || state == "EXPIRED") {
    return stock_says("releases once, however often it is asked");
  }
  Reservation& held = reservations[order];
  held.state = "RELEASED";
  available += held.quantity;
  if (state.empty()) return stock_says("releases what was never reserved");
  return stock_says(state == "COMMITTED" ? "takes back what was committed" : "releases");
}

Response TestProviders::reserve(const Request& request) {
  const Json body = Json::parse(request.body());
  const std::string order = text_of(body, "order");
  const std::int64_t quantity = read_lines(body).front().quantity;
  if (const std::string state = reservation(order); !state.empty()) {
    const bool there = state == "RESERVED" || state == "COMMITTED";
    return stock_says(there ? "reserves once, however often it is asked"
                            : "does not reserve for an order that was released");
  }
  if (quantity > available) return stock_says("says what is short");
  available -= quantity;
  reservations[order] = {"RESERVED", quantity};
  return stock_says("reserves");
}

Response TestProviders::payment(const Request& request) {
  const std::string& path = request.path();
  if (path == "/authorisations") return authorise(request);
  const std::string order = order_of(path);
  return path.ends_with("/capture") ? capture(order) : void_authorisation(order);
}

Response TestProviders::capture(const std::string& order) {
  const std::string state = authorisation(order);
  if (state.empty()) return payment_says("does not capture what was never authorised");
  if (state == "VOIDED") return payment_says("does not capture what was voided");
  if (state == "CAPTURED") return payment_says("captures once, however often it is asked");
  authorisations[order].state = "CAPTURED";
  return payment_says("captures");
}

Response TestProviders::void_authorisation(const std::string& order) {
  const std::string state = authorisation(order);
  if (state == "VOIDED") return payment_says("voids once, however often it is asked");
  Authorisation& held = authorisations[order];
  held.state = "VOIDED";
  if (state.empty()) return payment_says("voids what was never authorised");
  credit_minor.at(held.customer) += held.amount_minor;
  return payment_says(state == "CAPTURED" ? "pays back what was captured" : "voids");
}

Response TestProviders::authorise(const Request& request) {
  const Json body = Json::parse(request.body());
  const std::string order = text_of(body, "order");
  const std::string customer = text_of(body, "customer");
  const std::int64_t amount = member(body, "amountMinor").get<std::int64_t>();
  if (const std::string state = authorisation(order); !state.empty()) {
    if (state == "VOIDED") return payment_says("does not authorise for an order that was voided");
    if (authorisations.at(order).amount_minor != amount) {
      return payment_says("does not authorise another amount for the same order");
    }
    return payment_says("authorises once, however often it is asked");
  }
  const auto credit = credit_minor.find(customer);
  if (credit == credit_minor.end()) return payment_says("does not know a customer");
  if (credit->second < amount) return payment_says("declines what is beyond the credit");
  credit->second -= amount;
  authorisations[order] = {"AUTHORISED", customer, amount};
  return payment_says("authorises");
}

}  // namespace shop
