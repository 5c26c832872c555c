// ProgressLine: a line on standard error that is written over while something runs, if that is a
// terminal; wiped when it goes. Main thread.
#pragma once

#include <chrono>
#include <string>

namespace subito::bench {

class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Cheap: it writes a few times a second.
  void show(const std::string& words);

 private:
  using Clock = std::chrono::steady_clock;
  const bool terminal_;
  Clock::time_point written_;
  bool visible_ = false;
};

}  // namespace subito::bench
