// Calls between functions, shares of the cores and what a start takes of them.
#include <gtest/gtest.h>

#include "bench/simulate/listed.h"
#include "bench/simulate/simulation.h"

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;

// So many functions: each calls the next, when half of it is done, and the last one nobody.
// Nested calls take 10 ms each of their own.
Plan chain(std::size_t functions, std::vector<Arrival> arrivals) {
  Plan plan = listed(std::move(arrivals), 60s, functions);
  for (std::uint32_t i = 0; i < functions; ++i) {
    NamedFunction& function = plan.named.emplace_back();
    function.name = "f" + std::to_string(i);
    function.called = Distribution::fixed(10ms);
    if (i + 1 < functions) function.calls.push_back({i + 1, 500});
  }
  return plan;
}

Setup setup_of(std::uint32_t pods = 100) {
  Setup setup;
  setup.node.pods_max = pods;
  setup.timeout = 30s;
  return setup;
}

// Starts of 1 ms each, then 20 + 10 ms: the caller waits while the called one starts and runs.
TEST(SimulationCalls, ACallerWaitsForWhatItCalls) {
  const Outcome it = run(setup_of(), chain(2, {call(0s, 20ms)}));
  EXPECT_EQ(it.completed, 2u);
  EXPECT_EQ(it.functions.at(0).response.max(), 32'000'000);
  EXPECT_EQ(it.functions.at(1).response.max(), 11'000'000);
  EXPECT_EQ(it.functions.at(0).slowdown.max(), 1066);  // 32 of 30 ms
}

// Two of them on one core: halves until 21 ms, the called ones from 22 to 42, the rest until 62.
TEST(SimulationCalls, WhoWaitsHoldsNoCore) {
  auto setup = setup_of();
  setup.cores = 1;
  const Outcome it = run(setup, chain(2, {call(0s, 20ms), call(0s, 20ms)}));
  EXPECT_EQ(it.functions.at(0).response.max(), 62'000'000);
}

TEST(SimulationCalls, MayBeMadeAtTheBeginningAndAtTheEnd) {
  Plan plan = chain(2, {call(0s, 20ms)});
  plan.named[0].calls = {{1, 0}, {1, 1000}};
  const Outcome it = run(setup_of(), plan);
  EXPECT_EQ(it.functions.at(1).completed, 2u);
  EXPECT_EQ(it.functions.at(0).response.max(), 42'000'000);  // the second finds its pod
}

// A chain on exactly as many pods as it is long, twice as often as there is room for at once.
TEST(SimulationCalls, ChainsEndOnANodeWithAPlaceForEachOfThem) {
  const std::vector<Arrival> calls(8, call(0s, 20ms));
  const Outcome it = run(setup_of(4), chain(4, calls));
  EXPECT_EQ(it.completed, 4u * 8u);
}

TEST(SimulationCalls, ThoseThatGoRoundAreRefusedAndFailTheirCallers) {
  Plan plan = chain(3, {call(0s, 20ms)});
  plan.named[2].calls = {{0, 0}};
  const Outcome it = run(setup_of(), plan);
  EXPECT_EQ(it.arrived, 4u);
  EXPECT_EQ(it.completed, 0u);
  EXPECT_EQ(it.looped, 1u);
  EXPECT_EQ(it.failed, 3u);
  EXPECT_EQ(it.functions.at(0).refused.at(508), 1u);
  EXPECT_EQ(it.functions.at(2).failed, 1u);
}

// 16 calls in a chain of 17 functions may be; an 18th function is too deep.
TEST(SimulationCalls, ThoseThatAreTooDeepAreRefused) {
  EXPECT_EQ(run(setup_of(), chain(17, {call(0s, 20ms)})).completed, 17u);
  const Outcome it = run(setup_of(), chain(18, {call(0s, 20ms)}));
  EXPECT_EQ(it.looped, 1u);
  EXPECT_EQ(it.failed, 17u);
}

// The callee may wait for nobody, and its one pod is taken for a second.
TEST(SimulationCalls, ARefusedOneFailsItsCallerAndFreesItsPod) {
  Plan plan = chain(2, {call(0s, 1s, 1), call(1ms, 20ms), call(5s, 20ms)});
  plan.limits.assign(2, {});
  plan.limits[1].pods_max = 1;
  plan.limits[1].queue_limit = 0;
  const Outcome it = run(setup_of(), plan);
  EXPECT_EQ(it.functions.at(1).refused.at(429), 1u);
  EXPECT_EQ(it.functions.at(0).failed, 1u);
  EXPECT_EQ(it.functions.at(0).completed, 1u);  // the third call, by the same pod
  EXPECT_EQ(it.starts, 2u);
}

// The caller's deadline is that of all below it.
TEST(SimulationCalls, EndWithTheDeadlineOfTheirCaller) {
  auto setup = setup_of();
  setup.timeout = 1s;
  Plan plan = chain(3, {call(0s, 20ms), call(5s, 20ms)});
  plan.named[2].called = Distribution::fixed(10s);
  const Outcome it = run(setup, plan);
  EXPECT_EQ(it.completed, 0u);
  EXPECT_EQ(it.cancelled, 6u);
  EXPECT_EQ(it.functions.at(1).refused.at(504), 2u);
}

