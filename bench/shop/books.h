// Books: what the shop says it has: stock of each product, the guest's credit, orders; and whether
// that agrees with what was ordered and with what Redis holds. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/shop/orders.h"
#include "runtime/base/result.h"

namespace subito::bench {

struct Level {
  std::int64_t received = 0;
  std::int64_t available = 0;
  std::int64_t reserved = 0;
  std::int64_t sold = 0;
};

struct Credit {  // minor units
  std::int64_t limit = 0;
  std::int64_t available = 0;
  std::int64_t held = 0;
  std::int64_t spent = 0;
};

struct Books {
  std::map<std::string, Level> levels;  // by product
  std::optional<Credit> guest;          // where payment is deployed
};

// Orders as Redis holds them.
struct StoredOrders {
  std::uint32_t completed = 0;
  std::uint32_t cancelled = 0;
  std::uint32_t open = 0;        // in any other state
  std::int64_t total_minor = 0;  // of the completed ones
};

// As stock answers GET /stocks, and payment GET /customers/guest. kProtocol when a figure is
// missing.
Result<std::map<std::string, Level>> read_levels(const std::string& body);
Result<Credit> read_credit(const std::string& body);

// "1,234.50" of 123450.
std::string money_text(std::int64_t minor);

// A run: what the faces said before and after, what Redis holds after, and what was ordered.
struct Account {
  Books before;
  Books after;
  Books stored;
  StoredOrders stored_before;
  StoredOrders stored_after;
  OrderSums ordered;
};

// All that does not add up, with the figures, in words; empty: everything does.
std::vector<std::string> differences(const Account& account);

// Whether nothing is under way any more: no order open, as many pieces and as much credit put aside
// as before.
bool settled(const Account& account);

}  // namespace subito::bench
