// Taking more than its share.
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "functions/testing/escape/attempt.h"

namespace escape {
namespace {

// These would harm a host: they run as the first process of a pid namespace or not at all.
const Outcome kNotHere = {"refused outside of a pod"};
bool in_pod() {
  return ::getpid() == 1;
}

// Ends by the memory limit: the line is never written.
Outcome take_memory(const char*) {
  if (!in_pod()) return kNotHere;
  constexpr std::size_t kStep = 1 << 20;
  for (std::size_t taken = 0; taken < (std::size_t{8} << 30); taken += kStep) {
    void* room = ::mmap(nullptr, kStep, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) return denied(errno);
    std::memset(room, 1, kStep);
  }
  return allowed("8 GiB of memory");
}

Outcome fork_without_end(const char*) {
  if (!in_pod()) return kNotHere;
  for (int made = 0; made < 10'000; ++made) {
    const pid_t child = ::fork();
    if (child < 0) return {"made " + std::to_string(made) + ", then " + denied(errno).text};
    if (child == 0) {
      ::pause();
      ::_exit(0);
    }
  }
  return allowed("10000 processes");
}

void* wait_for_ever(void*) {
  for (;;) ::pause();
}

Outcome threads_without_end(const char*) {
  if (!in_pod()) return kNotHere;
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, 64 * 1024);
  for (int made = 0; made < 100'000; ++made) {
    pthread_t thread;
    const int error = ::pthread_create(&thread, &attributes, &wait_for_ever, nullptr);
    if (error != 0) return {"made " + std::to_string(made) + ", then " + denied(error).text};
  }
  return allowed("100000 threads");
}

Outcome descriptors_without_end(const char*) {
  for (int made = 0; made < 1'000'000; ++made) {
    if (::dup(0) < 0) return {"made " + std::to_string(made) + ", then " + denied(errno).text};
  }
  return allowed("1000000 descriptors");
}

// For as long as it lives.
Outcome spin(const char*) {
  for (;;) asm volatile("");
}

}  // namespace

const Attempt kResourceAttempts[] = {{"take-memory", take_memory},
                                     {"fork-without-end", fork_without_end},
                                     {"threads-without-end", threads_without_end},
                                     {"descriptors-without-end", descriptors_without_end},
                                     {"spin", spin},
                                     {nullptr, nullptr}};

}  // namespace escape
