#include "bench/interrupt.h"

#include <atomic>

namespace subito::bench {

namespace {
std::atomic<bool> interrupted = false;  // set by a signal handler, read by any thread
static_assert(std::atomic<bool>::is_always_lock_free);
}  // namespace

Interrupt::Interrupt() {
  interrupted = false;
  struct sigaction action {};  // no SA_RESTART
  action.sa_handler = [](int) { interrupted = true; };
  ::sigaction(SIGINT, &action, &old_interrupt_);
  ::sigaction(SIGTERM, &action, &old_terminate_);
}

Interrupt::~Interrupt() {
  ::sigaction(SIGINT, &old_interrupt_, nullptr);
  ::sigaction(SIGTERM, &old_terminate_, nullptr);
  interrupted = false;
}

bool Interrupt::happened() {
  return interrupted;
}

}  // namespace subito::bench
