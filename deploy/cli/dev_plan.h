// DevPlan: when `dev` builds, deploys and looks for the node. Pure: what happened comes in, with
// its time, what to do next comes out.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/base/time.h"

namespace subito::cli {

// "Save all" is one build: it begins once nothing has changed for so long ...
inline constexpr Duration kGather = std::chrono::milliseconds(50);
// ... or, when something changes all the time, so long after the first change.
inline constexpr Duration kGatherMax = std::chrono::milliseconds(500);
inline constexpr Duration kNodeRetry = std::chrono::milliseconds(500);

class DevPlan {
 public:
  enum class Step : std::uint8_t {
    kWait,    // until something happens, at most until deadline()
    kBuild,   // tell begin_build(), then built()
    kDeploy,  // then tell deployed(), or lost_node()
    kReach,   // see whether the node is there; then tell reached(), or lost_node()
  };

  // What was built well is deployed before the next build: who saves all the time gets answers too.
  // The first build is due at once.
  explicit DevPlan(TimePoint now) : first_change_(now), build_at_(now) {}

  void changed(TimePoint now);
  // What changes from now on is for the next one.
  void begin_build() { build_at_.reset(); }
  void built(bool well) { built_well_ = deploy_due_ = well; }
  void deployed() { deploy_due_ = false; }  // or refused: the next change may mend it
  void lost_node(TimePoint now) { reach_at_ = now + kNodeRetry; }
  // A node that was away may have missed a deploy.
  void reached();

  Step next(TimePoint now) const;
  std::optional<TimePoint> deadline() const;
  bool node_away() const { return reach_at_.has_value(); }

 private:
  TimePoint first_change_;  // of those that are not built yet
  std::optional<TimePoint> build_at_;
  bool built_well_ = false;
  bool deploy_due_ = false;
  std::optional<TimePoint> reach_at_;
};

}  // namespace subito::cli
