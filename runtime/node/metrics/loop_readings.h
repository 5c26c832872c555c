// What loops that serve clients have counted, each for itself, as it is read for a page of metrics.
// Values; LoopReadings is implemented by GatewayLoops.
#pragma once

#include <functional>
#include <vector>

#include "runtime/gateway/route_meters.h"

namespace subito::node {

struct LoopReading {
  std::vector<gateway::RouteMeter> routes;
  std::size_t overflowed = 0;
  std::size_t connections = 0;
  Duration cpu{};  // of its thread
};

class LoopReadings {
 public:
  using Done = std::function<void(const std::vector<LoopReading>&)>;
  virtual ~LoopReadings() = default;
  // The node's loop first. `done` is called later, in bounded time.
  virtual void read(Done done) = 0;
};

// Requests that ended.
std::uint64_t requests_of(const LoopReading& reading);
// By route, of all loops; at most as many as one loop counts apart.
std::vector<gateway::RouteMeter> routes_of(const std::vector<LoopReading>& readings);

}  // namespace subito::node
