#include "bench/simulate/runs.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "bench/simulate/drawn_aside.h"
#include "bench/simulate/thread_time.h"

namespace subito::simulate {
namespace {

class Runs {
 public:
  Runs(const std::vector<Setup>& setups, const Plan& plan, const Watch& watch,
       std::size_t processors)
      : setups_(setups),
        plan_(plan),
        watch_(watch),
        aside_(processors >= 2 * setups.size()),
        outcomes_(setups.size()) {}

  // By each thread: takes one run after the other until there is none.
  void work() {
    for (std::size_t run = next_++; run < setups_.size() && !stopped_; run = next_++) {
      outcomes_[run] = one(run);
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
  Outcome one(std::size_t run) {
    const double begun = thread_cpu_seconds();
    double drawing = 0;
    Outcome outcome;
    if (aside_) {
      Plan plan = plan_;
      plan.begin = [&](TimePoint end) {
        return std::make_unique<DrawnAside>(plan_.begin(end), drawing);
      };
      outcome = simulate(run, plan);
    } else {
      outcome = simulate(run, plan_);
    }
    outcome.cpu_seconds = thread_cpu_seconds() - begun + drawing;
    return outcome;
  }

  Outcome simulate(std::size_t run, const Plan& plan) {
    Simulation simulation(setups_[run], plan);
    return simulation.run([&](double progress) { return go_on(run, progress); });
  }

  bool go_on(std::size_t run, double progress) {
    const std::lock_guard lock(mutex_);
    if (!stopped_ && !watch_(run, progress)) stopped_ = true;
    return !stopped_;
  }

  const std::vector<Setup>& setups_;
  const Plan& plan_;
  const Watch& watch_;
  const bool aside_;                              // there are processors left to draw arrivals on
  std::vector<std::optional<Outcome>> outcomes_;  // each written by the thread that runs it
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
};

}  // namespace

std::size_t processors_here() {
  return std::max(1U, std::thread::hardware_concurrency());
}

std::vector<Outcome> run_all(const std::vector<Setup>& setups, const Plan& plan, const Watch& watch,
                             std::size_t processors) {
  Runs runs(setups, plan, watch, processors);
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < std::min(processors, setups.size()); ++i) {
    helpers.emplace_back([&runs] { runs.work(); });
  }
  runs.work();
  helpers.clear();  // joins them
  return runs.take();
}

}  // namespace subito::simulate
