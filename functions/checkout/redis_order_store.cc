#include "functions/checkout/redis_order_store.h"

#include <charconv>
#include <utility>

#include "functions/checkout/order_events.h"
#include "functions/checkout/order_scripts.h"

namespace shop {
namespace {

using subito::RedisError;
using subito::RedisReply;

// From the answer on: a key whose order is open is never free.
constexpr const char* kAnswerSeconds = "86400";

std::int64_t number_of(const RedisReply& reply) {
  const std::string_view text = reply.text();
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && stop == text.data() + text.size()) return value;
  throw RedisError("read order: '" + std::string(text) + "' is no number");
}

std::string text_of(std::optional<std::int64_t> number) {
  return number ? std::to_string(*number) : "";
}

std::string text_of(const Refusal& refusal) {
  return std::to_string(refusal.status) + " " + refusal.type + " " + refusal.detail;
}

Refusal refusal_of_text(const std::string& text) {
  const std::size_t type = text.find(' ');
  const std::size_t detail = type == text.npos ? text.npos : text.find(' ', type + 1);
  if (detail == text.npos) throw RedisError("read order: '" + text + "' is no refusal");
  return {std::atoi(text.c_str()), text.substr(type + 1, detail - type - 1),
          text.substr(detail + 1)};
}

const char* to_string(OrderStore::Record record) {
  switch (record) {
    case OrderStore::Record::kLeave:
      return "leave";
    case OrderStore::Record::kAnswer:
      return "answer";
    case OrderStore::Record::kForget:
      return "forget";
  }
  return "leave";
}

void append_event(std::vector<std::string>& arguments, const Order& order) {
  Event event = to_event(order, unix_ms());
  arguments.push_back(std::move(event.type));
  arguments.push_back(std::move(event.data));
}

}  // namespace

Begun RedisOrderStore::begin(const std::string& key, const Order& order, Duration lease) {
  std::vector<std::string> arguments{fingerprint_of(order),
                                     order.id,
                                     std::to_string(lease.count()),
                                     order.customer,
                                     to_text(order.lines),
                                     std::to_string(order.placed_ms),
                                     key,
                                     std::to_string(order.version),
                                     text_of(order.expected_minor)};
  if (order.version > 0) append_event(arguments, order);
  const RedisReply reply = redis_.eval(
      order_scripts::kBegin,
      {record_key(key), order_key(order.id), redis_.key("due"), redis_.key("events")}, arguments);
  using Outcome = Begun::Outcome;
  const std::string_view what = reply[0].text();
  if (what == "started") return {Outcome::kStarted, order.id, reply[1].integer(), {}};
  if (what == "mismatch") return {Outcome::kMismatch, "", 0, {}};
  std::string id(reply[1].text());
  if (what == "known") return {Outcome::kKnown, std::move(id), 0, {}};
  return {Outcome::kReplay,
          std::move(id),
          0,
          {static_cast<int>(number_of(reply[2])), std::string(reply[3].text())}};
}

Taken RedisOrderStore::take(const std::string& id, Duration lease) {
  const RedisReply reply = redis_.eval(order_scripts::kTake, {order_key(id), redis_.key("due")},
                                       {id, std::to_string(lease.count())});
  using Outcome = Taken::Outcome;
  const std::string_view what = reply[0].text();
  if (what == "unknown") return {Outcome::kUnknown, {}};
  if (what == "final") return {Outcome::kFinal, {}};
  if (what == "held") return {Outcome::kHeld, {}};
  std::optional<Work> work = read(id);
  if (!work) throw RedisError("take order " + id + ": it is not there any more");
  work->lease = reply[1].integer();
  work->age = Duration(reply[2].integer());
  return {Outcome::kTaken, *std::move(work)};
}

bool RedisOrderStore::change(const Work& work, Record record, const StoredAnswer& answer) {
  const Order& order = work.next.back();
  std::vector<std::string> arguments{order.id,
                                     std::to_string(work.order.version),
                                     std::to_string(order.version),
                                     std::string(shop::to_string(order.status)),
                                     to_text(order.lines),
                                     text_of(order.total_minor),
                                     order.reason,
                                     to_string(record),
                                     std::to_string(answer.status),
                                     answer.body,
                                     kAnswerSeconds};
  for (const Order& step : work.next) append_event(arguments, step);
  const RedisReply reply = redis_.eval(
      order_scripts::kChange,
      {order_key(order.id), record_key(work.key), redis_.key("due"), redis_.key("events")},
      arguments);
  return reply.integer() == 1;
}

bool RedisOrderStore::decide(const Work& work) {
  const RedisReply reply =
      redis_.eval(order_scripts::kDecide, {order_key(work.order.id)},
                  {std::to_string(work.order.version), text_of(work.refusal.value())});
  return reply.integer() == 1;
}

void RedisOrderStore::let_go(const Work& work, Duration delay) {
  redis_.eval(order_scripts::kLetGo, {order_key(work.order.id), redis_.key("due")},
              {work.order.id, std::to_string(work.lease), std::to_string(delay.count())});
}

std::optional<Order> RedisOrderStore::find(const std::string& id) {
  std::optional<Work> work = read(id);
  if (!work || work->order.version == 0) return std::nullopt;
  return std::move(work->order);
}

std::optional<Work> RedisOrderStore::read(const std::string& id) {
  const RedisReply fields =
      redis_.command({"HMGET", order_key(id), "status", "version", "customer", "lines", "total",
                      "reason", "placed", "key", "refusal", "expected"});
  if (fields[0].is_nil()) return std::nullopt;
  Work work;
  Order& order = work.order;
  order.id = id;
  order.status = status_of_text(fields[0].text());
  order.version = number_of(fields[1]);
  order.customer = fields[2].text();
  order.lines = lines_of_text(fields[3].text());
  if (!fields[4].text().empty()) order.total_minor = number_of(fields[4]);
  order.reason = fields[5].text();
  order.placed_ms = number_of(fields[6]);
  work.key = fields[7].text();
  // Orders from before it was kept have none.
  if (!fields[9].is_nil() && !fields[9].text().empty()) order.expected_minor = number_of(fields[9]);
  if (!fields[8].is_nil()) work.refusal = refusal_of_text(std::string(fields[8].text()));
  return work;
}

}  // namespace shop
