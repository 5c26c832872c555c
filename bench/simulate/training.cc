// What the libraries that decide are trained by (profile.cmake): a few seconds of workloads, each
// policy and each kind of limit among them. On one processor, so that one thread counts: the same
// sources give the same counts. Prints what `subito simulate` would.
#include <sys/personality.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "bench/simulate/simulate.h"

namespace {

constexpr const char* kRuns[] = {
    // What is most like a cloud weighs most: `instant` as people run it, then the others.
    "--workload azure-2019 --calls 300000 --policy instant",
    "--workload azure-2019 --calls 150000 --functions 10000 --policy instant",
    "--workload azure-2019 --calls 60000 --policy concurrency",
    "--workload azure-2019 --calls 60000 --policy fixed:idle=60s",
    "--workload azure-2019 --calls 60000 --policy histogram",
    "--workload azure-2019 --calls 60000 --memory 2GB --policy fixed:idle=600s",
    "--workload azure-2021 --calls 60000 --policy instant --cold-start huawei-2025",
    "--workload poisson:rate=2000,service=5ms --duration 60s --policy instant",
    "--workload poisson:rate=500 --functions 20 --duration 30s --policy instant --concurrency 4",
    "--workload step:rate=10,to=500,at=10s --duration 30s --cores 2 --policy instant",
    "--workload burst:rate=10,peak=1000,every=5s,for=1s --duration 30s --policy concurrency",
    "--workload flood --duration 5s --cores 2 --policy instant",
    "--workload calls:at-once=64 --duration 30s --pods 64 --cores 2 --policy instant",
};

// Where memory is, is counted too: once more from the start, with the addresses that every run has
// (personality(2)). Where that is forbidden the counts differ by them, and serve as well.
void fix_addresses(char** argv) {
  constexpr unsigned long kAsk = 0xffffffff;
  const int now = ::personality(kAsk);
  if (now < 0 || (now & ADDR_NO_RANDOMIZE) != 0) return;
  if (::personality(static_cast<unsigned long>(now) | ADDR_NO_RANDOMIZE) < 0) return;
  ::execv("/proc/self/exe", argv);
}

}  // namespace

int main(int, char** argv) {
  fix_addresses(argv);
  for (const char* run : kRuns) {
    std::istringstream words(run);
    std::vector<std::string> arguments;
    for (std::string word; words >> word;) arguments.push_back(word);
    if (subito::simulate::run_simulate_on(1, arguments) != 0) {
      std::fprintf(stderr, "training: failed at: %s\n", run);
      return 1;
    }
  }
  return 0;
}
