// What a manifest gets where it says nothing. The one place of these numbers; the comments of
// function.proto repeat them for users, and a test holds the two together.
//
// Pure. Filled in once, by the control API at deploy, so that a revision keeps behaving the same
// when a later version of Subito chooses otherwise.
#pragma once

#include <cstdint>
#include <string>

#include "deploy/manifest/function.pb.h"

namespace subito::manifest {

inline constexpr char kApiVersion[] = "subito.dev/v1";
inline constexpr char kKind[] = "Function";
inline constexpr char kNamespace[] = "default";

// What most HTTP clients and proxies wait for before they give up themselves.
inline constexpr std::int64_t kTimeoutMs = 30'000;
// A handler needs no thought about threads, and a slow call never slows another one.
inline constexpr std::int32_t kConcurrency = 1;
// Asleep at zero: a start costs about a millisecond, a kept pod costs memory all day.
inline constexpr std::int32_t kScalingMin = 0;
// 20 pods of 128 MiB are 2.5 GiB: one function cannot take a small machine alone.
inline constexpr std::int32_t kScalingMax = 20;
// Long enough for a person to see the pod, short enough to see it go.
inline constexpr std::int64_t kIdleMs = 30'000;
// At 1 ms a call the last of a thousand waits a second; beyond that better to be told to come back.
inline constexpr std::int32_t kQueueLimit = 1000;
// Queue and pods bound it already.
inline constexpr std::int32_t kInFlightMax = 0;
inline constexpr std::int32_t kWeight = 1;
// What serves people best by default: no window to wait for, no pod kept in vain.
inline constexpr ScalingPolicy kScalingPolicy = INSTANT;
// Knative's own (config-autoscaler), but for the initial scale, which is 1 there: a function is
// deployed asleep here.
inline constexpr std::int32_t kTargetUtilization = 70;
inline constexpr std::int64_t kStableWindowMs = 60'000;
inline constexpr std::int32_t kPanicWindowPercentage = 10;
inline constexpr std::int32_t kPanicThresholdPercentage = 200;
inline constexpr std::int64_t kScaleToZeroGraceMs = 30'000;
inline constexpr std::int64_t kScaleDownDelayMs = 0;
inline constexpr std::int32_t kMaxScaleUpRate = 1000;
inline constexpr std::int32_t kMaxScaleDownRate = 2;
inline constexpr std::int32_t kInitialScale = 0;
inline constexpr std::int32_t kActivationScale = 1;
inline constexpr std::int32_t kTargetBurstCapacity = 211;
// A static C++ function needs 2 to 10 MiB; the rest is room for bodies and /tmp.
inline constexpr std::int64_t kMemoryBytes = 128 << 20;
// No limit of its own: pods share what is free, weighted alike.
inline constexpr std::int32_t kCpuMillicores = 0;
// A thread per concurrent handler and some; a fork bomb ends here.
inline constexpr std::int32_t kPids = 64;
// Uploads of ordinary forms and pictures pass; more is a decision.
inline constexpr std::int64_t kBodyBytesMax = 16 << 20;
// The fastest start that keeps nothing of the function in memory.
inline constexpr StartMode kStart = POOLED;
// No request is lost either way; rolling takes longer and pays where a start is slow.
inline constexpr RolloutStrategy kRolloutStrategy = AT_ONCE;
// As a Deployment of Kubernetes has them.
inline constexpr char kMaxSurge[] = "25%";
inline constexpr char kMaxUnavailable[] = "25%";
inline constexpr std::int32_t kRevisionsKept = 10;
// A function is deployed to be called; what only others call is for its author to close.
inline constexpr Ingress kIngress = ALL;
inline constexpr Auth kAuth = NONE;  // as ingress: whoever deploys one for the public says nothing
// One bad pod, or one bad moment, is not enough.
inline constexpr std::int32_t kBreakerFailures = 5;
// While every other call gets through, most people are better served by trying.
inline constexpr std::int32_t kBreakerFailureRate = 50;
// Long enough to see five failures of a function that is called once a second or two.
inline constexpr std::int64_t kBreakerWindowMs = 10'000;
// What went away by accident comes back within seconds; a trial costs one call.
inline constexpr std::int64_t kBreakerOpenMs = 5'000;
inline constexpr std::int32_t kBreakerProbes = 1;
// What is slow for one caller is quick for another; only the author knows.
inline constexpr std::int64_t kBreakerSlowMs = 0;
// With backoffs of up to a minute ten tries last some minutes: what is away for longer is a
// person's.
inline constexpr std::int32_t kTriggerDeliveries = 10;
// In the order of the stream, which is what most consumers count on.
inline constexpr std::int32_t kStreamInFlight = 1;
inline constexpr std::int32_t kStreamBatch = 1;
// What is due at one moment is independent of each other.
inline constexpr std::int32_t kDueInFlight = 8;

// What a secret of one value has it under.
inline constexpr char kValueKey[] = "value";
// Where the files of a config object or secret are in a pod unless the manifest says otherwise.
// `list`: "config", "secrets".
std::string file_folder(const std::string& list, const std::string& name);

// Fills in every absent field that has a default; those of scaling.knative where that is there or
// the policy needs it. What is there stays as it is.
void apply_defaults(Function& function);

}  // namespace subito::manifest
