#include "functions/checkout/history.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "functions/checkout/history_scripts.h"

namespace shop {
namespace {

using subito::HttpError;
using subito::RedisError;
using subito::RedisReply;

constexpr std::size_t kPlacedDigits = 15;  // until the year 33658
constexpr std::size_t kOrderIdDigits = 32;
constexpr const char* kChunk = "100";  // events or customers at a time
// How often an event or a page may find that a rebuild has just put another view to use.
constexpr int kTriesMax = 3;
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

// By number: "9-9" comes before "10-2".
bool comes_before(std::string_view left, std::string_view right) {
  const auto parts = [](std::string_view id) {
    const std::size_t dash = id.find('-');
    const std::string_view ms = id.substr(0, dash);
    const std::string_view sequence = id.substr(dash + 1);
    return std::tuple(ms.size(), ms, sequence.size(), sequence);
  };
  return parts(left) < parts(right);
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

// Of an order that is told of more than once the newest counts.
std::int64_t History::apply_to(const char* source, const std::string& generation,
                               const std::vector<Told>& told) {
  std::map<std::string_view, const Order*> newest;
  std::string_view last = told.front().id;
  for (const Told& one : told) {
    const Order*& known = newest[one.order.id];
    if (known == nullptr || known->version < one.order.version) known = &one.order;
    if (comes_before(last, one.id)) last = one.id;
  }
  std::vector<std::string> keys{redis_.key(source), view_key(generation, "customers"),
                                view_key(generation, "last")};
  std::vector<std::string> arguments{generation, std::string(last)};
  for (const auto& [id, order] : newest) {
    keys.push_back(view_key(generation, "list:" + order->customer));
    keys.push_back(view_key(generation, "orders:" + order->customer));
    arguments.insert(arguments.end(), {order->customer, order->id, history_entry(*order),
                                       std::to_string(order->version), to_json(*order)});
  }
  return redis_.eval(history_scripts::kApply, keys, arguments).integer();
}

std::size_t History::apply(const std::vector<Told>& told) {
  if (told.empty()) return 0;
  for (int i = 0; i < kTriesMax; ++i) {
    const std::int64_t taken = apply_to("view:generation", generation(), told);
    if (taken >= 0) return static_cast<std::size_t>(taken);
  }
  throw RedisError("take events in: the view is being rebuilt");
}

std::string History::page(const std::string& customer, const PageAsked& asked) {
  for (int i = 0; i < kTriesMax; ++i) {
    if (auto page = page_in(generation(), customer, asked)) return *std::move(page);
  }
  throw RedisError("read history: the view is being rebuilt");
}

std::optional<std::string> History::page_in(const std::string& generation,
                                            const std::string& customer, const PageAsked& asked) {
  const RedisReply page = redis_.eval(
      history_scripts::kPage,
      {redis_.key("view:generation"), view_key(generation, "list:" + customer),
       view_key(generation, "orders:" + customer)},
      {generation, asked.after.empty() ? "+" : "(" + asked.after, std::to_string(asked.limit + 1)});
  if (page[0].integer() == 0) return std::nullopt;
  const std::size_t entries = (page.size() - 1) / 2;
  const std::size_t count = std::min(entries, asked.limit);
  std::string body = "{\"orders\":[";
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view kept = page[2 + 2 * i].text();  // its version, a space, its JSON
    if (kept.empty()) throw RedisError("read history: an order is missing, rebuild the view");
    body.append(i > 0 ? "," : "").append(kept.substr(kept.find(' ') + 1));
  }
  body += "],\"next\":";
  body += entries > count ? subito::json_string(page[2 * count - 1].text()) : "null";
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
  std::vector<Told> told;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    ++rebuilt.events;
    try {
      told.push_back(
          {std::string(entries[i][0].text()), order_changed(event_in(entries[i])).order});
    } catch (const std::invalid_argument&) {
      ++rebuilt.skipped;
    }
  }
  // -1: another run has put it to use; kSwitch tells.
  if (!told.empty()) (void)apply_to("view:rebuild", generation, told);
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
