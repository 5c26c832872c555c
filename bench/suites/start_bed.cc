#include "bench/suites/start_bed.h"

#include <filesystem>
#include <fstream>

#include "bench/bed.h"
#include "bench/figures.h"
#include "bench/idle_cost.h"
#include "bench/kit/process_tree.h"
#include "bench/patterns/memory.h"

namespace subito::bench {

std::string manifest_of(const StartFunction& function) {
  return "apiVersion: subito.dev/v1\n"
         "kind: Function\n"
         "metadata: {name: " +
         function.name +
         "}\n"
         "spec:\n"
         "  binary: " +
         function.what.binary +
         "\n"
         "  start: " +
         function.mode + "\n" + bindings_of(function.what) +
         "  scaling: {min: " + std::to_string(function.pods_min) +
         ", max: " + std::to_string(function.pods_max) + ", idle: 0s, policy: " + function.policy +
         "}\n";
}

Status deploy_start(NodeClient& api, const std::string& folder, const StartFunction& function) {
  const std::string manifest = folder + "/" + function.name + ".yaml";
  std::ofstream file(manifest);
  file << manifest_of(function);
  file.close();
  if (!file) return fail(ErrorCode::kInternal, "write " + manifest);
  RETURN_IF_ERROR(api.deploy_folder(manifest));
  std::filesystem::remove(manifest);
  return ok();
}

namespace {

// Of one core, while nothing is asked of the process and its descendants.
Result<double> idle_cpu_percent(pid_t root) {
  const CpuMeter meter({root});
  if (!rest(kIdleWatch)) return fail(ErrorCode::kCancelled, "measure what is kept: interrupted");
  return 100 * std::chrono::duration<double>(meter.used().time).count() /
         std::chrono::duration<double>(kIdleWatch).count();
}

}  // namespace

Result<KeptReady> measure_kept_ready(NodeClient& api, std::uint32_t empty_sandboxes) {
  RETURN_IF_ERROR(api.await_zero(empty_sandboxes));
  KeptReady kept;
  ASSIGN_OR_RETURN(kept.idle_cpu_percent, idle_cpu_percent(api.facts().pid));
  ASSIGN_OR_RETURN(const PodCount count, api.await_zero(empty_sandboxes));
  IdleMemory memory = measure_tree(api.facts().pid);
  memory.empty_bytes = count.empty_bytes;
  kept.empty_sandboxes = count.empty_sandboxes;
  kept.templates = count.templates;
  kept.bytes = memory.total_bytes() + count.template_bytes;
  kept.processes = memory.node.processes + memory.launcher.processes +
                   memory.network_maker.processes + memory.sandboxes.processes;
  return kept;
}

Result<KeptReady> measure_kept_by(pid_t server) {
  KeptReady kept;
  ASSIGN_OR_RETURN(kept.idle_cpu_percent, idle_cpu_percent(server));
  kept.bytes = memory_of({server});
  kept.processes = static_cast<std::uint32_t>(with_descendants(processes(), {server}).size());
  return kept;
}

std::string words(const KeptReady& kept) {
  std::string text;
  if (kept.empty_sandboxes > 0) text += format("%u sandboxes, ", kept.empty_sandboxes);
  if (kept.templates > 0)
    text += format("%u template%s, ", kept.templates, kept.templates == 1 ? "" : "s");
  return text + format("%.1f MB, %u processes, %.2f %% CPU", static_cast<double>(kept.bytes) / 1e6,
                       kept.processes, kept.idle_cpu_percent);
}

nlohmann::ordered_json to_json(const KeptReady& kept) {
  return {{"emptySandboxes", kept.empty_sandboxes},
          {"bytes", kept.bytes},
          {"processes", kept.processes},
          {"idleCpuPercent", kept.idle_cpu_percent},
          {"templates", kept.templates}};
}

Load start_load(const StartFunction& function, std::uint32_t connections, std::uint32_t* wrong) {
  Load load;
  load.connections_max = connections;
  load.open_first = true;
  LoadKind kind;
  kind.request = [path = "/function/" + function.name + function.what.path] {
    HttpRequest request;
    request.path = path;
    return request;
  };
  kind.answered = [wrong, &function](const HttpRequest&, const LoadAnswer& answer) {
    if (answer.status == 200 && answer.body != function.what.body) ++*wrong;
  };
  load.kinds.push_back(std::move(kind));
  return load;
}

std::uint32_t StartRow::errors() const {
  std::uint32_t sum = calls.sent + calls.unsent - count_of(calls, 200) + wrong;
  for (const auto& [reason, count] : pods.faults()) sum += count;
  return sum;
}

nlohmann::ordered_json millis_json(const Samples& samples) {
  return {{"p50", ms(percentile(samples, 0.5))}, {"max", ms(percentile(samples, 1))}};
}

}  // namespace subito::bench
