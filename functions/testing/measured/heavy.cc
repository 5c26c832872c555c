// A function that is slow to start: 100 ms of CPU time and 64 MiB of memory, each page of it
// written to and kept, before it serves.
//
//   /empty            200 without a body
#include <subito/function.h>

#include <ctime>
#include <vector>

namespace {

constexpr long kInitialiseNs = 100'000'000;
constexpr std::size_t kHeldBytes = 64 << 20;

long cpu_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000L + now.tv_nsec;
}

// Touching the memory is a part of the time. What the process used before is not: of one that
// waited as an empty sandbox that was spent before the request came.
std::vector<char> initialise() {
  const long begin = cpu_ns();
  std::vector<char> held(kHeldBytes, 1);
  while (cpu_ns() - begin < kInitialiseNs) {
  }
  return held;
}

subito::Response empty(const subito::Request&, subito::Context&) {
  return subito::Response();
}

}  // namespace

int main(int argc, char** argv) {
  static const std::vector<char> held = initialise();
  subito::Router router;
  router.get("/empty", empty);
  return subito::serve(argc, argv, std::move(router));
}
