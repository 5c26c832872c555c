// RedisOrderStore: orders in checkout's own corner of Redis (order_scripts.h tells the keys).
//
// Belongs to one handler run. Throws subito::RedisError.
#pragma once

#include <vector>

#include "functions/checkout/order_store.h"

namespace shop {

class RedisOrderStore final : public OrderStore {
 public:
  explicit RedisOrderStore(subito::Redis& redis) : redis_(redis) {}

  Begun begin(const std::string& key, const Order& order, Duration lease) override;
  Taken take(const std::string& id, Duration lease) override;
  bool change(const Work& work, Record record, const StoredAnswer& answer) override;
  bool decide(const Work& work) override;
  void let_go(const Work& work, Duration delay) override;
  std::optional<Order> find(const std::string& id) override;

 private:
  std::string order_key(const std::string& id) const { return redis_.key("order:" + id); }
  std::string record_key(const std::string& key) const { return redis_.key("idempotency:" + key); }
  std::optional<Work> read(const std::string& id);

  subito::Redis& redis_;
};

}  // namespace shop
