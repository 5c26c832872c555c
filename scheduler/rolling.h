// Rolling: how the pods of a new revision take the place of those of the old one, step by step: how
// many of each there may be and must be now, and how the traffic is split. Pods of the new one are
// ready before as many of the old one go; what is new gets traffic only once it is ready.
//
// With 4 pods, a surge of 1 and none unavailable: 4+1 starting, 3+1 and the next starting, ... 0+4.
//
// Pure: whoever owns the scheduler tells what there is, again and again, and does what comes out.
#pragma once

#include <cstdint>
#include <string_view>

namespace subito::scheduler {

struct RollingLimits {
  std::uint32_t pods = 0;         // that the old revision had when it began
  std::uint32_t surge = 1;        // that may be there beside those
  std::uint32_t unavailable = 0;  // of those that may be missing meanwhile
  std::uint32_t pods_max = 1;     // of the new revision, by its own limits
};

struct RollingView {
  std::uint32_t old_pods = 0;  // starting and ready
  std::uint32_t new_ready = 0;
  std::uint32_t new_failures = 0;  // starts of it in a row that came to nothing
};

struct RollingStep {
  enum class Kind : std::uint8_t {
    kGoOn,
    kDone,    // the new revision serves alone from now on
    kFailed,  // the old one does, as before
  };
  Kind kind = Kind::kGoOn;
  // For kGoOn alone.
  std::uint32_t new_min = 0;
  std::uint32_t new_max = 1;
  std::uint32_t old_max = 1;
  std::uint32_t new_weight = 0;
  std::uint32_t old_weight = 1;
};

// The last pod of the old revision goes only once one of the new is ready, whatever `unavailable`
// says; for a single pod there may so be a second one for a moment.
RollingStep roll(const RollingLimits& limits, const RollingView& view);

// "2" or "25%" of so many pods; a part of a pod counts as one if `up`, else not at all. What is no
// such text is 0.
std::uint32_t pods_of(std::string_view number_or_percent, std::uint32_t pods, bool up);

}  // namespace subito::scheduler
