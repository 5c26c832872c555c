#include "functions/stock/reservations.h"

#include <utility>
#include <vector>

#include "functions/shop/json.h"
#include "functions/shop/lines.h"
#include "functions/shop/service.h"
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

// How often an ending may find the reservation changed between reading and writing; it changes
// once, when it is made.
constexpr int kEndTriesMax = 3;

enum class Ending { kCommit, kRelease };

std::string reservation_key(Redis& redis, const std::string& order) {
  return redis.key("reservation:" + order);
}

std::string order_of(const std::string& text) {
  if (is_id(text)) return text;
  throw HttpError(400, "bad-order", "\"order\" is 1 to 40 letters, digits, '-' and '_'");
}

Response answer(const std::string& order, std::string_view state, int status) {
  JsonWriter out;
  out.open_object().key("order").text(order).key("state").text(state).close_object();
  return Response::json(out.take(), status);
}

// "EVAL script keys arguments", with one key and one argument a line at the end of each.
RedisReply run(Redis& redis, const char* script, const std::string& order, const Lines& lines,
               std::vector<std::string> arguments) {
  std::vector<std::string> command{"EVAL", script, std::to_string(1 + lines.size()),
                                   reservation_key(redis, order)};
  for (const Line& line : lines) command.push_back(level_key(redis, line.product));
  for (std::string& argument : arguments) command.push_back(std::move(argument));
  for (const Line& line : lines) command.push_back(std::to_string(line.quantity));
  return redis.command(command);
}

Response out_of_stock(const Line& line, std::string_view available) {
  std::string detail = "product " + line.product + ": " + std::to_string(line.quantity);
  detail.append(" wanted, ").append(available).append(" available");
  return Response::problem(409, "out-of-stock", detail);
}

Response reserve(const Request& request, Context& context) {
  const Json body = read_object(request);
  const std::string order = order_of(text_of(body, "order"));
  const Lines lines = read_lines(body);
  const RedisReply reply =
      run(context.redis("redis"), scripts::kReserve, order, lines, {to_text(lines)});
  const std::string_view what = reply[0].text();
  if (what == "reserved") return answer(order, "RESERVED", 201);
  if (what == "short") {
    return out_of_stock(lines.at(static_cast<std::size_t>(reply[1].integer())), reply[2].text());
  }
  if (what == "unknown") {
    throw unknown_product(lines.at(static_cast<std::size_t>(reply[1].integer())).product);
  }
  if (what == "mismatch") {
    throw HttpError(422, "reservation-mismatch", "order " + order + " reserved other lines before");
  }
  const std::string_view state = reply[1].text();
  if (state != "RELEASED") return answer(order, state, 200);
  throw HttpError(409, "reservation-released", "the reservation of " + order + " was released");
}

// An order that never reserved can be released too: should its reservation still be on the way, it
// comes too late. It cannot be committed.
Response end(const std::string& order, Ending ending, Context& context) {
  const bool commit = ending == Ending::kCommit;
  const char* const state = commit ? "COMMITTED" : "RELEASED";
  Redis& redis = context.redis("redis");
  for (int i = 0; i < kEndTriesMax; ++i) {
    const RedisReply known = redis.command({"HGET", reservation_key(redis, order), "lines"});
    if (known.is_nil() && commit) {
      throw HttpError(404, "unknown-reservation", "order " + order + " has no reservation");
    }
    const std::string text(known.is_nil() ? "" : known.text());
    const RedisReply reply = run(redis, scripts::kEnd, order, lines_of_text(text),
                                 {text, state, commit ? "sold" : "available", kEndedKeptSeconds});
    const std::string_view what = reply[0].text();
    if (what == "done" || what == "again") return answer(order, state, 200);
    if (what == "changed") continue;
    throw HttpError(409, "reservation-ended",
                    "the reservation of " + order + " is " + std::string(reply[1].text()));
  }
  throw subito::RedisError("end reservation of " + order + ": it kept changing");
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
}

}  // namespace shop
