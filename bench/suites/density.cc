#include "bench/suites/density.h"

#include <cstdlib>
#include <sstream>

#include "bench/bed.h"
#include "bench/figures.h"
#include "bench/idle_cost.h"
#include "bench/interrupt.h"
#include "bench/kit/process_tree.h"
#include "bench/suites/start_bed.h"

namespace subito::bench {

namespace {

// Allocators and the kernel's caches have come to rest.
constexpr std::chrono::seconds kDensitySettle{3};
constexpr std::chrono::milliseconds kDensityPoll{50};
constexpr double kKiB = 1024;
constexpr double kGiB = 1024.0 * 1024 * 1024;

std::uint64_t available_bytes() {
  return value_of(kernel_text("/proc/meminfo"), "MemAvailable:") << 10;
}

std::uint64_t node_bytes(const NodeClient& api) {
  const IdleMemory memory = measure_tree(api.facts().pid);
  return memory.node.rss_bytes + memory.launcher.rss_bytes;
}

Result<std::vector<pid_t>> await_pods(NodeClient& api, std::uint32_t wanted) {
  const auto deadline = std::chrono::steady_clock::now() + NodeClient::kSettleTimeout;
  for (;;) {
    ASSIGN_OR_RETURN(std::vector<pid_t> pids, api.pod_pids());
    if (pids.size() == wanted) return pids;
    if (std::chrono::steady_clock::now() > deadline) {
      return fail(ErrorCode::kDeadlineExceeded, "wait for " + std::to_string(wanted) +
                                                    " idle pods: there are " +
                                                    std::to_string(pids.size()));
    }
    if (!rest(kDensityPoll)) return fail(ErrorCode::kCancelled, "wait for pods: interrupted");
  }
}

// Whether the answer is the one it is meant to measure; its pods are idle again afterwards.
Status ask_once(const ServerAddress& gateway, StartFunction& function) {
  RETURN_IF_ERROR(seed_function(gateway, function.name, function.what));
  ASSIGN_OR_RETURN(HttpClient client, HttpClient::connect(gateway));
  ASSIGN_OR_RETURN(const HttpReply reply,
                   client.call("GET", "/function/" + function.name + function.what.path));
  if (reply.status == 200 && reply.body == function.what.body) return ok();
  return fail(ErrorCode::kProtocol, "check answer of " + function.name + ": status " +
                                        std::to_string(reply.status) + ", " +
                                        std::to_string(reply.body.size()) + " bytes");
}

Result<DensityRow> measure_row(Bed& bed, const std::string& folder, const DensityOptions& options,
                               StartFunction function) {
  DensityRow row;
  row.function = function.what.name;
  row.start = function.mode;
  RETURN_IF_ERROR(bed.api.await_zero(options.pool_size));
  if (!rest(kDensitySettle)) return fail(ErrorCode::kCancelled, "measure density: interrupted");
  const std::uint64_t available = available_bytes();
  const std::uint64_t node = node_bytes(bed.api);
  RETURN_IF_ERROR(deploy_start(bed.api, folder, function));
  RETURN_IF_ERROR(await_pods(bed.api, function.pods_min));
  RETURN_IF_ERROR(ask_once(bed.gateway, function));
  if (!rest(kDensitySettle)) return fail(ErrorCode::kCancelled, "measure density: interrupted");
  ASSIGN_OR_RETURN(const std::vector<pid_t> pids, await_pods(bed.api, function.pods_min));
  for (const pid_t pid : pids) {
    const std::string group =
        memory_group(kernel_text("/proc/" + std::to_string(pid) + "/cgroup"), "/sys/fs/cgroup");
    ASSIGN_OR_RETURN(const Charged charged, charged_to(group));
    row.charged_bytes += charged.bytes;
    row.charged_each.push_back(static_cast<double>(charged.bytes));
    row.charged_kernel_bytes += charged.kernel_bytes;
  }
  row.pods = static_cast<std::uint32_t>(pids.size());
  row.available_bytes =
      static_cast<std::int64_t>(available) - static_cast<std::int64_t>(available_bytes());
  const std::uint64_t node_now = node_bytes(bed.api);
  row.node_bytes = node_now > node ? node_now - node : 0;
  RETURN_IF_ERROR(bed.api.remove(function.name));
  return row;
}

std::string density_row(const DensityRow& row) {
  const double kernel = row.pods == 0 ? 0 : double(row.charged_kernel_bytes) / row.pods;
  return format("| %s | %s | %u | %.0f | %.0f | %.0f | %.0f | %.0f |\n", row.function.c_str(),
                row.start.c_str(), row.pods, row.charged_per_pod() / kKiB, kernel / kKiB,
                row.available_per_pod() / kKiB,
                row.charged_per_pod() > 0 ? kGiB / row.charged_per_pod() : 0,
                row.pods == 0 ? 0 : double(row.node_bytes) / row.pods / kKiB);
}

std::vector<Measure> measures_of(const DensityResult& result) {
  std::vector<Measure> measures;
  for (const DensityRow& row : result.rows) {
    measures.push_back({"memory charged to an idle pod", row.function + ", " + row.start, "bytes",
                        false, "", row.charged_each});
  }
  return measures;
}

}  // namespace

std::string memory_group(const std::string& proc_cgroup, const std::string& root) {
  std::string unified;
  std::istringstream lines(proc_cgroup);
  for (std::string line; std::getline(lines, line);) {  // "4:memory:/path", "0::/path"
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 1);
    if (controllers.find(",memory,") != controllers.npos) return root + "/memory" + path;
    if (controllers == ",,") unified = root + path;
  }
  return unified;
}

