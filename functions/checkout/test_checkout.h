// TestCheckout: the saga with all it touches in memory, and what must hold of it. Test code only.
#pragma once

#include <subito/testing.h>

#include <string>
#include <vector>

#include "functions/checkout/saga.h"
#include "functions/checkout/test_order_store.h"
#include "functions/checkout/test_providers.h"

namespace shop {

class TestCheckout {
 public:
  TestCheckout() {
    plan.stall = [] {};
  }

  // As a client sees it: 502 when the pod is killed, 503 when Redis is away.
  subito::Response place(const Wish& wish);
  // Due work for whatever is due first, once; false when nothing is open.
  bool carry_on();
  // Due work until nothing is open. False if that never comes to an end.
  bool settle();

  // What is wrong, one line each; none when all orders are final, every piece and every penny is
  // where it belongs, and the events of each order fold to it.
  std::vector<std::string> faults() const;
  std::int64_t completed() const;
  // The only order that there is.
  const MemoryOrderStore::Kept& only() const { return store.orders.begin()->second; }

  FaultPlan plan;
  subito::testing::TestContext context;
  TestProviders providers{plan, context};
  MemoryOrderStore store{plan};
};

}  // namespace shop
