#include "functions/payment/payment.h"

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "functions/payment/events.pb.h"
#include "functions/payment/scripts.h"
#include "functions/shop/event.h"
#include "functions/shop/json.h"
#include "functions/shop/lines.h"
#include "functions/shop/money.h"
#include "functions/shop/service.h"

namespace shop {
namespace {

using subito::Context;
using subito::HttpError;
using subito::Redis;
using subito::RedisReply;
using subito::Request;
using subito::Response;

// No customer's limit is more: far below 2^53, up to which Lua counts exactly.
constexpr std::int64_t kLimitMinorMax = 1'000'000'000'000'000;
// A void is kept this long, so that an authorisation on its way finds it. What is captured stays.
constexpr const char* kVoidedKeptSeconds = "2592000";  // 30 days

struct SeedCustomer {
  const char* id;
  std::int64_t limit_minor;
};
constexpr SeedCustomer kSeed[] = {{"guest", 100'000'000}, {"ada", 50'000}, {"bob", 200}};
static_assert(kSeed[0].limit_minor <= kLimitMinorMax);

struct Authorisation {
  std::string order;
  std::string customer;  // "" if it was voided before it was there
  std::string amount;    // digits; "" likewise
};

std::string authorisation_key(Redis& redis, const std::string& order) {
  return redis.key("authorisation:" + order);
}

std::string customer_key(Redis& redis, const std::string& customer) {
  return redis.key("customer:" + customer);
}

template <typename Message>
Event event_about(const Authorisation& authorisation) {
  Message message;
  message.set_order_id(authorisation.order);
  message.set_customer_id(authorisation.customer);
  if (!authorisation.amount.empty()) message.set_amount_minor(std::stoll(authorisation.amount));
  message.set_currency(kCurrency);
  return event_of(message);
}

Response answer(const Authorisation& authorisation, std::string_view state, int status) {
  JsonWriter out;
  out.open_object().key("order").text(authorisation.order).key("customer");
  authorisation.customer.empty() ? out.null() : out.text(authorisation.customer);
  out.key("state").text(state).key("amountMinor");
  authorisation.amount.empty() ? out.null() : out.integer(std::stoll(authorisation.amount));
  out.key("currency").text(kCurrency).close_object();
  return Response::json(out.take(), status);
}

std::string order_of(const std::string& text) {
  if (is_id(text)) return text;
  throw HttpError(400, "bad-order", "\"order\" is 1 to 40 letters, digits, '-' and '_'");
}

HttpError ended(const std::string& order, const std::string& state) {
  return HttpError(409, "authorisation-ended", "the authorisation of " + order + " is " + state);
}

HttpError unknown_authorisation(const std::string& order) {
  return HttpError(404, "unknown-authorisation", "order " + order + " has no authorisation");
}

HttpError unknown_customer(const std::string& customer) {
  return HttpError(404, "unknown-customer", "there is no customer " + customer);
}

Response error_on_demand() {
  return Response::problem(500, "fault", "an error on demand: nothing was done");
}

Authorisation read_authorisation(const Request& request) {
  const Json body = read_object(request);
  Authorisation wanted{order_of(text_of(body, "order")), text_of(body, "customer"), ""};
  if (!is_id(wanted.customer)) {
    throw HttpError(400, "bad-customer", "\"customer\" is 1 to 40 letters, digits, '-' and '_'");
  }
  const Json& amount = member(body, "amountMinor");
  // What is too large for 64 bits with a sign comes out negative.
  const std::int64_t minor = amount.is_number_integer() ? amount.get<std::int64_t>() : 0;
  if (minor < 1) throw HttpError(400, "bad-amount", "\"amountMinor\" is a whole number from 1");
  wanted.amount = std::to_string(minor);
  if (text_of(body, "currency") != kCurrency) {
    throw HttpError(422, "unsupported-currency", std::string("\"currency\" is ") + kCurrency);
  }
  return wanted;
}

Response authorise(const Request& request, Context& context, const Die& die) {
  const Authorisation wanted = read_authorisation(request);
  const ProviderFault fault = take_fault(context, "authorise");
  if (fault == ProviderFault::kError) return error_on_demand();
  const Event authorised = event_about<v1::PaymentAuthorised>(wanted);
  const Event declined = event_about<v1::PaymentDeclined>(wanted);
  Redis& redis = context.redis("redis");
  const RedisReply reply =
      redis.eval(scripts::kAuthorise,
                 {authorisation_key(redis, wanted.order), customer_key(redis, wanted.customer),
                  events_key(redis)},
                 {wanted.customer, wanted.amount, fault == ProviderFault::kDecline ? "1" : "0",
                  authorised.type, authorised.data, declined.type, declined.data});
  if (fault == ProviderFault::kLost) die();
  const std::string what(reply.text());
  if (what == "done") return answer(wanted, "AUTHORISED", 201);
  if (what == "unknown") throw unknown_customer(wanted.customer);
  if (what == "declined") {
    throw HttpError(402, "payment-declined", "customer " + wanted.customer + " has no such credit");
  }
  if (what == "mismatch") {
    throw HttpError(422, "authorisation-mismatch",
                    "order " + wanted.order + " has another customer or amount");
  }
  if (what == "VOIDED") throw ended(wanted.order, what);
  return answer(wanted, what, 200);
}

struct Known {
  Authorisation authorisation;
  std::optional<std::string> state;  // none: it is not there
};

Known load(Redis& redis, const std::string& order) {
  const RedisReply fields =
      redis.command({"HMGET", authorisation_key(redis, order), "state", "customer", "amount"});
  Known known{{order, "", ""}, {}};
  if (!fields[0].is_nil()) known.state = std::string(fields[0].text());
  if (!fields[1].is_nil()) known.authorisation.customer = fields[1].text();
  if (!fields[2].is_nil()) known.authorisation.amount = fields[2].text();
  return known;
}

enum class Settlement { kCapture, kVoid };

// What was never authorised can be voided too: should its authorisation still be on the way, it
// comes too late. It cannot be captured.
Response settle(const std::string& order, Settlement settlement, Context& context, const Die& die) {
  const bool capture = settlement == Settlement::kCapture;
  const ProviderFault fault = take_fault(context, capture ? "capture" : "void");
  if (fault == ProviderFault::kError) return error_on_demand();
  const char* const state = capture ? "CAPTURED" : "VOIDED";
  const Event nothing = event_about<v1::PaymentVoided>({order, "", ""});
  const std::string captured = event_of(v1::PaymentCaptured()).type;
  Redis& redis = context.redis("redis");
  const RedisReply reply = redis.eval(
      scripts::kSettle, {authorisation_key(redis, order), events_key(redis)},
      {state, customer_key(redis, ""), kVoidedKeptSeconds, capture ? captured : nothing.type,
       event_of(v1::PaymentRefunded()).type, nothing.data});
  const std::string_view what = reply[0].text();
  if (what == "unknown") throw unknown_authorisation(order);
  if (fault == ProviderFault::kLost) die();
  if (what == "ended") throw ended(order, "VOIDED");
  return answer({order, std::string(reply[1].text()), std::string(reply[2].text())}, state, 200);
}

Response get_authorisation(const Request& request, Context& context) {
  const std::string order = order_of(request.param("order"));
  const Known known = load(context.redis("redis"), order);
  if (!known.state) throw unknown_authorisation(order);
  return answer(known.authorisation, *known.state, 200);
}

Response get_customer(const Request& request, Context& context) {
  const std::string& customer = request.param("id");
  if (!is_id(customer)) throw unknown_customer(customer);
  Redis& redis = context.redis("redis");
  const RedisReply books = redis.command(
      {"HMGET", customer_key(redis, customer), "limit", "available", "held", "spent"});
  if (books[0].is_nil()) throw unknown_customer(customer);
  JsonWriter out;
  out.open_object().key("customer").text(customer).key("currency").text(kCurrency);
  const char* const names[] = {"limitMinor", "availableMinor", "heldMinor", "spentMinor"};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    out.key(names[i]).integer(std::stoll(std::string(books[i].text())));
  }
  return Response::json(out.close_object().take()).header("cache-control", "no-store");
}

Response seed(const Request&, Context& context) {
  require_seed_setting(context);
  Redis& redis = context.redis("redis");
  std::int64_t added = 0;
  for (const SeedCustomer& customer : kSeed) {
    v1::CreditGranted granted;
    granted.set_customer_id(customer.id);
    granted.set_limit_minor(customer.limit_minor);
    granted.set_currency(kCurrency);
    const Event event = event_of(granted);
    added += redis
                 .eval(scripts::kGrant, {customer_key(redis, customer.id), events_key(redis)},
                       {std::to_string(customer.limit_minor), event.type, event.data})
                 .integer();
  }
  JsonWriter out;
  return Response::json(out.open_object().key("added").integer(added).close_object().take());
}

subito::Handler settling(Settlement settlement, const Die& die) {
  return guarded([settlement, die](const Request& request, Context& context) {
    return settle(order_of(request.param("order")), settlement, context, die);
  });
}

}  // namespace

subito::Router payment_router(Die die) {
  if (!die) die = [] { std::_Exit(1); };
  subito::Router router;
  router.post("/authorisations", guarded([die](const Request& request, Context& context) {
                return authorise(request, context, die);
              }));
  router.get("/authorisations/{order}", guarded(get_authorisation));
  router.post("/authorisations/{order}/capture", settling(Settlement::kCapture, die));
  router.post("/authorisations/{order}/void", settling(Settlement::kVoid, die));
  router.get("/customers/{id}", guarded(get_customer));
  add_faults(router);
  router.post("/seed", guarded(seed));
  add_health(router, check_redis);
  add_openapi(router, payment_openapi());
  return router;
}

}  // namespace shop
