#include "bench/simulate/progress.h"

#include <unistd.h>

#include <cstdio>
#include <numeric>
#include <string>

namespace subito::simulate {

namespace {
constexpr auto kFirstAfter = std::chrono::milliseconds(500);
constexpr auto kEvery = std::chrono::milliseconds(100);
constexpr std::size_t kBarWidth = 40;
}  // namespace

Progress::Progress(std::size_t runs)
    : shares_(runs), terminal_(::isatty(STDERR_FILENO) == 1), begun_(Clock::now()) {}

Progress::~Progress() {
  if (visible_) std::fprintf(stderr, "\r\x1b[K");
}

void Progress::show(std::size_t run, double share) {
  if (!terminal_) return;
  shares_[run] = share;
  const auto now = Clock::now();
  if (now - begun_ < kFirstAfter || now - drawn_ < kEvery) return;
  drawn_ = now;
  visible_ = true;
  const double done = std::accumulate(shares_.begin(), shares_.end(), 0.0);
  const double all = done / static_cast<double>(shares_.size());
  const auto filled = static_cast<std::size_t>(all * kBarWidth);
  const std::string bar = std::string(filled, '#') + std::string(kBarWidth - filled, '.');
  std::fprintf(stderr, "\r[%s] %3.0f %%\x1b[K", bar.c_str(), all * 100);
  std::fflush(stderr);
}

}  // namespace subito::simulate
