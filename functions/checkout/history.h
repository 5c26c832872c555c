// History: the orders of a customer, a read model (CQRS) made of nothing but events. It may be
// thrown away: rebuild() makes the same again from the stream, byte by byte. Keys and scripts:
// history_scripts.h. Belongs to one handler run. Throws subito::RedisError.
#pragma once

#include <subito/function.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "functions/checkout/order_events.h"

namespace shop {

constexpr std::size_t kPageDefault = 20;
constexpr std::size_t kPageMax = 100;

// Where a page begins: behind the entry of that name. Throws HttpError 400 "bad-cursor" or
// "bad-limit" for what is none.
struct PageAsked {
  std::size_t limit = kPageDefault;
  std::string after;  // "" for the first page
};
PageAsked page_asked(const subito::Request& request);

// "<placed in ms, 15 digits>-<order>": newer orders are greater texts. Also the cursor.
std::string history_entry(const Order& order);

struct Rebuilt {
  bool done = false;  // else: `more()` said no before the end; ask again, it goes on
  std::int64_t generation = 0;
  std::int64_t events = 0;   // read in this run
  std::int64_t skipped = 0;  // of those, not of an order or not readable
};

class History {
 public:
  explicit History(subito::Redis& redis) : redis_(redis) {}

  // What an event tells, and the id of its stream entry.
  struct Told {
    std::string id;
    Order order;
  };
  // Takes events in by one script, whatever was taken in before. How many orders they told
  // something new of.
  std::size_t apply(const std::vector<Told>& told);

  // {orders: [newest first], next: a cursor or null}. Orders that come in meanwhile are before the
  // first page and move nothing.
  std::string page(const std::string& customer, const PageAsked& asked);
  // The page of that view, whole, or nothing when another one is in use.
  std::optional<std::string> page_in(const std::string& generation, const std::string& customer,
                                     const PageAsked& asked);

  // Fills a new view from the whole stream, puts it to use and drops the old one, in pieces while
  // `more()`. The old one answers until then. May be run by several at once.
  Rebuilt rebuild(const std::function<bool()>& more);

 private:
  std::string view_key(std::string_view generation, std::string_view name) const;
  std::string generation();
  // -1: `source` names another generation.
  std::int64_t apply_to(const char* source, const std::string& generation,
                        const std::vector<Told>& told);
  std::string fill(const std::string& generation, const std::string& from, Rebuilt& rebuilt);
  bool drop_retired(const std::function<bool()>& more);
  bool drop(const std::string& generation, const std::function<bool()>& more);

  subito::Redis& redis_;
};

}  // namespace shop
