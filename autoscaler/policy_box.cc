#include "autoscaler/policy_box.h"

namespace subito::autoscaler {
namespace {

// Answers what `use` makes of the policy that is in the box.
template <typename Any, typename Use>
auto use_policy(Any& any, Use use) {
  return std::visit(
      [&use](auto& policy) {
        if constexpr (requires { *policy; }) {
          return use(*policy);
        } else {
          return use(policy);
        }
      },
      any);
}

}  // namespace

PolicyBox::PolicyBox(const PolicyOptions& options) {
  switch (options.kind) {
    case PolicyKind::kInstant:
      policy_.emplace<Instant>();
      return;
    case PolicyKind::kConcurrency:
      policy_ = std::make_unique<Concurrency>(options.concurrency);
      return;
    case PolicyKind::kFixed:
      policy_.emplace<Fixed>();
      return;
    case PolicyKind::kHistogram:
      policy_.emplace<HybridHistogram>();
      return;
  }
}

void PolicyBox::observe(const Load& load) {
  use_policy(policy_, [&load](auto& policy) { policy.observe(load); });
}

StartAnswer PolicyBox::on_waiting(const Demand& demand) {
  return use_policy(policy_, [&demand](auto& policy) { return policy.on_waiting(demand); });
}

Plan PolicyBox::plan(const Load& load) {
  return use_policy(policy_, [&load](auto& policy) { return policy.plan(load); });
}

void PolicyBox::fetch() const {
  if (const auto* instant = std::get_if<Instant>(&policy_)) instant->fetch();
}

}  // namespace subito::autoscaler
