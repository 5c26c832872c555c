// Shop: the demonstration shop under load, in one of three ways (ShopOptions::Mode), and whether
// stock, money and orders add up afterwards. On a private node of its own. Single-threaded.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/load.h"
#include "bench/machine.h"
#include "bench/options.h"
#include "bench/shop/books.h"
#include "bench/statistics.h"
#include "runtime/base/result.h"

namespace subito::bench {

// One kind of request of a mix, with its weight.
struct ShopKind {
  const char* name;
  std::uint32_t weight;
};
// Index 1, browse 10, add to cart 2, view cart 3, checkout 1; of eight checkouts one is the latest
// order asked for again.
inline const std::vector<ShopKind> kMixKinds = {{"index", 8},        {"browse", 80},
                                                {"add to cart", 16}, {"view cart", 24},
                                                {"checkout", 7},     {"checkout again", 1}};
inline const std::vector<ShopKind> kOriginalKinds = {{"index", 1}, {"products", 1}};

struct ShopResult {
  ShopOptions options;
  std::uint64_t seed = 0;
  bool interrupted = false;
  // mix, original: all requests, and each kind alone in the order of kMixKinds or kOriginalKinds.
  LoadResult load;
  // Answers of the load to a key that was asked for again while its order was on the way: no
  // errors.
  std::uint32_t in_flight = 0;
  // latency: pods there before (order, empty), and none (page, start).
  Samples order;  // POST /orders, Redis with appendfsync no: safe from kill -9
  Samples
      order_synced;  // the same with always, as a node's own Redis has it: from a power cut, too
  Samples empty;     // GET of an empty function
  Samples page;      // GET / with all functions it needs
  Samples start;     // GET of the empty function
  std::uint32_t wrong = 0;
  std::string first_wrong;

  OrderSums ordered;
  bool money_checked = false;  // payment is deployed
  std::vector<std::string> differences;

  const std::vector<ShopKind>& kinds() const;
  // Requests without the right answer, and what does not add up.
  std::uint32_t failures() const;
  std::uint32_t errors() const;
  Ratio order_ratio() const;
  Ratio order_synced_ratio() const;
  Ratio page_ratio() const;
};

// A latency run that sees so many wrong answers is not worth its end.
inline constexpr std::uint32_t kShopWrongMax = 10;

// The promises.
inline constexpr double kOriginalSlowestMsMax = 50;
inline constexpr double kOrderRatioMax = 6;
inline constexpr double kPageRatioMax = 6;

Result<ShopResult> measure_shop(const ShopOptions& options);

bool promises_kept(const ShopResult& result);

nlohmann::ordered_json to_json(const ShopResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const ShopResult& result, const Machine& machine, const std::string& command);

}  // namespace subito::bench
