// For tests: a workload of arrivals that are written out by hand.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "bench/simulate/simulation.h"
#include "bench/simulate/workload.h"

namespace subito::simulate {

class Listed final : public Workload {
 public:
  explicit Listed(std::vector<Arrival> arrivals) : arrivals_(std::move(arrivals)) {}
  bool next(Arrival& arrival) override {
    if (at_ == arrivals_.size()) return false;
    arrival = arrivals_[at_++];
    return true;
  }

 private:
  std::vector<Arrival> arrivals_;
  std::size_t at_ = 0;
};

inline Arrival call(Duration at, Duration service, std::uint32_t function = 0) {
  return {TimePoint(at), function, service};
}

// Pods of 1 GB.
inline Plan listed(std::vector<Arrival> arrivals, Duration duration, std::size_t functions = 1) {
  Plan plan;
  plan.functions.assign(functions, FunctionFacts{1'000'000'000});
  plan.duration = duration;
  plan.begin = [arrivals = std::move(arrivals)](TimePoint) {
    return std::make_unique<Listed>(arrivals);
  };
  return plan;
}

inline Outcome run(const Setup& setup, const Plan& plan) {
  Simulation simulation(setup, plan);
  return simulation.run([](double) { return true; });
}

}  // namespace subito::simulate