// Two in one pod, of which one fails: then the pod has had its two calls and drains, and is killed
// after 5 s, for the other has no deadline. What that one called runs for nobody then.
TEST(SimulationCalls, WhatNobodyWaitsForAnyMoreIsGivenUp) {
  Plan plan = chain(2, {call(0s, 20ms), call(0s, 20ms)});
  plan.named[1].called = Distribution::fixed(10min);
  auto setup = setup_of();
  setup.timeout = {};
  setup.node.pod_dispatches_max = 2;
  plan.limits.assign(2, {.concurrency = 2, .drain_timeout = 5s});
  plan.limits[1].in_flight_max = 1;
  const Outcome it = run(setup, plan);
  EXPECT_EQ(it.functions.at(0).failed, 1u);
  EXPECT_EQ(it.functions.at(0).refused, (std::map<int, std::uint64_t>{{502, 1}}));
  EXPECT_EQ(it.functions.at(1).refused, (std::map<int, std::uint64_t>{{429, 1}}));
  EXPECT_EQ(it.functions.at(1).failed, 1u);
}

// Two functions, one of them with 3 pods (each a quarter), on one core: half and a bit each.
TEST(SimulationCalls, FunctionsShareTheCoresByWeightAndNotByPods) {
  auto setup = setup_of();
  setup.cores = 1;
  setup.cores_by_function = true;
  const std::vector<Arrival> calls = {call(0s, 1s, 1), call(0s, 1s, 1), call(0s, 1s, 1),
                                      call(0s, 100ms, 0)};
  Plan plan = listed(calls, 60s, 2);
  plan.named = {{.name = "quiet"}, {.name = "flood"}};
  // 1000 of 1000 + 3 * 250: 175 ms behind its start.
  EXPECT_EQ(run(setup, plan).functions.at(0).response.max(), 176'000'000);
  setup.cores_by_function = false;
  EXPECT_EQ(run(setup, plan).functions.at(0).response.max(), 401'000'000);
}

// What runs in one pod shares what the pod has.
TEST(SimulationCalls, CallsInOnePodShareItsPart) {
  auto setup = setup_of();
  setup.cores = 1;
  setup.cores_by_function = true;
  setup.limits.concurrency = 4;
  const std::vector<Arrival> calls = {call(0s, 1s, 1), call(0s, 1s, 1), call(0s, 1s, 1),
                                      call(0s, 1s, 1), call(0s, 100ms, 0)};
  Plan plan = listed(calls, 60s, 2);
  plan.named = {{.name = "quiet"}, {.name = "flood"}};
  EXPECT_EQ(run(setup, plan).functions.at(0).response.max(), 201'000'000);
}

// Two starts of 100 ms, of which 80 are work, on one core: both are up after 160 ms.
TEST(SimulationCalls, StartsTakeACoreIfTheyAreSaidTo) {
  auto setup = setup_of();
  setup.cores = 1;
  setup.cold_start = Distribution::fixed(100ms);
  setup.start_cpu = 80ms;
  const Plan plan = listed({call(0s, 1ms, 0), call(0s, 1ms, 1)}, 60s, 2);
  const Outcome it = run(setup, plan);
  EXPECT_EQ(it.waiting.min(), 160'000'000);
  EXPECT_EQ(it.waiting.max(), 160'000'000);
  setup.cores = 2;  // then nobody waits for a core
  EXPECT_EQ(run(setup, plan).waiting.max(), 100'000'000);
}

// Every call ends once, whatever goes wrong on the way.
TEST(SimulationCalls, EveryOneEndsOnce) {
  std::vector<Arrival> calls;
  for (int i = 0; i < 3000; ++i) {
    calls.push_back(call(i * 3ms, 5ms + i % 7 * 10ms, static_cast<std::uint32_t>(i % 5)));
  }
  Plan plan = chain(4, calls);
  plan.named[1].calls.push_back({3, 900});
  plan.functions.emplace_back();
  plan.named.push_back({.name = "round", .calls = {{0, 100}, {4, 200}}});  // the second: refused
  for (const Duration timeout : {Duration(50ms), Duration(300ms), Duration(2s)}) {
    for (const std::uint32_t pods : {4U, 10U, 40U}) {
      auto setup = setup_of(pods);
      setup.cores = 2;
      setup.cores_by_function = true;
      setup.timeout = timeout;
      setup.start_cpu = 1ms;
      setup.limits.queue_limit = 50;
      const Outcome it = run(setup, plan);
      EXPECT_EQ(it.arrived, it.completed + it.lost());
      std::uint64_t by_function = 0;
      for (const FunctionOutcome& function : it.functions) {
        by_function += function.completed + function.failed;
        for (const auto& [status, count] : function.refused) by_function += count;
      }
      EXPECT_EQ(by_function, it.arrived);
      EXPECT_EQ(it.digest, run(setup, plan).digest);
    }
  }
}

}  // namespace
}  // namespace subito::simulate
