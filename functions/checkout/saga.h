// Saga: places one order, step by step, so that it ends COMPLETED or CANCELLED with the stock where
// it belongs, or can be gone on with.
//
//   begin ─▶ price (catalogue) ─▶ reserve (stock) ─▶ RESERVED ─▶ commit (stock) ─▶ COMPLETED
//               │                    │                              │
//               └── refused ─────────┴─────────── stock released ───┴─▶ CANCELLED, answer kept
//               └── away ────────────┘ stock released ─▶ CANCELLED, key free again, 503
//                                      release fails or commit unsure ─▶ as it is, lease ended, 503
//
// Every step has the effect of once however often it is done, by the order's id: a request with the
// same key goes on where the last one stopped. Belongs to one handler run; blocking.
#pragma once

#include <subito/function.h>

#include <optional>
#include <string>
#include <utility>

#include "functions/checkout/order_store.h"
#include "functions/shop/json.h"

namespace shop {

class Saga {
 public:
  Saga(std::string key, subito::Context& context, OrderStore& store)
      : key_(std::move(key)), context_(context), store_(store) {}

  // The answer to POST /orders with these lines. Throws subito::RedisError.
  subito::Response place(const Lines& lines);

 private:
  // An answer that ends the run, or none: go on.
  using Ended = std::optional<subito::Response>;

  subito::Response run();
  Ended price();
  Ended take_prices(const Json& products);
  Ended reserve();
  subito::Response commit();
  subito::Response refuse(int status, const std::string& type, const std::string& detail);
  subito::Response give_up(const std::string& reason);
  subito::Response unsure(const std::string& reason);
  subito::Response overtaken();
  bool release();
  subito::Response stock(const std::string& path, std::string body);
  bool become(OrderStatus to, OrderStore::Record record, const StoredAnswer& answer);

  const std::string key_;
  subito::Context& context_;
  OrderStore& store_;
  Order order_;
};

}  // namespace shop
