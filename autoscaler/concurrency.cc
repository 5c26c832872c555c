#include "autoscaler/concurrency.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace subito::autoscaler {
namespace {

constexpr Duration kTick = std::chrono::seconds(2);
// A function whose pods do not come up is given up: Knative's progress deadline and its buffer.
constexpr Duration kActivationTimeout = std::chrono::seconds(610);
constexpr std::uint64_t kMillion = 1'000'000;
constexpr std::uint64_t kGoalMin = kMillion / 100;  // 0.01

std::uint32_t whole_seconds(Duration span) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(span).count();
  return static_cast<std::uint32_t>(std::max<std::int64_t>(seconds, 1));
}

std::uint32_t panic_seconds(const ConcurrencyOptions& options) {
  return whole_seconds(options.stable_window * options.panic_window_percent / 100);
}

std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) {
  return (a + b - 1) / b;
}

std::uint32_t total_of(const ConcurrencyOptions& options, const Load& load) {
  return options.target == 0 ? load.concurrency : std::min(options.target, load.concurrency);
}

}  // namespace

Concurrency::Concurrency(const ConcurrencyOptions& options)
    : options_(options),
      window_(whole_seconds(options.stable_window)),
      delay_(options.scale_down_delay, kTick),
      desired_(options.initial_scale),
      wanted_(options.initial_scale),
      state_(options.initial_scale > 0 ? State::kActivating : State::kInactive) {}

void Concurrency::observe(const Load& load) {
  window_.observe(load.now, load.in_flight, load.in_flight + load.ready > 0);
}

// Growing is the plan's business. From zero it was poked; what it wants and could not start yet
// (the node is full) stands in line here.
StartAnswer Concurrency::on_waiting(const Demand& demand) {
  if (demand.slots == 0) return {.start = true, .reason = StartReason::kNothingRuns};
  if (demand.pods < wanted_) return {.start = true, .reason = StartReason::kPlanWantsMore};
  return {.start = false,
          .reason = StartReason::kPlanDecides,
          .ask_again_after = next_tick_ > demand.now ? next_tick_ - demand.now : kTick};
}

Plan Concurrency::plan(const Load& load) {
  if (next_tick_ == TimePoint::min()) next_tick_ = load.now + kTick;
  const bool poked = desired_ == 0 && load.in_flight > 0;
  if (poked) window_.poke(load.now);
  const bool due = load.now >= next_tick_;
  if (due) next_tick_ += (load.now - next_tick_) / kTick * kTick + kTick;
  if (poked || (due && !asleep(load))) tick(load);
  apply(load);
  return {.pods_wanted = wanted_,
          .ask_again_at = asleep(load) ? TimePoint::max() : std::min(next_tick_, look_again_),
          .reason = reason_};
}

bool Concurrency::asleep(const Load& load) const {
  return wanted_ == 0 && desired_ == 0 && load.in_flight == 0 && load.ready + load.starting == 0;
}

void Concurrency::tick(const Load& load) {
  const std::uint64_t stable =
      window_.average_millionths(load.now, whole_seconds(options_.stable_window));
  const std::uint64_t panic = window_.average_millionths(load.now, panic_seconds(options_));
  const std::uint32_t chosen = within_panic(load, stable, panic);
  desired_ = delay_.record(load.now, chosen);
  if (desired_ != chosen) reason_ = PlanReason::kDelayed;

  const std::uint64_t capacity = std::uint64_t{load.ready} * total_of(options_, load) * kMillion;
  const bool in_path = options_.burst_capacity < 0 ||
                       (options_.burst_capacity > 0 &&
                        capacity < std::uint64_t(options_.burst_capacity) * kMillion + panic);
  if (in_path && !activator_in_path_) activator_since_ = load.now;
  activator_in_path_ = in_path;
}

// What the two averages ask for, before delay and way to zero.
std::uint32_t Concurrency::within_panic(const Load& load, std::uint64_t stable,
                                        std::uint64_t panic) {
  const std::uint64_t ready = std::max(load.ready, 1u);
  const std::uint64_t goal =
      std::max(kGoalMin, std::uint64_t{total_of(options_, load)} * options_.utilization_percent *
                             (kMillion / 100));
  const std::uint64_t up = options_.max_scale_up_rate * ready;
  const std::uint64_t down = ready / options_.max_scale_down_rate;
  const std::uint64_t by_stable = ceil_div(stable, goal);
  const std::uint64_t by_panic = ceil_div(panic, goal);
  const auto bounded = [&](std::uint64_t pods) {
    const std::uint64_t inside = std::min(std::max(pods, down), up);
    const bool activates = pods > 0 && options_.activation_scale > 1;
    return static_cast<std::uint32_t>(
        activates ? std::max<std::uint64_t>(inside, options_.activation_scale) : inside);
  };
  if (by_panic * 100 >= options_.panic_threshold_percent * ready) {
    panicking_ = true;
    panic_since_ = load.now;
  } else if (panicking_ && panic_since_ + options_.stable_window < load.now) {
    panicking_ = false;
    panic_pods_ = 0;
  }
  reason_ = panicking_ ? PlanReason::kPanic : PlanReason::kAverage;
  if (!panicking_) return bounded(by_stable);
  panic_pods_ = std::max({panic_pods_, bounded(by_stable), bounded(by_panic)});
  return panic_pods_;
}

// What of the desired number is done now: all, but for the way to zero.
void Concurrency::apply(const Load& load) {
  look_again_ = TimePoint::max();
  if (desired_ > 0 || state_ == State::kActivating) {
    become(load.ready > 0 ? State::kActive : State::kActivating, load.now);
  }
  if (desired_ > 0) {
    wanted_ = desired_;
  } else if (wanted_ > 0) {
    go_to_zero(load.now);
  }
}

void Concurrency::become(State state, TimePoint now) {
  if (state_ == state) return;
  state_ = state;
  state_since_ = now;
}

void Concurrency::go_to_zero(TimePoint now) {
  reason_ = PlanReason::kToZero;
  if (state_ == State::kActivating) {  // it comes up first
    if (now - state_since_ >= kActivationTimeout) wanted_ = 0;
    return;
  }
  if (state_ == State::kActive) {
    const TimePoint until = state_since_ + options_.stable_window;
    if (now < until) {
      wanted_ = 1;
      look_again_ = until;
      return;
    }
    become(State::kInactive, now);
    if (!activator_in_path_) activator_since_ = now;
    activator_in_path_ = true;
  }
  const TimePoint until = activator_since_ + options_.to_zero_grace;
  if (now >= until) {
    wanted_ = 0;
  } else {
    look_again_ = until;
  }
}

}  // namespace subito::autoscaler
