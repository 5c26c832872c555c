// Progress: a bar on standard error while a comparison runs, if that is a terminal and the
// comparison is not over at once. Used by one thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

namespace subito::simulate {

class Progress {
 public:
  explicit Progress(std::size_t runs);
  ~Progress();  // wipes it
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `run`: 0 to runs - 1; `share` of it: 0 to 1. Cheap: it draws a few times a second.
  void show(std::size_t run, double share);

 private:
  using Clock = std::chrono::steady_clock;
  std::vector<double> shares_;  // by run
  const bool terminal_;
  const Clock::time_point begun_;
  Clock::time_point drawn_;
  bool visible_ = false;
};

}  // namespace subito::simulate
