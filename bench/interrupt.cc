#include "bench/interrupt.h"

namespace subito::bench {

namespace {
volatile std::sig_atomic_t interrupted = 0;
}  // namespace

Interrupt::Interrupt() {
  interrupted = 0;
  struct sigaction action {};  // no SA_RESTART
  action.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGINT, &action, &old_interrupt_);
  ::sigaction(SIGTERM, &action, &old_terminate_);
}

Interrupt::~Interrupt() {
  ::sigaction(SIGINT, &old_interrupt_, nullptr);
  ::sigaction(SIGTERM, &old_terminate_, nullptr);
  interrupted = 0;
}

bool Interrupt::happened() {
  return interrupted != 0;
}

}  // namespace subito::bench
