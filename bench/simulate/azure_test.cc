#include "bench/simulate/azure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;

std::vector<AzureFunction> population() {
  return azure_2019_functions(20'000, 0, 1);
}

struct App {
  std::size_t functions = 0;
  double calls = 0;
};
std::vector<App> apps_of(const std::vector<AzureFunction>& functions) {
  std::vector<App> apps;
  for (const AzureFunction& function : functions) {
    if (function.app >= apps.size()) apps.resize(function.app + 1);
    ++apps[function.app].functions;
    apps[function.app].calls += function.calls_per_day;
  }
  return apps;
}

template <typename Things, typename Test>
double share(const Things& things, Test test) {
  return static_cast<double>(std::count_if(things.begin(), things.end(), test)) /
         static_cast<double>(things.size());
}

TEST(Azure2019, AppsHaveThePublishedSizes) {
  const auto apps = apps_of(population());
  EXPECT_NEAR(share(apps, [](const App& app) { return app.functions == 1; }), 0.54, 0.01);
  EXPECT_NEAR(share(apps, [](const App& app) { return app.functions <= 10; }), 0.95, 0.01);
}

TEST(Azure2019, RatesSpanEightOrdersAndFewAppsMakeMostCalls) {
  auto apps = apps_of(population());
  EXPECT_NEAR(share(apps, [](const App& app) { return app.calls <= 24; }), 0.45, 0.01);
  EXPECT_NEAR(share(apps, [](const App& app) { return app.calls <= 1440; }), 0.81, 0.01);
  std::sort(apps.begin(), apps.end(), [](auto& a, auto& b) { return a.calls > b.calls; });
  EXPECT_GT(apps.front().calls / apps.back().calls, 0.9e8);
  double all = 0, top = 0;
  for (std::size_t i = 0; i < apps.size(); ++i) {
    all += apps[i].calls;
    if (i < apps.size() * 186 / 1000) top += apps[i].calls;
  }
  EXPECT_NEAR(top / all, 0.996, 0.001);
}

TEST(Azure2019, TriggersHaveTheirSharesOfFunctionsAndCalls) {
  std::map<Trigger, double> functions, calls;
  double all = 0;
  const auto everybody = population();
  for (const AzureFunction& function : everybody) {
    functions[function.trigger] += 100.0 / static_cast<double>(everybody.size());
    calls[function.trigger] += function.calls_per_day;
    all += function.calls_per_day;
  }
  EXPECT_NEAR(functions[Trigger::kHttp], 55, 2);
  EXPECT_NEAR(functions[Trigger::kQueue], 15.2, 1.5);
  EXPECT_NEAR(functions[Trigger::kEvent], 2.2, 0.6);
  EXPECT_NEAR(functions[Trigger::kTimer], 15.6, 1.5);
  EXPECT_NEAR(functions[Trigger::kOrchestration], 6.9, 1);
  EXPECT_NEAR(100 * calls[Trigger::kHttp] / all, 35.9, 6);
  EXPECT_NEAR(100 * calls[Trigger::kQueue] / all, 33.5, 6);
  EXPECT_NEAR(100 * calls[Trigger::kEvent] / all, 24.7, 6);
  EXPECT_NEAR(100 * calls[Trigger::kTimer] / all, 2.0, 2);
}

TEST(Azure2019, RunTimesAndMemoryHaveTheirQuantiles) {
  const auto functions = population();
  EXPECT_NEAR(share(functions, [](auto& it) { return it.run_seconds < 1; }), 0.56, 0.02);
  EXPECT_NEAR(share(functions, [](auto& it) { return it.run_seconds < 60; }), 0.97, 0.01);
  // Burr's own quantiles with the published parameters; the paper says at most 170 and 400 MB.
  EXPECT_NEAR(share(functions, [](auto& it) { return it.memory_bytes <= 170e6; }), 0.72, 0.04);
  EXPECT_NEAR(share(functions, [](auto& it) { return it.memory_bytes <= 400e6; }), 0.96, 0.02);
}

TEST(Azure2019, GapsAreEvenForAFifthAndBurstyForTwo) {
  const auto functions = population();
  EXPECT_NEAR(share(functions, [](auto& it) { return it.gaps == Gaps::kPeriodic; }), 0.2, 0.01);
  EXPECT_NEAR(share(functions, [](auto& it) { return it.gaps == Gaps::kBursty; }), 0.4, 0.02);
}

// Mean and coefficient of variation of many gaps of one function.
std::pair<double, double> moments(Gaps gaps) {
  const Renewal renewal{.gaps = gaps, .gap_seconds = 2, .service_log_mean = 0, .service_sigma = 0};
  RenewalSource source(renewal, 5, 0);
  TimePoint before = source.first();
  double sum = 0, square = 0;
  constexpr int kGaps = 86'400 * 4;  // about 8 days: whole waves
  for (int i = 0; i < kGaps; ++i) {
    const TimePoint at = source.next(before);
    const double gap = std::chrono::duration<double>(at - before).count();
    before = at;
    sum += gap;
    square += gap * gap;
  }
  const double mean = sum / kGaps;
  return {mean, std::sqrt(square / kGaps - mean * mean) / mean};
}

TEST(Renewals, HaveTheirMeanAndVariation) {
  EXPECT_NEAR(moments(Gaps::kPeriodic).first, 2, 0.001);
  EXPECT_NEAR(moments(Gaps::kPeriodic).second, 0, 0.001);
  EXPECT_NEAR(moments(Gaps::kPoisson).first, 2, 0.04);
  EXPECT_NEAR(moments(Gaps::kPoisson).second, 1.06, 0.05);  // the wave adds a little
  EXPECT_NEAR(moments(Gaps::kBursty).second, 3.1, 0.3);
}

TEST(DailyWaves, AreHalfAtMidnightAndFullAtNoonAndTurnBack) {
  const DailyWave& wave = daily_wave();
  const double midnight = wave.operational(600) / 600;
  const double noon = (wave.operational(43'500) - wave.operational(42'900)) / 600;
  EXPECT_NEAR(midnight, 0.5 / 0.75, 0.01);
  EXPECT_NEAR(noon, 1 / 0.75, 0.01);
  EXPECT_DOUBLE_EQ(wave.operational(2 * 86'400.0), 2 * 86'400.0);
  for (double t = 0; t < 86'400; t += 997) EXPECT_NEAR(wave.real(wave.operational(t)), t, 2);
}

TEST(Azure2021, TopFunctionsMakeThePublishedSharesOfCalls) {
  const auto functions = azure_2021_functions(424, 1000, 1);
  const auto top = [&](std::size_t count) {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += functions[i].calls_per_day;
    return sum / 1000;
  };
  EXPECT_NEAR(top(1), 0.27, 1e-9);
  EXPECT_NEAR(top(5), 0.57, 1e-9);
  EXPECT_NEAR(top(20), 0.84, 1e-9);
  EXPECT_NEAR(top(100), 0.985, 1e-9);
  EXPECT_NEAR(top(424), 1, 1e-9);
}

std::uint64_t calls_of(const char* name, const Size& size) {
  const auto plan = azure_plan(Spec::parse(name).value(), size);
  EXPECT_TRUE(plan) << plan.error().message;
  const auto workload = plan->begin(TimePoint(plan->duration));
  Arrival arrival;
  std::uint64_t calls = 0;
  while (workload->next(arrival)) ++calls;
  return calls;
}

TEST(AzurePlans, MakeAsManyCallsAsAsked) {
  EXPECT_NEAR(static_cast<double>(calls_of("azure-2019", {.functions = 2000, .calls = 300'000})),
              300'000, 9000);
  EXPECT_NEAR(static_cast<double>(calls_of("azure-2019", {.functions = 2000, .calls = 5000})), 5000,
              500);
  EXPECT_NEAR(static_cast<double>(calls_of("azure-2021", {.calls = 200'000})), 200'000, 9000);
  EXPECT_NEAR(static_cast<double>(
                  calls_of("azure-2021", {.functions = 7, .calls = 90'000, .duration = 6h})),
              90'000, 4000);
}

}  // namespace
}  // namespace subito::simulate