// memory.usage_in_bytes has kernel memory in it, as memory.current: cgroups(7) and the kernel's
// admin-guide/cgroup-v1/memory.rst.
Result<Charged> charged_to(const std::string& group) {
  Charged charged;
  const std::string one = kernel_text(group + "/memory.usage_in_bytes");
  const std::string two = kernel_text(group + "/memory.current");
  if (!one.empty()) {
    charged.bytes = std::strtoull(one.c_str(), nullptr, 10);
    const std::string kernel = kernel_text(group + "/memory.kmem.usage_in_bytes");
    if (!kernel.empty()) charged.kernel_bytes = std::strtoull(kernel.c_str(), nullptr, 10);
    return charged;
  }
  if (two.empty()) return fail(ErrorCode::kNotFound, "read memory of group '" + group + "'");
  charged.bytes = std::strtoull(two.c_str(), nullptr, 10);
  charged.kernel_bytes = value_of(kernel_text(group + "/memory.stat"), "kernel");
  return charged;
}

bool promises_kept(const DensityResult& result) {
  for (const DensityRow& row : result.rows) {
    if (row.function == kPromisedFunction && row.charged_per_pod() > kIdlePodBytesMax) return false;
  }
  return !result.rows.empty();
}

Result<DensityResult> measure_density(const DensityOptions& options) {
  ASSIGN_OR_RETURN(const TempFolder folder, TempFolder::make());
  ASSIGN_OR_RETURN(Bed bed, Bed::make("", options.pool_size));
  DensityResult result;
  result.options = options;
  std::vector<StartFunction> functions;
  for (const std::string& name : options.functions) {
    ASSIGN_OR_RETURN(const MeasuredFunction what, measured_function(name));
    const std::uint32_t pods = pods_that_fit(what, options.pods);
    for (const std::string& mode : kStartModes) {
      functions.push_back({"density-" + name + "-" + mode, mode, "instant", pods, pods, what});
    }
  }
  for (const StartFunction& function : functions) {
    auto row = measure_row(bed, folder.path(), options, function);
    result.interrupted = Interrupt::happened();
    if (result.interrupted) break;
    if (!row) return std::move(row).error();
    result.rows.push_back(*std::move(row));
  }
  return result;
}

nlohmann::ordered_json to_json(const DensityResult& result, const Machine& machine,
                               const std::string& command) {
  nlohmann::ordered_json json = {{"benchmark", "density"},
                                 {"command", command},
                                 {"machine", to_json(machine)},
                                 {"errors", result.errors()},
                                 {"interrupted", result.interrupted}};
  json["targets"] = {{{"what", "memory charged to an idle pod"},
                      {"bytesMax", kIdlePodBytesMax},
                      {"met", promises_kept(result)}}};
  json["rows"] = nlohmann::ordered_json::array();
  for (const DensityRow& row : result.rows) {
    json["rows"].push_back({{"function", row.function},
                            {"start", row.start},
                            {"pods", row.pods},
                            {"chargedBytes", row.charged_bytes},
                            {"chargedKernelBytes", row.charged_kernel_bytes},
                            {"lessAvailableBytes", row.available_bytes},
                            {"moreOfNodeBytes", row.node_bytes},
                            {"chargedBytesPerPod", row.charged_per_pod()},
                            {"lessAvailableBytesPerPod", row.available_per_pod()}});
  }
  json["measures"] = measures_json(measures_of(result));
  return json;
}

std::string to_text(const DensityResult& result, const Machine& machine,
                    const std::string& command) {
  std::string text = words(machine) + "\n" + command + "\n\n";
  text +=
      "| function | start | idle pods | KiB charged to a pod | of it kernel memory | less "
      "MemAvailable, KiB a "
      "pod | pods per GiB charged | more of the node, KiB a pod |\n"
      "|---|---|--:|--:|--:|--:|--:|--:|\n";
  for (const DensityRow& row : result.rows) text += density_row(row);
  text +=
      "\nCharged: the kernel's account of the pods' control groups. MemAvailable sees what no "
      "group\n"
      "is charged for too, and what the rest of the machine does meanwhile: read it as a check.\n";
  if (result.interrupted) text += "\nInterrupted: what there is up to then.\n";
  return text + format("\n- an idle pod charged at most %.0f KiB: %s\n", kIdlePodBytesMax / kKiB,
                       promises_kept(result) ? "met" : "MISSED");
}

}  // namespace subito::bench
