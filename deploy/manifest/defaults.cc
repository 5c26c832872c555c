#include "deploy/manifest/defaults.h"

namespace subito::manifest {

namespace {

void apply_knative(Knative& knative, std::int32_t concurrency) {
  if (!knative.has_target()) knative.set_target(concurrency);
  if (!knative.has_target_utilization()) knative.set_target_utilization(kTargetUtilization);
  if (!knative.has_stable_window_ms()) knative.set_stable_window_ms(kStableWindowMs);
  if (!knative.has_panic_window_percentage())
    knative.set_panic_window_percentage(kPanicWindowPercentage);
  if (!knative.has_panic_threshold_percentage())
    knative.set_panic_threshold_percentage(kPanicThresholdPercentage);
  if (!knative.has_scale_to_zero_grace_ms())
    knative.set_scale_to_zero_grace_ms(kScaleToZeroGraceMs);
  if (!knative.has_scale_down_delay_ms()) knative.set_scale_down_delay_ms(kScaleDownDelayMs);
  if (!knative.has_max_scale_up_rate()) knative.set_max_scale_up_rate(kMaxScaleUpRate);
  if (!knative.has_max_scale_down_rate()) knative.set_max_scale_down_rate(kMaxScaleDownRate);
  if (!knative.has_initial_scale()) knative.set_initial_scale(kInitialScale);
  if (!knative.has_activation_scale()) knative.set_activation_scale(kActivationScale);
  if (!knative.has_target_burst_capacity()) knative.set_target_burst_capacity(kTargetBurstCapacity);
}

void apply_scaling(Scaling& scaling, std::int32_t concurrency) {
  if (!scaling.has_policy()) scaling.set_policy(kScalingPolicy);
  if (scaling.policy() == CONCURRENCY || scaling.has_knative())
    apply_knative(*scaling.mutable_knative(), concurrency);
  if (!scaling.has_min()) scaling.set_min(kScalingMin);
  if (!scaling.has_max()) scaling.set_max(kScalingMax);
  if (!scaling.has_idle_ms()) scaling.set_idle_ms(kIdleMs);
  if (!scaling.has_queue_limit()) scaling.set_queue_limit(kQueueLimit);
  if (!scaling.has_in_flight_max()) scaling.set_in_flight_max(kInFlightMax);
  if (!scaling.has_weight()) scaling.set_weight(kWeight);
}

void apply_resources(Resources& resources) {
  if (!resources.has_memory_bytes()) resources.set_memory_bytes(kMemoryBytes);
  if (!resources.has_cpu_millicores()) resources.set_cpu_millicores(kCpuMillicores);
  if (!resources.has_pids()) resources.set_pids(kPids);
}

void apply_rollout(Rollout& rollout) {
  if (!rollout.has_strategy()) rollout.set_strategy(kRolloutStrategy);
  if (!rollout.has_max_surge()) rollout.set_max_surge(kMaxSurge);
  if (!rollout.has_max_unavailable()) rollout.set_max_unavailable(kMaxUnavailable);
  if (!rollout.has_revisions_kept()) rollout.set_revisions_kept(kRevisionsKept);
}

void apply_breaker(Breaker& breaker) {
  if (!breaker.has_failures()) breaker.set_failures(kBreakerFailures);
  if (!breaker.has_failure_rate()) breaker.set_failure_rate(kBreakerFailureRate);
  if (!breaker.has_window_ms()) breaker.set_window_ms(kBreakerWindowMs);
  if (!breaker.has_open_ms()) breaker.set_open_ms(kBreakerOpenMs);
  if (!breaker.has_probes()) breaker.set_probes(kBreakerProbes);
  if (!breaker.has_slow_ms()) breaker.set_slow_ms(kBreakerSlowMs);
}

void apply_trigger(Trigger& trigger, const FunctionSpec& spec) {
  if (!trigger.has_deliveries()) trigger.set_deliveries(kTriggerDeliveries);
  if (trigger.has_stream()) {
    StreamTrigger& stream = *trigger.mutable_stream();
    if (!stream.has_in_flight()) stream.set_in_flight(kStreamInFlight);
    if (!stream.has_batch()) stream.set_batch(kStreamBatch);
  }
  if (trigger.has_due() && !trigger.due().has_in_flight())
    trigger.mutable_due()->set_in_flight(kDueInFlight);
  if (!trigger.binding().empty()) return;
  for (const Binding& binding : spec.bindings()) {
    if (binding.has_redis()) trigger.set_binding(binding.name());
  }
}

void apply_given(GivenObject& object, const std::string& list) {
  if (!object.has_as()) object.set_as(GivenObject::VALUE);
  if (object.as() == GivenObject::FILE && object.path().empty())
    object.set_path(file_folder(list, object.name()));
  if (!object.env().empty() && object.key().empty()) object.set_key(kValueKey);
}

}  // namespace

std::string file_folder(const std::string& list, const std::string& name) {
  return "/tmp/" + list + "/" + name;
}

void apply_defaults(Function& function) {
  function.set_api_version(kApiVersion);
  function.set_kind(kKind);
  Metadata& metadata = *function.mutable_metadata();
  if (metadata.namespace_().empty()) metadata.set_namespace_(kNamespace);

  FunctionSpec& spec = *function.mutable_spec();
  if (!spec.has_timeout_ms()) spec.set_timeout_ms(kTimeoutMs);
  if (!spec.has_concurrency()) spec.set_concurrency(kConcurrency);
  if (!spec.has_body_bytes_max()) spec.set_body_bytes_max(kBodyBytesMax);
  if (!spec.has_start()) spec.set_start(kStart);
  if (!spec.has_ingress()) spec.set_ingress(kIngress);
  if (!spec.has_auth()) spec.set_auth(kAuth);
  apply_scaling(*spec.mutable_scaling(), spec.concurrency());
  apply_resources(*spec.mutable_resources());
  apply_rollout(*spec.mutable_rollout());
  for (Binding& binding : *spec.mutable_bindings()) {
    if (binding.has_redis() && binding.redis().key_prefix().empty())
      binding.mutable_redis()->set_key_prefix(metadata.name() + ":");
  }
  for (Breaker& breaker : *spec.mutable_breakers()) apply_breaker(breaker);
  for (Trigger& trigger : *spec.mutable_triggers()) apply_trigger(trigger, spec);
  for (GivenObject& object : *spec.mutable_config()) apply_given(object, "config");
  for (GivenObject& object : *spec.mutable_secrets()) apply_given(object, "secrets");
}

}  // namespace subito::manifest
