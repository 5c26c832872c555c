#include "deploy/cli/interrupt.h"

#include <sys/signalfd.h>

#include "runtime/base/check.h"

namespace subito::cli {

Interrupt::Interrupt() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
  fd_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  CHECK(fd_.valid());
}

Interrupt::~Interrupt() {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool Interrupt::came() {
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) came_ = true;
  return came_;
}

}  // namespace subito::cli
