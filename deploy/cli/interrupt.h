// Interrupt: Ctrl-C, a closed terminal or SIGTERM as something to wait for instead of the end of
// the process: signalfd(2). From its making to its end these signals are blocked in this thread.
// Programs that Program starts get them as ever.
#pragma once

#include <csignal>

#include "runtime/base/unique_fd.h"

namespace subito::cli {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  int fd() const { return fd_.get(); }  // readable: came() is going to be true
  // Whether one came, ever.
  bool came();

 private:
  UniqueFd fd_;
  sigset_t before_{};
  bool came_ = false;
};

}  // namespace subito::cli
