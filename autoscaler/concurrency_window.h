// ConcurrencyWindow: how many invocations were in flight on average, second by second, for as long
// as the longest window asks. Inside the Concurrency policy of a function; a value.
//
// Knative scrapes each pod once a second and files the average of the second that ended under the
// second of the scrape. So does this, with exact averages in place of samples: what was in flight
// from 10 s to 11 s is in bucket 11. Sums are kept in invocations times nanoseconds, so an average
// is a division of integers.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/base/time.h"

namespace subito::autoscaler {

class ConcurrencyWindow {
 public:
  explicit ConcurrencyWindow(std::uint32_t seconds) : seconds_(seconds) {}

  // From `now` on this many are in flight. `live`: there are pods or invocations, so that a zero
  // is a measurement and not the lack of one. Allocates when a function is live for the first time.
  void observe(TimePoint now, std::uint32_t in_flight, bool live);
  // Files what is in flight under the current second at once, as the activator does when a call
  // finds no pod.
  void poke(TimePoint now);

  // Over the last `seconds` buckets, that of the current second included; of a function that is
  // live for less, over the buckets since then. In millionths of an invocation, rounded down.
  std::uint64_t average_millionths(TimePoint now, std::uint32_t seconds);

 private:
  std::uint64_t& bucket(std::int64_t second) {
    return buckets_[static_cast<std::size_t>(second) % buckets_.size()];
  }
  void advance(TimePoint now);

  std::uint32_t seconds_;
  std::uint32_t in_flight_ = 0;
  bool live_ = false;
  TimePoint until_{};           // everything before is filed, or in open_
  std::uint64_t open_ = 0;      // of the second that runs
  std::int64_t current_ = 0;    // the second that runs; its bucket is of the one before
  std::int64_t first_ = 0;      // bucket of the first measurement
  std::int64_t last_live_ = 0;  // when it was not, the second in which that began
  std::vector<std::uint64_t> buckets_;
};

}  // namespace subito::autoscaler
