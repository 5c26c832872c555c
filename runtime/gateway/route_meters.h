// RouteMeters: how many requests came by each route of a gateway, how they were answered and how
// long that took. Plain integers, found by index. At most kRoutesMax routes are counted apart: a
// route that is gone gives its place to a new one when none is left, and those beyond are counted
// together.
//
// Owned by the gateway, on its loop's thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/gateway/invoker.h"
#include "runtime/metrics/duration_buckets.h"

namespace subito::gateway {

struct RouteMeter {
  std::string name;
  bool gone = false;
  std::array<std::uint64_t, 6> ended{};  // 0: the client left first; 1 to 5: by hundreds
  metrics::DurationBuckets duration;     // to the head of the answer
};

class RouteMeters {
 public:
  static constexpr std::size_t kRoutesMax = 500;
  static constexpr std::uint32_t kNone = 0;   // no route matched
  static constexpr std::uint32_t kOther = 1;  // all beyond the limit

  RouteMeters();

  // By the places of Routes::names(), each without a twin.
  void set_routes(const std::vector<std::string>& names);
  std::uint32_t meter_of(std::uint32_t route) const {
    return route < of_route_.size() ? of_route_[route] : kOther;
  }
  // `status` 0: the client left.
  void count(std::uint32_t meter, int status, const Timing& timing) {
    if (!counting_) return;
    RouteMeter& counted = meters_[meter];
    ++counted.ended[static_cast<unsigned>(status) < 600 ? static_cast<unsigned>(status) / 100 : 5];
    if (status != 0) counted.duration.observe(timing.queue + timing.start + timing.handler);
  }

  void stop_counting() { counting_ = false; }

  const std::vector<RouteMeter>& all() const { return meters_; }
  std::size_t overflowed() const { return overflowed_; }  // routes that are counted together

 private:
  std::uint32_t place_for(const std::string& name);

  std::vector<RouteMeter> meters_;
  std::vector<std::uint32_t> of_route_;
  std::size_t overflowed_ = 0;
  bool counting_ = true;
};

}  // namespace subito::gateway
