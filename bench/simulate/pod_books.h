// PodBooks: what pods cost: how long each was there, how much of that it ran something, and how
// many there were at a time. Nothing behind the end of the workload counts, so that policies are
// compared over the same time. Part of the simulation, same thread.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/simulate/outcome.h"

namespace subito::simulate {

// A level over time, as the mean of each of some buckets.
class Series {
 public:
  Series(Duration end, std::size_t buckets);
  void change(TimePoint now, std::int64_t by);
  // Up to `now`, and the means of all buckets begun by then.
  std::vector<double> means(TimePoint now);
  Duration bucket() const { return bucket_; }
  std::uint64_t level() const { return static_cast<std::uint64_t>(level_); }

 private:
  void advance(TimePoint now);

  Duration bucket_;
  std::vector<double> areas_;  // level times seconds
  TimePoint latest_{};
  std::size_t at_ = 0;  // the bucket that `latest_` lies in
  TimePoint ends_;      // of that bucket
  std::int64_t level_ = 0;
};

class PodBooks {
 public:
  explicit PodBooks(Duration end);

  void started(TimePoint now);
  void gone(TimePoint now, TimePoint started, std::uint64_t memory_bytes);
  void was_busy(TimePoint from, TimePoint to, std::uint64_t memory_bytes);
  void fill(TimePoint now, Outcome& outcome);

 private:
  double seconds(TimePoint from, TimePoint to) const;

  TimePoint end_;
  Series pods_;
  std::uint64_t starts_ = 0;
  std::uint64_t peak_ = 0;
  double pod_seconds_ = 0;
  double gb_seconds_ = 0;
  double gb_seconds_busy_ = 0;
};

}  // namespace subito::simulate
