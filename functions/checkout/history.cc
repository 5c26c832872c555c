#include "functions/checkout/history.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "functions/checkout/history_scripts.h"

namespace shop {
namespace {

using subito::HttpError;
using subito::RedisError;
using subito::RedisReply;

constexpr std::size_t kPlacedDigits = 15;  // until the year 33658
constexpr std::size_t kOrderIdDigits = 32;
constexpr const char* kChunk = "256";  // events or customers at a time
// How often an event may find that a rebuild has just put another view to use.
constexpr int kApplyTriesMax = 3;
constexpr const char* kStreamBegin = "0-0";

bool is_cursor(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  if (text.size() != kPlacedDigits + 1 + kOrderIdDigits || text[kPlacedDigits] != '-') return false;
  return text.substr(0, kPlacedDigits).find_first_not_of("0123456789") == text.npos &&
         text.substr(kPlacedDigits + 1).find_first_not_of(kHex) == text.npos;
}

std::size_t limit_of(const std::string& text) {
  std::size_t limit = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, limit);
  if (error == std::errc() && stop == end && limit >= 1 && limit <= kPageMax) return limit;
  throw HttpError(400, "bad-limit", "\"limit\" is a whole number from 1 to 100");
}

// Of an entry in a stream, [id, [name, value, ...]].
Event event_in(const RedisReply& entry) {
  Event event;
  const RedisReply fields = entry[1];
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (fields[i].text() == "type") event.type = fields[i + 1].text();
    if (fields[i].text() == "data") event.data = fields[i + 1].text();
  }
  return event;
}

void check_replies(const std::vector<RedisReply>& replies) {
  for (const RedisReply& reply : replies) {
    if (reply.is_error()) throw RedisError(std::string(reply.text()));
  }
}

}  // namespace

PageAsked page_asked(const subito::Request& request) {
  PageAsked asked;
  if (const auto limit = request.query("limit")) asked.limit = limit_of(*limit);
  if (const auto cursor = request.query("cursor")) {
    if (!is_cursor(*cursor)) {
      throw HttpError(400, "bad-cursor", "\"cursor\" is what a page before gave as \"next\"");
    }
    asked.after = *cursor;
  }
  return asked;
}

std::string history_entry(const Order& order) {
  const std::string placed = std::to_string(order.placed_ms);
  std::string entry(kPlacedDigits - std::min(kPlacedDigits, placed.size()), '0');
  return entry.append(placed).append("-").append(order.id);
}

std::string History::view_key(std::string_view generation, std::string_view name) const {
  return redis_.key("view:").append(generation).append(":").append(name);
}

std::string History::generation() {
  const RedisReply reply = redis_.command({"GET", redis_.key("view:generation")});
  return reply.is_nil() ? "0" : std::string(reply.text());
}

History::Apply History::apply_of(const std::string& source, const std::string& generation,
                                 const std::string& id, const Event& event) const {
  const Order order = order_changed(event).order;
  return {{redis_.key(source), view_key(generation, "customers"),
           view_key(generation, "list:" + order.customer),
           view_key(generation, "orders:" + order.customer), view_key(generation, "last")},
          {generation, order.customer, order.id, history_entry(order),
           std::to_string(order.version), to_json(order), id}};
}

bool History::apply(const std::string& id, const Event& event) {
  for (int i = 0; i < kApplyTriesMax; ++i) {
    const Apply apply = apply_of("view:generation", generation(), id, event);
    const std::int64_t taken =
        redis_.eval(history_scripts::kApply, apply.keys, apply.arguments).integer();
    if (taken >= 0) return taken == 1;
  }
  throw RedisError("take event in: the view is being rebuilt");
}

