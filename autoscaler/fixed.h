// Fixed: the keep-alive that most clouds have: a pod for each invocation that finds none free, and
// an idle pod stays for a fixed time, the function's `idle`. OpenWhisk's is 10 minutes, Huawei's
// one. It remembers nothing and plans nothing ahead.
#pragma once

#include "autoscaler/policy.h"

namespace subito::autoscaler {

class Fixed final : public Policy {
 public:
  void observe(const Load& load) override;
  StartAnswer on_waiting(const Demand& demand) override;
  Plan plan(const Load& load) override;
};

}  // namespace subito::autoscaler
