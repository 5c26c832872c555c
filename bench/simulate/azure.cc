#include "bench/simulate/azure.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "bench/simulate/exact_math.h"
#include "bench/simulate/merge.h"

namespace subito::simulate {
namespace {

// Streams of random numbers beside those of single functions.
constexpr std::uint64_t kApps = 1ULL << 40;
constexpr std::uint64_t kRates = 2ULL << 40;
constexpr std::uint64_t kFunctions = 3ULL << 40;

constexpr double kHour = 24;  // calls a day
constexpr double kMinute = 1440;
constexpr double kRarest = 0.015;   // once in two months: 8 orders of magnitude below the top
constexpr double kBusiest = 1.5e6;  // with it the top 18.6 % make 99.6 % of the calls
constexpr double kHourly = 0.45;    // of the apps are called at most once an hour
constexpr double kMinutely = 0.81;  // at most once a minute

// 54 % of apps have one function, 95 % at most ten; in between, and to 100, log-uniform.
std::uint32_t app_size(double u) {
  if (u < 0.54) return 1;
  if (u < 0.95) return static_cast<std::uint32_t>(2 * power(5.5, (u - 0.54) / 0.41));
  return static_cast<std::uint32_t>(11 * power(9.1, (u - 0.95) / 0.05));
}

// Calls a day of the app that a share `u` of all are called less than: log-linear between what the
// paper gives.
double app_rate(double u, double busiest) {
  if (u < kHourly) return kRarest * power(kHour / kRarest, u / kHourly);
  if (u < kMinutely) return kHour * power(kMinute / kHour, (u - kHourly) / (kMinutely - kHourly));
  return kMinute * power(busiest / kMinute, (u - kMinutely) / (1 - kMinutely));
}

double rate_of_all(std::size_t apps, double busiest) {
  double sum = 0;
  for (std::size_t i = 0; i < apps; ++i) {
    sum += app_rate((static_cast<double>(i) + 0.5) / static_cast<double>(apps), busiest);
  }
  return sum;
}

// The busiest app's rate with which all make `calls`; the others keep theirs.
double busiest_for(std::size_t apps, double calls) {
  double low = kMinute;
  double high = 1e12;
  for (int i = 0; i < 100; ++i) {
    const double middle = std::sqrt(low * high);
    (rate_of_all(apps, middle) < calls ? low : high) = middle;
  }
  return low;
}

// Of functions / of calls, %. The paper's storage and others are one here, with what is left.
struct TriggerShare {
  Trigger trigger;
  double functions, calls;
};
constexpr TriggerShare kTriggers[] = {
    {Trigger::kHttp, 55.0, 35.9}, {Trigger::kQueue, 15.2, 33.5},       {Trigger::kEvent, 2.2, 24.7},
    {Trigger::kTimer, 15.6, 2.0}, {Trigger::kOrchestration, 6.9, 2.3}, {Trigger::kOther, 5.1, 1.6}};
// Nearly all calls are made by the busiest 8 %: these have triggers in the shares of calls, and the
// others so that the shares of functions come out.
constexpr double kBusy = 0.08;

Trigger draw_trigger(Random& random, bool busy) {
  double left = random.uniform() * 100;
  for (const TriggerShare& share : kTriggers) {
    left -= busy ? share.calls : (share.functions - kBusy * share.calls) / (1 - kBusy);
    if (left < 0) return share.trigger;
  }
  return Trigger::kOther;
}

// A fifth of all have even gaps (the timers, and a few more), two fifths are bursty.
Gaps draw_gaps(Random& random, Trigger trigger) {
  if (trigger == Trigger::kTimer) return Gaps::kPeriodic;
  const double u = random.uniform();
  return u < 0.052 ? Gaps::kPeriodic : u < 0.526 ? Gaps::kBursty : Gaps::kPoisson;
}

double draw_run_seconds(Random& random) {
  constexpr double kLogMean = -0.38;
  constexpr double kSigma = 2.36;
  return std::clamp(exponential(kLogMean + kSigma * random.normal()), 0.001, 600.0);
}

std::uint64_t draw_memory(Random& random) {
  constexpr double kC = 11.652;
  constexpr double kK = 0.221;
  constexpr double kLambda = 107.083;
  const double megabytes = kLambda * power(power(1 - random.uniform(), -1 / kK) - 1, 1 / kC);
  return static_cast<std::uint64_t>(std::clamp(megabytes, 1.0, 16'000.0) * 1e6);
}

// Who stands where among `count`: a permutation, so that few apps too have the published shares.
std::vector<std::uint32_t> shuffled(std::uint32_t count, Random random) {
  std::vector<std::uint32_t> out(count);
  std::iota(out.begin(), out.end(), 0U);
  for (std::uint32_t i = count; i > 1; --i) std::swap(out[i - 1], out[random.below(i)]);
  return out;
}

std::vector<std::uint32_t> app_sizes(std::uint32_t functions, std::uint64_t seed) {
  Random random(seed, kApps);
  std::vector<std::uint32_t> sizes;
  for (std::uint32_t left = functions; left > 0; left -= sizes.back()) {
    sizes.push_back(std::min(left, app_size(random.uniform())));
  }
  return sizes;
}

// The share of all calls that the first `rank` of 424 functions make: published points, in between
// Zipf with the exponent that fits the whole, 1.53.
struct CallShare {
  std::uint32_t rank;
  double share;
};
constexpr CallShare kShares[] = {{1, 0.27},  {5, 0.57},    {10, 0.73}, {20, 0.84},
                                 {50, 0.94}, {100, 0.985}, {424, 1.0}};
constexpr double kZipf = 1.53;

std::vector<double> shares_2021(std::uint32_t functions) {
  std::vector<double> out(functions);
  std::uint32_t rank = 0;
  double before = 0;
  for (const CallShare& point : kShares) {
    const std::uint32_t last = point.rank == 424 ? functions : std::min(point.rank, functions);
    double sum = 0;
    for (std::uint32_t i = rank; i < last; ++i) sum += out[i] = power(i + 1, -kZipf);
    for (std::uint32_t i = rank; i < last; ++i) out[i] *= (point.share - before) / sum;
    rank = last;
    before = point.share;
  }
  // Fewer functions than ranks: the others' calls are theirs.
  const double all = std::accumulate(out.begin(), out.end(), 0.0);
  for (double& share : out) share /= all;
  return out;
}

constexpr double kRunSigma = 0.5;  // of one function's calls: ours, the paper has means only

// With how much of a whole day's calls.
double operational_days(Duration duration) {
  return daily_wave().operational(std::chrono::duration<double>(duration).count()) / 86'400;
}

Plan plan_of(std::vector<AzureFunction> functions, const std::string& name, Duration duration,
             std::uint64_t seed) {
  Plan plan;
  plan.duration = duration;
  auto renewals = std::make_shared<std::vector<Renewal>>();
  double calls = 0;
  const double real_days = std::chrono::duration<double>(duration).count() / 86'400;
  const double days = operational_days(duration);
  for (const AzureFunction& function : functions) {
    plan.functions.push_back({function.memory_bytes});
    // Timers know no night: in part of a day they would make more calls than their share.
    const double stretch = function.gaps == Gaps::kPeriodic ? real_days / days : 1;
    renewals->push_back({function.gaps,
                         function.calls_per_day > 0 ? stretch * 86'400 / function.calls_per_day : 0,
                         natural_log(function.run_seconds) - kRunSigma * kRunSigma / 2, kRunSigma});
    calls += function.calls_per_day;
  }
  plan.words = name + ", " + grouped(functions.size()) + " functions, about " +
               grouped(static_cast<std::uint64_t>(calls * days + 0.5)) + " calls in " +
               words(duration);
  plan.begin = [renewals, seed](TimePoint end) {
    std::vector<RenewalSource> sources;
    sources.reserve(renewals->size());
    for (std::uint32_t i = 0; i < renewals->size(); ++i) {
      sources.emplace_back((*renewals)[i], seed, i);
    }
    return std::make_unique<Merge<RenewalSource>>(std::move(sources), end);
  };
  return plan;
}

}  // namespace

std::vector<AzureFunction> azure_2019_functions(std::uint32_t functions, double calls,
                                                std::uint64_t seed) {
  const std::vector<std::uint32_t> sizes = app_sizes(functions, seed);
  const auto apps = static_cast<std::uint32_t>(sizes.size());
  const std::vector<std::uint32_t> ranks = shuffled(apps, Random(seed, kRates));
  const double busiest = calls > 0 ? busiest_for(apps, calls) : kBusiest;
  // Fewer calls than the seldom called ones alone make: all are called less.
  const double scale = calls > 0 ? std::min(1.0, calls / rate_of_all(apps, kMinute)) : 1;
  std::vector<AzureFunction> out;
  for (std::uint32_t app = 0; app < apps; ++app) {
    Random random(seed, kFunctions + app);
    const double u = (ranks[app] + 0.5) / apps;
    const std::uint64_t memory = draw_memory(random);
    const std::size_t begin = out.size();
    double weights = 0;
    for (std::uint32_t i = 0; i < sizes[app]; ++i) {
      AzureFunction function;
      function.app = app;
      function.trigger = draw_trigger(random, u >= 1 - kBusy);
      function.gaps = draw_gaps(random, function.trigger);
      function.run_seconds = draw_run_seconds(random);
      function.memory_bytes = memory;
      weights += function.calls_per_day = 0.5 + random.uniform();
      out.push_back(function);
    }
    const double rate = app_rate(u, busiest) * scale / weights;
    for (std::size_t i = begin; i < out.size(); ++i) out[i].calls_per_day *= rate;
  }
  return out;
}

std::vector<AzureFunction> azure_2021_functions(std::uint32_t functions, double calls,
                                                std::uint64_t seed) {
  std::vector<AzureFunction> out;
  const std::vector<double> shares = shares_2021(functions);
  for (std::uint32_t i = 0; i < functions; ++i) {
    Random random(seed, kFunctions + i);
    AzureFunction function;
    function.app = i;
    function.trigger = draw_trigger(random, i < kBusy * functions);
    function.gaps = draw_gaps(random, function.trigger);
    function.run_seconds = draw_run_seconds(random);
    function.memory_bytes = draw_memory(random);
    function.calls_per_day = shares[i] * calls;
    out.push_back(function);
  }
  return out;
}

Result<Plan> azure_plan(Spec spec, const Size& size) {
  const bool is_2019 = spec.name() == "azure-2019";
  if (!is_2019 && spec.name() != "azure-2021") return fail(ErrorCode::kNotFound, spec.name());
  RETURN_IF_ERROR(spec.finish());
  constexpr double kCalls2021 = 1'980'951;
  constexpr int kDays2021 = 14;
  const auto day = std::chrono::hours(24);
  Duration duration = size.duration;
  if (duration == Duration::zero()) duration = is_2019 ? day : kDays2021 * day;
  double calls = static_cast<double>(size.calls) / operational_days(duration);
  std::uint32_t functions = size.functions;
  if (functions == 0) functions = is_2019 ? 200 : 424;
  if (!is_2019 && calls == 0) calls = kCalls2021 / kDays2021;
  return plan_of(is_2019 ? azure_2019_functions(functions, calls, size.seed)
                         : azure_2021_functions(functions, calls, size.seed),
                 spec.name(), duration, size.seed);
}

}  // namespace subito::simulate
