#include "bench/progress_line.h"

#include <unistd.h>

#include <cstdio>

namespace subito::bench {

namespace {
constexpr auto kWriteEvery = std::chrono::milliseconds(100);
}

ProgressLine::ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (visible_) std::fprintf(stderr, "\r\x1b[K");
}

void ProgressLine::show(const std::string& words) {
  if (!terminal_) return;
  const auto now = Clock::now();
  if (visible_ && now - written_ < kWriteEvery) return;
  written_ = now;
  visible_ = true;
  std::fprintf(stderr, "\r%s\x1b[K", words.c_str());
  std::fflush(stderr);
}

}  // namespace subito::bench
