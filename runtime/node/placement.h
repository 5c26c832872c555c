// Placement: a CorePlacement of this machine's cores, which looks when a timer of the loop says so.
// Owned by the node, on its loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "runtime/loop/loop.h"
#include "runtime/pods/core_placement.h"
#include "runtime/pods/cores.h"

namespace subito::node {

class Placement {
 public:
  Placement(Loop& loop, std::function<pid_t(PodId)> pid_of)
      : look_(loop, [this, &loop] { cores_.look(loop.now()); }),
        cores_(std::make_unique<pods::SystemCores>(), std::move(pid_of),
               [this] { look_.start(pods::CorePlacement::kLookAfter); }) {}

  pods::CorePlacement& cores() { return cores_; }

 private:
  Timer look_;
  pods::CorePlacement cores_;
};

}  // namespace subito::node
