#include "deploy/cli/dev_plan.h"

#include <algorithm>

namespace subito::cli {

void DevPlan::changed(TimePoint now) {
  if (!build_at_) first_change_ = now;
  build_at_ = std::min(now + kGather, first_change_ + kGatherMax);
}

void DevPlan::reached() {
  reach_at_.reset();
  deploy_due_ = built_well_;
}

DevPlan::Step DevPlan::next(TimePoint now) const {
  if (reach_at_ && now >= *reach_at_) return Step::kReach;
  if (deploy_due_ && !reach_at_) return Step::kDeploy;
  return build_at_ && now >= *build_at_ ? Step::kBuild : Step::kWait;
}

std::optional<TimePoint> DevPlan::deadline() const {
  if (build_at_ && reach_at_) return std::min(*build_at_, *reach_at_);
  return build_at_ ? build_at_ : reach_at_;
}

}  // namespace subito::cli
