// PolicyBox: one function's policy, in place: a decision that meets the function finds its policy
// beside it, not behind a pointer. Of any kind; those that remember much are behind a pointer
// after all. Owned by the scheduler's record of the function, same thread.
#pragma once

#include <memory>
#include <variant>

#include "autoscaler/concurrency.h"
#include "autoscaler/fixed.h"
#include "autoscaler/hybrid_histogram.h"
#include "autoscaler/instant.h"
#include "autoscaler/policy.h"

namespace subito::autoscaler {

class PolicyBox {
 public:
  PolicyBox() = default;
  explicit PolicyBox(const PolicyOptions& options);

  // As in Policy.
  void observe(const Load& load);
  StartAnswer on_waiting(const Demand& demand);
  Plan plan(const Load& load);
  // For a load that differs in nothing but its time the plan stays as it is until it asks again.
  bool steady() const { return policy_.index() < kSteadyKinds; }

  // Asks the caches for what the next load will make it read beyond itself; it changes nothing.
  void fetch() const;

 private:
  static constexpr std::size_t kSteadyKinds = 2;  // the first ones, Fixed and Instant
  std::variant<Fixed, Instant, HybridHistogram, std::unique_ptr<Concurrency>> policy_;
};

}  // namespace subito::autoscaler
