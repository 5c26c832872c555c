#include "runtime/node/revision.h"

#include <algorithm>
#include <chrono>

#include "runtime/http/path.h"
#include "runtime/protocol/frame.h"

namespace subito::node {
namespace {

using std::chrono::milliseconds;

// CONFIG is one frame; the rest is for the pod's name: the function's, "-check-" and a number.
constexpr std::size_t kConfigBytesMax = protocol::kHeadBytesMax - 128;

pods::StartMode start_mode_of(const manifest::FunctionSpec& spec) {
  switch (spec.start()) {
    case manifest::FRESH:
      return pods::StartMode::kFresh;
    case manifest::TEMPLATE:
      return pods::StartMode::kTemplate;
    default:
      return pods::StartMode::kPooled;
  }
}

autoscaler::PolicyKind kind_of(manifest::ScalingPolicy policy) {
  switch (policy) {
    case manifest::CONCURRENCY:
      return autoscaler::PolicyKind::kConcurrency;
    case manifest::FIXED:
      return autoscaler::PolicyKind::kFixed;
    case manifest::HISTOGRAM:
      return autoscaler::PolicyKind::kHistogram;
    default:
      return autoscaler::PolicyKind::kInstant;
  }
}

autoscaler::PolicyOptions policy_of(const manifest::Scaling& scaling) {
  autoscaler::PolicyOptions options;
  options.kind = kind_of(scaling.policy());
  if (options.kind != autoscaler::PolicyKind::kConcurrency) return options;
  const manifest::Knative& knative = scaling.knative();
  const auto number = [](std::int32_t value) { return static_cast<std::uint32_t>(value); };
  options.concurrency = {
      .stable_window = milliseconds(knative.stable_window_ms()),
      .to_zero_grace = milliseconds(knative.scale_to_zero_grace_ms()),
      .scale_down_delay = milliseconds(knative.scale_down_delay_ms()),
      .target = number(knative.target()),
      .utilization_percent = number(knative.target_utilization()),
      .panic_window_percent = number(knative.panic_window_percentage()),
      .panic_threshold_percent = number(knative.panic_threshold_percentage()),
      .max_scale_up_rate = number(knative.max_scale_up_rate()),
      .max_scale_down_rate = number(knative.max_scale_down_rate()),
      .initial_scale = number(knative.initial_scale()),
      .activation_scale = number(knative.activation_scale()),
      .burst_capacity = knative.target_burst_capacity(),
  };
  return options;
}

scheduler::FunctionLimits scaling_of(const manifest::FunctionSpec& spec) {
  scheduler::FunctionLimits limits;
  limits.concurrency = static_cast<std::uint32_t>(spec.concurrency());
  const manifest::Scaling& scaling = spec.scaling();
  limits.idle_timeout = milliseconds(scaling.idle_ms());
  limits.queue_limit = static_cast<std::uint32_t>(scaling.queue_limit());
  if (scaling.in_flight_max() > 0)
    limits.in_flight_max = static_cast<std::uint32_t>(scaling.in_flight_max());
  // A revision stored before there were weights has none.
  limits.weight = std::max(1U, static_cast<std::uint32_t>(scaling.weight()));
  limits.memory_bytes = static_cast<std::uint64_t>(spec.resources().memory_bytes());
  limits.policy = policy_of(scaling);
  return limits;
}

pods::PodLimits pod_limits_of(const manifest::Resources& resources) {
  pods::PodLimits limits;
  limits.memory_bytes_max = static_cast<std::uint64_t>(resources.memory_bytes());
  limits.pids_max = static_cast<std::uint32_t>(resources.pids());
  limits.cpu_millicores_max = static_cast<std::uint32_t>(resources.cpu_millicores());
  return limits;
}

protocol::Config config_of(const Revision& revision) {
  const manifest::FunctionSpec& spec = revision.manifest.spec();
  protocol::Config config;
  config.set_function(revision.name);
  config.set_revision(revision.name + "-" + std::to_string(revision.number));
  config.set_concurrency(static_cast<std::uint32_t>(spec.concurrency()));
  for (const auto& [key, value] : spec.settings()) (*config.mutable_settings())[key] = value;
  for (const manifest::Binding& binding : spec.bindings()) {
    protocol::Binding* out = config.add_bindings();
    out->set_name(binding.name());
    if (!binding.has_redis()) continue;
    out->set_kind(protocol::Binding::REDIS);
    out->set_key_prefix(redis_key_prefix(revision, binding));
  }
  for (const std::string& name : spec.calls()) config.add_calls(name);
  return config;
}

std::string fault_of(const protocol::Config& config) {
  const std::size_t bytes = config.ByteSizeLong();
  if (bytes <= kConfigBytesMax) return {};
  return "spec.settings: with the bindings and calls they take " + std::to_string(bytes) +
         " bytes, at most " + std::to_string(kConfigBytesMax) +
         " are allowed; keep what is large in the binary or behind a binding";
}

}  // namespace

RevisionPtr make_revision(FunctionId function, RevisionId id, std::uint64_t number,
                          const manifest::Function& manifest, const Artefact& artefact) {
  const manifest::FunctionSpec& spec = manifest.spec();
  auto revision = std::make_shared<Revision>();
  revision->function = revision->lane = function;
  revision->id = id;
  revision->name = manifest.metadata().name();
  revision->number = number;
  revision->manifest = manifest;
  revision->artefact_hash = artefact.hash;
  revision->artefact_path = artefact.path;
  revision->start_mode = start_mode_of(spec);
  revision->pod_limits = pod_limits_of(spec.resources());
  revision->scaling = scaling_of(spec);
  revision->timeout = milliseconds(spec.timeout_ms());
  revision->body_bytes_max = static_cast<std::uint64_t>(spec.body_bytes_max());
  revision->calls.insert(spec.calls().begin(), spec.calls().end());
  for (const manifest::Trigger& trigger : spec.triggers()) {
    revision->trigger_paths.emplace(http::percent_decode_leniently(trigger.path()), trigger.name());
  }
  revision->config = config_of(*revision);
  revision->out_of_service = artefact.fault.empty() ? fault_of(revision->config) : artefact.fault;
  set_pod_counts(*revision, spec.scaling());
  return revision;
}

void set_grants(Revision& revision, pods::GrantsPtr grants, const std::string& fault) {
  revision.grants = std::move(grants);
  if (revision.out_of_service == revision.grants_fault) revision.out_of_service = fault;
  revision.grants_fault = fault;
  set_pod_counts(revision, revision.manifest.spec().scaling());
}

void set_pod_counts(Revision& revision, const manifest::Scaling& scaling) {
  // Of one that is out of service none is started, in vain.
  const bool in_service = revision.out_of_service.empty();
  revision.scaling.pods_min = in_service ? static_cast<std::uint32_t>(scaling.min()) : 0;
  revision.scaling.pods_max = static_cast<std::uint32_t>(scaling.max());
}

const manifest::Binding* find_binding(const Revision& revision, const std::string& name) {
  for (const manifest::Binding& binding : revision.manifest.spec().bindings()) {
    if (binding.name() == name) return &binding;
  }
  return nullptr;
}

std::string redis_key_prefix(const Revision& revision, const manifest::Binding& binding) {
  const std::string& prefix = binding.redis().key_prefix();
  return prefix.empty() ? revision.name + ":" : prefix;
}

}  // namespace subito::node
