#include "bench/simulate/runs.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>

namespace subito::simulate {
namespace {

// That this thread took, clock_gettime(2).
double thread_cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

class Runs {
 public:
  Runs(const std::vector<Setup>& setups, const Plan& plan, const Watch& watch)
      : setups_(setups), plan_(plan), watch_(watch), outcomes_(setups.size()) {}

  // By each thread: takes one run after the other until there is none.
  void work() {
    for (std::size_t run = next_++; run < setups_.size() && !stopped_; run = next_++) {
      const double begun = thread_cpu_seconds();
      Simulation simulation(setups_[run], plan_);
      Outcome outcome = simulation.run([&](double progress) { return go_on(run, progress); });
      outcome.cpu_seconds = thread_cpu_seconds() - begun;
      outcomes_[run] = std::move(outcome);
    }
  }

  std::vector<Outcome> take() {
    std::vector<Outcome> taken;
    for (std::optional<Outcome>& outcome : outcomes_) {
      if (outcome) taken.push_back(*std::move(outcome));
    }
    return taken;
  }

 private:
  bool go_on(std::size_t run, double progress) {
    const std::lock_guard lock(mutex_);
    if (!stopped_ && !watch_(run, progress)) stopped_ = true;
    return !stopped_;
  }

  const std::vector<Setup>& setups_;
  const Plan& plan_;
  const Watch& watch_;
  std::vector<std::optional<Outcome>> outcomes_;  // each written by the thread that runs it
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
};

}  // namespace

std::vector<Outcome> run_all(const std::vector<Setup>& setups, const Plan& plan,
                             const Watch& watch) {
  Runs runs(setups, plan, watch);
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < std::min(processors, setups.size()); ++i) {
    helpers.emplace_back([&runs] { runs.work(); });
  }
  runs.work();
  helpers.clear();  // joins them
  return runs.take();
}

}  // namespace subito::simulate
