// Interrupt: while one lives, SIGINT and SIGTERM set a flag and break blocking calls off (EINTR)
// instead of ending the process, so that everything the bench started is cleaned away. One at a
// time; made by the main thread, asked by any.
#pragma once

#include <csignal>

namespace subito::bench {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  static bool happened();

 private:
  struct sigaction old_interrupt_ {};
  struct sigaction old_terminate_ {};
};

}  // namespace subito::bench
