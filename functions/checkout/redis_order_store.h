// RedisOrderStore: orders in checkout's own corner of Redis.
//
//   checkout:order:<id>          hash: status, lines, total, reason, created (Unix ms)
//   checkout:idempotency:<key>   hash: fingerprint, order, lease (Unix ms), then status and body of
//                                the answer; gone after a day
//
// Belongs to one handler run. Throws subito::RedisError.
#pragma once

#include "functions/checkout/order_store.h"

namespace shop {

class RedisOrderStore final : public OrderStore {
 public:
  explicit RedisOrderStore(subito::Redis& redis) : redis_(redis) {}

  Begun begin(const std::string& key, const Order& order, std::chrono::milliseconds lease) override;
  bool change(const std::string& key, const Order& order, OrderStatus from, Record record,
              const StoredAnswer& answer) override;
  void let_go(const std::string& key) override;
  std::optional<Order> find(const std::string& id) override;

 private:
  std::string order_key(const std::string& id) const { return redis_.key("order:" + id); }
  std::string record_key(const std::string& key) const { return redis_.key("idempotency:" + key); }

  subito::Redis& redis_;
};

}  // namespace shop