std::string History::page(const std::string& customer, const PageAsked& asked) {
  const std::string generation = this->generation();
  const RedisReply entries =
      redis_.command({"ZREVRANGEBYLEX", view_key(generation, "list:" + customer),
                      asked.after.empty() ? "+" : "(" + asked.after, "-", "LIMIT", "0",
                      std::to_string(asked.limit + 1)});
  const std::size_t count = std::min(entries.size(), asked.limit);
  std::string body = "{\"orders\":[";
  if (count > 0) {
    std::vector<std::string> read{"HMGET", view_key(generation, "orders:" + customer)};
    for (std::size_t i = 0; i < count; ++i) {
      read.emplace_back(entries[i].text().substr(kPlacedDigits + 1));
    }
    const RedisReply orders = redis_.command(read);
    for (std::size_t i = 0; i < count; ++i) {
      if (orders[i].is_nil()) throw RedisError("read history: the view was rebuilt meanwhile");
      const std::string_view text = orders[i].text();
      body.append(i > 0 ? "," : "").append(text.substr(text.find(' ') + 1));
    }
  }
  body += "],\"next\":";
  const bool more = entries.size() > count;
  body += more ? subito::json_string(entries[count - 1].text()) : "null";
  return body + "}\n";
}

Rebuilt History::rebuild(const std::function<bool()>& more) {
  Rebuilt rebuilt;
  rebuilt.generation = redis_
                           .eval(history_scripts::kBeginRebuild,
                                 {redis_.key("view:rebuild"), redis_.key("view:generations")}, {})
                           .integer();
  const std::string filled = std::to_string(rebuilt.generation);
  const RedisReply last = redis_.command({"GET", view_key(filled, "last")});
  std::string from = last.is_nil() ? kStreamBegin : std::string(last.text());
  while (more()) {
    std::string to = fill(filled, from, rebuilt);
    if (to != from) {
      from = std::move(to);
      continue;
    }
    const auto outcome =
        redis_
            .eval(history_scripts::kSwitch,
                  {redis_.key("view:rebuild"), redis_.key("view:generation"),
                   redis_.key("view:retired"), redis_.key("events"), view_key(filled, "last")},
                  {filled, from})
            .integer();
    if (outcome == 0) continue;
    rebuilt.done = drop_retired(more);  // -1: another run was first
    return rebuilt;
  }
  return rebuilt;
}

// The id of the last event that was read; `from` when there are no more.
std::string History::fill(const std::string& generation, const std::string& from,
                          Rebuilt& rebuilt) {
  const RedisReply entries =
      redis_.command({"XRANGE", redis_.key("events"), "(" + from, "+", "COUNT", kChunk});
  if (entries.size() == 0) return from;
  const subito::RedisScript& script = history_scripts::kApply;
  std::vector<std::vector<std::string>> commands{{"SCRIPT", "LOAD", std::string(script.text())}};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    ++rebuilt.events;
    try {
      const std::string id(entries[i][0].text());
      const Apply apply = apply_of("view:rebuild", generation, id, event_in(entries[i]));
      std::vector<std::string>& command = commands.emplace_back(std::vector{
          std::string("EVALSHA"), std::string(script.sha1()), std::to_string(apply.keys.size())});
      command.insert(command.end(), apply.keys.begin(), apply.keys.end());
      command.insert(command.end(), apply.arguments.begin(), apply.arguments.end());
    } catch (const std::invalid_argument&) {
      ++rebuilt.skipped;
    }
  }
  check_replies(redis_.pipeline(commands));
  return std::string(entries[entries.size() - 1][0].text());
}

bool History::drop_retired(const std::function<bool()>& more) {
  const RedisReply retired = redis_.command({"SMEMBERS", redis_.key("view:retired")});
  for (std::size_t i = 0; i < retired.size(); ++i) {
    const std::string generation(retired[i].text());
    if (!drop(generation, more)) return false;
    redis_.command({"SREM", redis_.key("view:retired"), generation});
  }
  return true;
}

bool History::drop(const std::string& generation, const std::function<bool()>& more) {
  const std::string customers = view_key(generation, "customers");
  while (more()) {
    const RedisReply some = redis_.command({"SRANDMEMBER", customers, kChunk});
    if (some.size() == 0) {
      redis_.command({"UNLINK", view_key(generation, "last")});
      return true;
    }
    std::vector<std::string> keys{"UNLINK"};
    std::vector<std::string> members{"SREM", customers};
    for (std::size_t i = 0; i < some.size(); ++i) {
      const std::string customer(some[i].text());
      keys.push_back(view_key(generation, "list:" + customer));
      keys.push_back(view_key(generation, "orders:" + customer));
      members.push_back(customer);
    }
    check_replies(redis_.pipeline({std::move(keys), std::move(members)}));
  }
  return false;
}

}  // namespace shop
