#include "functions/checkout/test_checkout.h"

#include <sstream>

namespace shop {
namespace {

using subito::Response;

// An order of one try a second would be ten minutes old.
constexpr int kSettleTriesMax = 600;

template <typename Left, typename Right>
void expect(std::vector<std::string>& faults, const char* what, const Left& is,
            const Right& should) {
  if (is == should) return;
  std::ostringstream line;
  line << what << " is " << is << ", should be " << should;
  faults.push_back(line.str());
}

// A pod of its own for what runs meanwhile: its death leaves whoever stalls alive.
class PodOfItsOwn {
 public:
  explicit PodOfItsOwn(FaultPlan& plan) : plan_(plan), dead_(plan.pod_is_dead) {
    plan.pod_is_dead = false;
  }
  PodOfItsOwn(const PodOfItsOwn&) = delete;
  PodOfItsOwn& operator=(const PodOfItsOwn&) = delete;
  ~PodOfItsOwn() { plan_.pod_is_dead = dead_; }

 private:
  FaultPlan& plan_;
  const bool dead_;
};

}  // namespace

Response TestCheckout::place(const Wish& wish) {
  const PodOfItsOwn pod(plan);
  try {
    return Saga(context, store).place(wish);
  } catch (const PodKilled&) {
    return Response(502);
  } catch (const subito::RedisError&) {
    return Response(503);
  }
}

bool TestCheckout::carry_on() {
  const std::string order = store.wait_for_due();
  if (order.empty()) return false;
  const PodOfItsOwn pod(plan);
  try {
    (void)Saga(context, store).carry_on(order);
  } catch (const PodKilled&) {
  } catch (const subito::RedisError&) {
  }
  return true;
}

bool TestCheckout::settle() {
  for (int i = 0; i < kSettleTriesMax; ++i) {
    if (!carry_on()) return true;
  }
  return false;
}

std::int64_t TestCheckout::completed() const {
  std::int64_t count = 0;
  for (const auto& [id, kept] : store.orders) {
    count += kept.order.status == OrderStatus::kCompleted;
  }
  return count;
}

std::vector<std::string> TestCheckout::faults() const {
  std::vector<std::string> faults;
  std::int64_t sold = 0;
  std::int64_t paid = 0;
  for (const auto& [id, kept] : store.orders) {
    if (!is_final(kept.order.status)) faults.push_back("an order is open");
    if (kept.order.status == OrderStatus::kCompleted) {
      sold += kept.order.lines.front().quantity;
      paid += kept.order.total_minor.value();
    }
    std::optional<Order> folded;
    for (const Event& event : kept.events) folded = fold(folded, event);
    if (folded != kept.order) faults.push_back("its events do not make the order");
  }
  expect(faults, "pieces available", providers.available, providers.received - sold);
  expect(faults, "pieces reserved", providers.pieces("RESERVED"), 0);
  expect(faults, "pieces sold", providers.pieces("COMMITTED"), sold);
  expect(faults, "money held", providers.money_minor("AUTHORISED"), 0);
  expect(faults, "money taken", providers.money_minor("CAPTURED"), paid);
  for (const auto& [customer, limit] : providers.limit_minor) {
    expect(faults, "credit left", providers.credit_minor.at(customer),
           limit - providers.money_minor("CAPTURED", customer));
  }
  return faults;
}

}  // namespace shop
