// Quotas of tenants: who waits for them, who makes room, and that others never do.
#include <gtest/gtest.h>

#include <random>

#include "scheduler/fake_node.h"

namespace subito::scheduler {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

FunctionLimits of(std::uint32_t tenant, std::uint64_t memory_bytes = 64 * kMiB) {
  FunctionLimits limits;
  limits.tenant = tenant;
  limits.memory_bytes = memory_bytes;
  limits.cpu_millicores = 500;
  return limits;
}

std::uint32_t pods_of(const FakeNode& node, std::uint32_t tenant) {
  std::uint32_t count = 0;
  for (const auto& [name, pod] : node.pods()) {
    count += node.functions().at(pod.function).limits.tenant == tenant;
  }
  return count;
}

TEST(QuotaTest, AStartBeyondTheQuotaWaitsUntilAPodOfTheTenantIsGone) {
  FakeNode node;
  node.set_quota(1, {.pods_max = 1}).add("A", of(1)).add("B", of(1));
  node.call("A");
  node.call("B");
  EXPECT_EQ(pods_of(node, 1), 1u);
  EXPECT_EQ(node.view("B").last.kind, Decision::Kind::kQuotaReached);
  node.ready("A-1").done(1);  // idle now: it makes room
  EXPECT_EQ(node.last<DrainPod>().reason, DrainReason::kQuota);
  node.exit("A-1");
  EXPECT_EQ(node.view("B").starting, 1u);
}

TEST(QuotaTest, MemoryAndCpuCountAsTheLimitsOfThePodsSay) {
  FakeNode node;
  node.set_quota(1, {.memory_bytes_max = 100 * kMiB}).set_quota(2, {.cpu_millicores_max = 999});
  node.add("A", of(1)).add("B", of(1, 36 * kMiB)).add("C", of(1, 37 * kMiB));
  node.add("D", of(2)).add("E", of(2));
  for (const char* name : {"A", "C", "D", "E"}) node.call(name);
  EXPECT_EQ(node.view("A").starting, 1u);
  EXPECT_EQ(node.view("C").starting, 0u);
  EXPECT_EQ(node.view("D").starting, 1u);
  EXPECT_EQ(node.view("E").starting, 0u);
  node.set_quota(1, {.memory_bytes_max = 101 * kMiB});
  EXPECT_EQ(node.view("C").starting, 1u);
}

TEST(QuotaTest, NoOtherTenantMakesRoomOrWaits) {
  FakeNode node;
  node.set_quota(1, {.pods_max = 1}).add("A", of(1)).add("B", of(1)).add("Other", of(2));
  node.call("Other");
  node.ready("Other-1").done(1);
  node.call("A");
  node.call("B");
  EXPECT_EQ(node.view("Other").idle, 1u) << "it is idle, and stays";
  EXPECT_EQ(node.view("B").waiting, 1u);
  node.call("Other");
  EXPECT_EQ(node.view("Other").running, 1u);
}

TEST(QuotaTest, WhoWaitsTooLongIsToldTheQuota) {
  FakeNode node;
  FunctionLimits slow = of(1);
  slow.queue_timeout = std::chrono::seconds(2);
  node.set_quota(1, {.pods_max = 1}).add("A", of(1)).add("B", slow);
  node.call("A");
  node.ready("A-1");
  node.call("B");
  node.advance(std::chrono::seconds(3));
  EXPECT_EQ(node.last<Refuse>().reason, RefuseReason::kQuota);
  EXPECT_EQ(http_status(RefuseReason::kQuota), 429);
  EXPECT_GE(node.last<Refuse>().retry_after, kRetryAfterMin);
}

TEST(QuotaTest, WhoWaitsTooLongBehindAPodOfItsOwnIsToldTheQuota) {
  FakeNode node;
  FunctionLimits slow = of(1);
  slow.queue_timeout = std::chrono::seconds(2);
  node.set_quota(1, {.pods_max = 1}).add("A", slow);
  node.call("A");
  node.ready("A-1");
  node.call("A");
  EXPECT_EQ(node.view("A").last.kind, Decision::Kind::kQuotaReached);
  node.advance(std::chrono::seconds(3));
  EXPECT_EQ(node.last<Refuse>().reason, RefuseReason::kQuota);
}

TEST(QuotaTest, WhatCanNeverFitIsRefusedAtOnce) {
  FakeNode node;
  node.set_quota(1, {.memory_bytes_max = 32 * kMiB}).add("A", of(1));
  node.call("A");
  EXPECT_EQ(node.last<Refuse>().reason, RefuseReason::kQuota);
}

TEST(QuotaTest, ABusyFunctionGivesAPodUpForOneThatHasNone) {
  FakeNode node;
  node.set_quota(1, {.pods_max = 2}).add("Flood", of(1)).add("B", of(1));
  node.calls("Flood", 20);
  node.ready("Flood-1").ready("Flood-2");
  node.call("B");
  node.done(1);
  EXPECT_EQ(node.last<DrainPod>().reason, DrainReason::kYielded);
  node.exit("Flood-1");
  EXPECT_EQ(node.view("B").starting, 1u);
}

TEST(QuotaTest, ALoweredQuotaEndsNoPodAndARaisedOneStartsThoseThatWait) {
  FakeNode node;
  node.add("A", of(1)).add("B", of(1)).add("C", of(1));
  node.call("A");
  node.call("B");
  node.set_quota(1, {.pods_max = 1});
  EXPECT_EQ(pods_of(node, 1), 2u);
  node.call("C");
  EXPECT_EQ(node.view("C").starting, 0u);
  node.set_quota(1, {});
  EXPECT_EQ(node.view("C").starting, 1u);
}

TEST(QuotaTest, ARemovedFunctionLeavesTheLine) {
  FakeNode node;
  node.set_quota(1, {.pods_max = 1}).add("A", of(1)).add("B", of(1)).add("C", of(1));
  for (const char* name : {"A", "B", "C"}) node.call(name);
  node.remove("B");
  node.ready("A-1").done(1).exit("A-1");
  EXPECT_EQ(node.view("C").starting, 1u);
}

TEST(QuotaTest, OneThatGoesAndComesAgainFindsNothingOfTheFunctionsBefore) {
  FakeNode node;
  node.set_quota(1, {.pods_max = 1}).add("A", of(1));
  node.call("A");
  node.ready("A-1").done(1);  // idle: it stands among those that may go
  node.set_quota(1, {}).remove("A").exit("A-1");
  node.add("B", of(0));  // in the place of A
  node.call("B");
  node.set_quota(1, {.pods_max = 1});
  node.ready("B-1").done(2).call("B");
  EXPECT_EQ(node.view("B").running, 1u);
}

// What of a node can be told something now.
struct Chances {
  std::vector<std::string> starting, draining;
  std::vector<std::uint64_t> running;
};

Chances chances_of(const FakeNode& node) {
  Chances out;
  for (const auto& [name, pod] : node.pods()) {
    if (pod.state == PodState::kStarting) out.starting.push_back(name);
    if (pod.state == PodState::kDraining && pod.running.empty()) out.draining.push_back(name);
  }
  for (const auto& [number, call] : node.all_calls()) {
    const bool runs = call.state == FakeNode::CallState::kRunning;
    if (runs && node.pods().at(call.pod).said_hello) out.running.push_back(number);
  }
  return out;
}

void step(FakeNode& node, std::mt19937& random, const std::vector<std::string>& names) {
  const Chances now = chances_of(node);
  const auto any = [&](const auto& list) { return list[random() % list.size()]; };
  const std::uint32_t kind = random() % 5;
  if (kind == 0) node.call(any(names));
  if (kind == 1 && !now.starting.empty()) node.ready(any(now.starting));
  if (kind == 2 && !now.running.empty()) node.done(any(now.running));
  if (kind == 3 && !now.draining.empty()) node.exit(any(now.draining));
  if (kind == 4) node.advance(std::chrono::milliseconds(random() % 200));
}

// As step(), but functions and quotas come and go as well. A name is not given again: by it the
// fake node tells pods apart.
void step_of_all(FakeNode& node, std::mt19937& random, int number) {
  std::vector<std::string> names;
  for (const auto& [name, function] : node.functions()) names.push_back(name);
  const std::uint32_t kind = random() % 20;
  const std::uint32_t tenant = random() % 2;
  if (kind == 0) {
    const std::uint32_t pods = random() % 4;  // 0, 3: the quota goes, often all at once
    node.set_quota(tenant, {.pods_max = pods % 3});
  } else if (kind == 1 && !names.empty()) {
    node.remove(names[random() % names.size()]);
  } else if (names.size() < 6 && kind <= 3) {
    node.add("F" + std::to_string(number), of(tenant));
  } else if (!names.empty()) {
    step(node, random, names);
  }
}

TEST(QuotaTest, FunctionsAndQuotasComeAndGoInAnyOrder) {
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    FakeNode node;
    for (int i = 0; i < 600; ++i) step_of_all(node, random, i);
  }
}

// Whatever happens, the pods of a tenant stay within its quota.
TEST(QuotaTest, HoldsInAnyOrderOfEvents) {
  const std::vector<std::string> names = {"A", "B", "C", "D", "E", "F"};
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    FakeNode node;
    node.set_quota(1, {.pods_max = 2}).set_quota(2, {.pods_max = 3});
    for (std::uint32_t i = 0; i < names.size(); ++i) node.add(names[i], of(i % 3));
    for (int i = 0; i < 400; ++i) {
      step(node, random, names);
      ASSERT_LE(pods_of(node, 1), 2u);
      ASSERT_LE(pods_of(node, 2), 3u);
    }
  }
}

}  // namespace
}  // namespace subito::scheduler
