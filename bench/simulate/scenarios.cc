#include "bench/simulate/scenarios.h"

#include "bench/figures.h"
#include "bench/simulate/merge.h"
#include "bench/simulate/random.h"

namespace subito::simulate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Calls of one function from outside: a Poisson process, or so many at once every so often.
struct Calls {
  double rate = 0;            // a second; 0: not so
  std::uint64_t at_once = 0;  // 0: not so
  Duration every{};
  Duration service{};
};

class CallsSource {
 public:
  CallsSource(const Calls& calls, std::uint64_t seed, std::uint32_t function)
      : calls_(calls), random_(seed, function) {}

  TimePoint first() {
    if (calls_.at_once == 0) return next(TimePoint());
    left_ = calls_.at_once;
    return TimePoint();
  }
  Duration service() { return calls_.service; }
  TimePoint next(TimePoint at) {
    if (calls_.at_once > 0) {
      if (--left_ > 0) return at;
      left_ = calls_.at_once;
      return at + calls_.every;
    }
    if (calls_.rate <= 0) return TimePoint::max();
    const Duration gap = of_seconds(random_.exponential() / calls_.rate);
    return gap >= TimePoint::max() - at ? TimePoint::max() : at + gap;
  }

 private:
  Calls calls_;
  Random random_;
  std::uint64_t left_ = 0;  // of those at once
};

Status positive(const char* key, Duration duration) {
  if (duration > Duration::zero()) return ok();
  return fail(ErrorCode::kInvalidArgument, std::string(key) + ": must be above 0");
}

// What scenarios have in common. `calls`: of each function from outside.
Plan plan_of(const Size& size, std::uint64_t memory, std::vector<NamedFunction> named,
             std::vector<Calls> calls) {
  Plan plan;
  plan.functions.assign(named.size(), FunctionFacts{memory});
  plan.named = std::move(named);
  plan.as_live = true;
  plan.duration = size.duration == Duration::zero() ? std::chrono::minutes(1) : size.duration;
  plan.begin = [calls = std::move(calls), seed = size.seed](TimePoint end) {
    std::vector<CallsSource> sources;
    for (std::uint32_t i = 0; i < calls.size(); ++i) sources.emplace_back(calls[i], seed, i);
    return std::make_unique<Merge<CallsSource>>(std::move(sources), end);
  };
  return plan;
}

Result<Plan> calls_plan(Spec& spec, const Size& size) {
  Calls checkout;
  ASSIGN_OR_RETURN(checkout.rate, spec.number("rate", 0));
  ASSIGN_OR_RETURN(checkout.at_once, spec.count("at-once", 0));
  ASSIGN_OR_RETURN(checkout.every, spec.time("every", seconds(10)));
  ASSIGN_OR_RETURN(checkout.service, spec.time("service", milliseconds(20)));
  ASSIGN_OR_RETURN(const double before, spec.number("before", 0.5));
  ASSIGN_OR_RETURN(const Duration stock, spec.time("stock", milliseconds(5)));
  ASSIGN_OR_RETURN(const std::uint64_t memory, spec.memory("memory", 128'000'000));
  RETURN_IF_ERROR(spec.finish());
  RETURN_IF_ERROR(positive("every", checkout.every));
  if (before > 1) return fail(ErrorCode::kInvalidArgument, "before: is above 1");
  if (checkout.rate > 0 && checkout.at_once > 0) {
    return fail(ErrorCode::kInvalidArgument, "calls: rate or at-once, not both");
  }
  if (checkout.at_once == 0 && checkout.rate == 0) checkout.rate = 50;
  NamedFunction caller{.name = "checkout"};
  caller.calls.push_back({1, static_cast<std::uint32_t>(before * 1000 + 0.5)});
  const NamedFunction called{.name = "stock", .called = Distribution::fixed(stock)};
  Plan plan = plan_of(size, memory, {caller, called}, {checkout, {}});
  plan.words = "calls, " +
               (checkout.at_once > 0 ? grouped(checkout.at_once) + " checkouts at once every " +
                                           words(checkout.every)
                                     : bench::format("%g", checkout.rate) + " checkouts/s") +
               ", service " + words(checkout.service) + ", each waits for stock, service " +
               words(stock) + ", " + words(plan.duration);
  return plan;
}

Result<Plan> flood_plan(Spec& spec, const Size& size, std::uint32_t cores) {
  Calls quiet;
  Calls flood;
  ASSIGN_OR_RETURN(quiet.rate, spec.number("rate", 10));
  ASSIGN_OR_RETURN(const double factor, spec.number("factor", 10));
  ASSIGN_OR_RETURN(quiet.service, spec.time("service", milliseconds(20)));
  ASSIGN_OR_RETURN(flood.service, spec.time("flood-service", quiet.service));
  ASSIGN_OR_RETURN(const std::uint64_t memory, spec.memory("memory", 128'000'000));
  RETURN_IF_ERROR(spec.finish());
  RETURN_IF_ERROR(positive("service", quiet.service));
  RETURN_IF_ERROR(positive("flood-service", flood.service));
  if (cores == 0) {
    return fail(ErrorCode::kInvalidArgument,
                "flood needs --cores N: it is `factor` times what they can do");
  }
  flood.rate = factor * cores / std::chrono::duration<double>(flood.service).count();
  Plan plan = plan_of(size, memory, {{.name = "quiet"}, {.name = "flood"}}, {quiet, flood});
  plan.words = "flood, quiet with " + bench::format("%g", quiet.rate) + " calls/s, service " +
               words(quiet.service) + ", flood with " + bench::format("%g", flood.rate) +
               " calls/s, " + bench::format("%g", factor) +
               " times what the cores can do, service " + words(flood.service) + ", " +
               words(plan.duration);
  return plan;
}

}  // namespace

Result<Plan> scenario_plan(Spec spec, const Size& size, std::uint32_t cores) {
  const bool calls = spec.name() == "calls";
  if (!calls && spec.name() != "flood") return fail(ErrorCode::kNotFound, spec.name());
  if (size.functions != 0 || size.calls != 0) {
    return fail(ErrorCode::kInvalidArgument,
                "--functions, --calls: " + spec.name() +
                    " has two functions, and takes rate=CALLS-PER-SECOND and --duration instead");
  }
  return calls ? calls_plan(spec, size) : flood_plan(spec, size, cores);
}

}  // namespace subito::simulate
