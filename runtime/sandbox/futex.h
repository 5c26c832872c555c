// futex(2) between processes, on words in memory they share.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>

namespace subito::sandbox {

// Until the word has another value. 0, or ETIMEDOUT; `milliseconds_max` 0: no limit.
template <typename Word>
int wait_while(const std::atomic<Word>& word, Word value, int milliseconds_max = 0) {
  static_assert(sizeof word == 4);
  const timespec timeout = {milliseconds_max / 1'000, milliseconds_max % 1'000 * 1'000'000L};
  while (word.load(std::memory_order_acquire) == value) {
    const long slept = ::syscall(SYS_futex, &word, FUTEX_WAIT, value,
                                 milliseconds_max > 0 ? &timeout : nullptr, nullptr, 0);
    if (slept != 0 && errno == ETIMEDOUT) return ETIMEDOUT;
  }
  return 0;
}

template <typename Word>
void wake_waiter(const std::atomic<Word>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

}  // namespace subito::sandbox
