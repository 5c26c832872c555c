#include "functions/stock/reservations.h"

#include <utility>
#include <vector>

#include "functions/shop/event.h"
#include "functions/shop/json.h"
#include "functions/shop/lines.h"
#include "functions/shop/service.h"
#include "functions/stock/events.pb.h"
#include "functions/stock/scripts.h"

namespace shop {
namespace {

using subito::Context;
using subito::HttpError;
using subito::Redis;
using subito::RedisReply;
using subito::Request;
using subito::Response;

// A reservation that has ended is kept this long, so that a late repetition finds it.
constexpr const char* kEndedKeptSeconds = "2592000";  // 30 days

constexpr std::int64_t kExpiresMsDefault = 900'000;  // 15 minutes
constexpr std::int64_t kExpiresMsMax = 86'400'000;   // a day

enum class Ending { kCommit, kRelease, kExpire };

const char* state_of(Ending ending) {
  switch (ending) {
    case Ending::kCommit:
      return "COMMITTED";
    case Ending::kRelease:
      return "RELEASED";
    case Ending::kExpire:
      return "EXPIRED";
  }
  return "";
}

template <typename Message>
Message with_lines(const std::string& order, const Lines& lines) {
  Message message;
  message.set_order_id(order);
  for (const Line& line : lines) {
    v1::ReservedLine& reserved = *message.add_lines();
    reserved.set_product_id(line.product);
    reserved.set_quantity(line.quantity);
  }
  return message;
}

// The events of all ends have the same fields (events.proto), so that one can be written before it
// is known which it will be.
std::string ending_data(const std::string& order, const Lines& lines) {
  return event_of(with_lines<v1::ReservationCommitted>(order, lines)).data;
}

std::string ending_type(Ending ending) {
  switch (ending) {
    case Ending::kCommit:
      return event_of(v1::ReservationCommitted()).type;
    case Ending::kRelease:
      return event_of(v1::ReservationReleased()).type;
    case Ending::kExpire:
      return event_of(v1::ReservationExpired()).type;
  }
  return "";
}

std::string reservation_key(Redis& redis, const std::string& order) {
  return redis.key("reservation:" + order);
}

std::string order_of(const std::string& text) {
  if (is_id(text)) return text;
  throw HttpError(400, "bad-order", "\"order\" is 1 to 40 letters, digits, '-' and '_'");
}

std::int64_t read_expiry(const Json& body) {
  const Json& value = member(body, "expiresInMs");
  if (value.is_null()) return kExpiresMsDefault;
  const std::int64_t ms = value.is_number_integer() ? value.get<std::int64_t>() : 0;
  if (ms >= 1 && ms <= kExpiresMsMax) return ms;
  throw HttpError(400, "bad-expiry", "\"expiresInMs\" is a whole number from 1 to 86400000");
}

Response answer(const std::string& order, std::string_view state, int status) {
  JsonWriter out;
  out.open_object().key("order").text(order).key("state").text(state).close_object();
  return Response::json(out.take(), status);
}

// What the script found wrong with one line.
[[noreturn]] void refuse_line(std::string_view what, const RedisReply& reply, const Lines& lines) {
  const Line& line = lines.at(static_cast<std::size_t>(reply[1].integer()));
  if (what == "unknown") throw unknown_product(line.product);
  if (what == "withdrawn") throw withdrawn(line.product);
  std::string detail = "product " + line.product + ": " + std::to_string(line.quantity);
  detail.append(" wanted, ").append(reply[2].text()).append(" available");
  throw HttpError(409, "out-of-stock", detail);
}

Response reserve(const Request& request, Context& context) {
  const Json body = read_object(request);
  const std::string order = order_of(text_of(body, "order"));
  const std::int64_t expires_ms = read_expiry(body);
  const Lines lines = read_lines(body);
  auto made = with_lines<v1::ReservationMade>(order, lines);
  made.set_expires_in_ms(expires_ms);
  Event event = event_of(made);
  Redis& redis = context.redis("redis");
  std::vector<std::string> keys{reservation_key(redis, order), redis.key("due"), events_key(redis)};
  for (const Line& line : lines) keys.push_back(level_key(redis, line.product));
  std::vector<std::string> arguments{order,
                                     to_text(lines),
                                     std::to_string(expires_ms),
                                     std::move(event.type),
                                     std::move(event.data),
                                     ending_data(order, lines)};
  for (const Line& line : lines) arguments.push_back(std::to_string(line.quantity));
  const RedisReply reply = redis.eval(scripts::kReserve, keys, arguments);
  const std::string_view what = reply[0].text();
  if (what == "reserved") return answer(order, "RESERVED", 201);
  if (what == "mismatch") {
    throw HttpError(422, "reservation-mismatch", "order " + order + " reserved other lines before");
  }
  if (what != "again") refuse_line(what, reply, lines);
  const std::string state(reply[1].text());
  if (state == "RESERVED" || state == "COMMITTED") return answer(order, state, 200);
  const char* const type = state == "RELEASED" ? "reservation-released" : "reservation-ended";
  throw HttpError(409, type, "the reservation of " + order + " is " + state);
}

// An order that never reserved can be released too: should its reservation still be on the way, it
// comes too late. It cannot be committed, and has nothing that could expire.
Response end(const std::string& order, Ending ending, Context& context) {
  Redis& redis = context.redis("redis");
  const RedisReply reply = redis.eval(
      scripts::kEnd, {reservation_key(redis, order), redis.key("due"), events_key(redis)},
      {order, level_key(redis, ""), kEndedKeptSeconds, state_of(ending), ending_type(ending),
       event_of(v1::ReservationReturned()).type, ending_data(order, {})});
  const std::string_view what = reply[0].text();
  if (what == "done") return answer(order, state_of(ending), 200);
  if (what == "again") return answer(order, reply[1].text(), 200);
  if (what == "unknown") {
    throw HttpError(404, "unknown-reservation", "order " + order + " has no reservation");
  }
  if (what == "early") {
    throw HttpError(409, "not-due", "the reservation of " + order + " has not expired yet");
  }
  throw HttpError(409, "reservation-ended",
                  "the reservation of " + order + " is " + std::string(reply[1].text()));
}

// Due work, delivered at least once: what has ended in another way, or is not there, is done.
Response expire(const Request& request, Context& context) {
  const std::string order = order_of(std::string(request.header("ce-subject").value_or("")));
  try {
    end(order, Ending::kExpire, context);
    context.log().info("reservation expired", {{"order", order}});
  } catch (const HttpError& error) {
    if (error.type() == "not-due") throw;
  }
  return Response(204);
}

Response get_reservation(const Request& request, Context& context) {
  const std::string& order = request.param("order");
  Redis& redis = context.redis("redis");
  const RedisReply state =
      redis.command({"HGET", reservation_key(redis, order_of(order)), "state"});
  if (state.is_nil()) {
    throw HttpError(404, "unknown-reservation", "order " + order + " has no reservation");
  }
  return answer(order, state.text(), 200);
}

}  // namespace

std::string level_key(Redis& redis, const std::string& product) {
  return redis.key("level:" + product);
}

HttpError unknown_product(const std::string& product) {
  return HttpError(404, "unknown-product", "there is no stock of product " + product);
}

HttpError withdrawn(const std::string& product) {
  return HttpError(409, "withdrawn", "product " + product + " is no longer sold");
}

void add_reservations(subito::Router& router) {
  router.post("/reservations", guarded(reserve));
  router.get("/reservations/{order}", guarded(get_reservation));
  router.post("/reservations/{order}/commit", guarded([](const Request& request, Context& context) {
                return end(order_of(request.param("order")), Ending::kCommit, context);
              }));
  router.post("/reservations/{order}/release",
              guarded([](const Request& request, Context& context) {
                return end(order_of(request.param("order")), Ending::kRelease, context);
              }));
  router.post("/due", guarded(expire));
}

}  // namespace shop
