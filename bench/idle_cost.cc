#include "bench/idle_cost.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "bench/bed.h"
#include "bench/kit/process_tree.h"
#include "bench/measures.h"

namespace subito::bench {

namespace {

namespace files = std::filesystem;

// After the last deploy: pools are full again, allocators have given back what they will.
constexpr std::chrono::seconds kSettle{3};

std::string read_file(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void add(GroupMemory& group, int pid) {
  std::istringstream lines(read_file("/proc/" + std::to_string(pid) + "/smaps_rollup"));
  ++group.processes;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key;
    std::uint64_t kib = 0;
    words >> key >> kib;
    if (key == "Rss:") group.rss_bytes += kib << 10;
    if (key == "Pss:") group.pss_bytes += kib << 10;
  }
}

// A copy of the binary that differs from all others in a few bytes behind its end.
Result<std::string> own_binary(const std::string& binary, const std::string& folder,
                               std::uint32_t number) {
  const std::string copy = folder + "/function-" + std::to_string(number);
  std::error_code error;
  files::copy_file(binary, copy, error);
  if (error) return errno_error("copy " + binary, error.value());
  std::ofstream(copy, std::ios::app) << number;
  return copy;
}

Result<IdleMemory> settled(NodeClient& api, std::uint32_t pool_size) {
  RETURN_IF_ERROR(api.await_zero(pool_size));
  if (!rest(kSettle)) return fail(ErrorCode::kCancelled, "measure idle cost: interrupted");
  ASSIGN_OR_RETURN(const PodCount count, api.await_zero(pool_size));
  IdleMemory memory = measure_tree(api.facts().pid);
  memory.empty_bytes = count.empty_bytes;
  return memory;
}

nlohmann::ordered_json group_json(const GroupMemory& group) {
  return {
      {"processes", group.processes}, {"rssBytes", group.rss_bytes}, {"pssBytes", group.pss_bytes}};
}

nlohmann::ordered_json memory_json(const IdleMemory& memory) {
  return {{"node", group_json(memory.node)},
          {"launcher", group_json(memory.launcher)},
          {"networkMaker", group_json(memory.network_maker)},
          {"emptySandboxes", group_json(memory.sandboxes)},
          {"emptySandboxesWithKernelBytes", memory.empty_bytes},
          {"redis", group_json(memory.redis)},
          {"totalBytes", memory.total_bytes()}};
}

double mb(std::uint64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

std::string row(const char* name, const GroupMemory& without, const GroupMemory& with) {
  char text[200];
  std::snprintf(text, sizeof text, "| %s | %u | %.2f | %.2f | %.2f | %.2f |\n", name,
                with.processes, mb(without.rss_bytes), mb(without.pss_bytes), mb(with.rss_bytes),
                mb(with.pss_bytes));
  return text;
}

// One sample: a picture of it is a point.
Measure idle_measure(const char* row, const IdleMemory& memory) {
  return {"memory of node, launcher and sandboxes",   row, "bytes", false, "",
          {static_cast<double>(memory.total_bytes())}};
}

std::int64_t more(const IdleCostResult& result) {
  return static_cast<std::int64_t>(result.with.total_bytes()) -
         static_cast<std::int64_t>(result.without.total_bytes());
}

bool idle_kept(const IdleCostResult& result) {
  return result.without.total_bytes() <= kIdleBytesMax;
}

bool functions_kept(const IdleCostResult& result) {
  return more(result) <= kFunctionsBytesMax;
}

}  // namespace

bool promises_kept(const IdleCostResult& result) {
  return idle_kept(result) && functions_kept(result);
}

IdleMemory measure_tree(int node_pid) {
  IdleMemory memory;
  const std::map<pid_t, Process> all = processes();
  add(memory.node, node_pid);
  for (const auto& [pid, process] : all) {
    const auto parent = all.find(process.parent);
    const bool child = process.parent == node_pid;
    const bool grandchild = parent != all.end() && parent->second.parent == node_pid;
    if (child && process.name.starts_with("redis"))
      add(memory.redis, pid);
    else if (child)
      add(memory.launcher, pid);
    else if (grandchild && process.name == "subito-network")
      add(memory.network_maker, pid);
    else if (grandchild && !parent->second.name.starts_with("redis"))
      add(memory.sandboxes, pid);
  }
  return memory;
}

Result<IdleCostResult> measure_idle_cost(const IdleCostOptions& options) {
  ASSIGN_OR_RETURN(const TempFolder folder, TempFolder::make());
  ASSIGN_OR_RETURN(Bed bed, Bed::make(options.binary, options.pool_size));
  IdleCostResult result;
  result.functions = options.functions;
  result.empty_sandboxes = options.pool_size;
  ASSIGN_OR_RETURN(result.without, settled(bed.api, options.pool_size));
  for (std::uint32_t number = 0; number < options.functions; ++number) {
    ASSIGN_OR_RETURN(const std::string copy, own_binary(bed.binary, folder.path(), number));
    RETURN_IF_ERROR(bed.api.deploy({"asleep-" + std::to_string(number), copy, "pooled"}));
    files::remove(copy);
  }
  ASSIGN_OR_RETURN(result.with, settled(bed.api, options.pool_size));
  return result;
}

nlohmann::ordered_json to_json(const IdleCostResult& result, const Machine& machine,
                               const std::string& command) {
  return {{"benchmark", "idle-cost"},
          {"command", command},
          {"machine", to_json(machine)},
          {"functions", result.functions},
          {"emptySandboxes", result.empty_sandboxes},
          {"without", memory_json(result.without)},
          {"with", memory_json(result.with)},
          {"moreBytes", more(result)},
          {"measures", measures_json({idle_measure("idle node", result.without),
                                      idle_measure("with functions asleep", result.with)})},
          {"targets",
           {{{"what", "idle node"}, {"bytesMax", kIdleBytesMax}, {"met", idle_kept(result)}},
            {{"what", "functions asleep"},
             {"bytesMax", kFunctionsBytesMax},
             {"met", functions_kept(result)}}}}};
}

std::string to_text(const IdleCostResult& result, const Machine& machine,
                    const std::string& command) {
  std::string text = words(machine) + "\n" + command + "\n\n";
  text += "| MB | processes | RSS, no function | PSS | RSS, " + std::to_string(result.functions) +
          " asleep | PSS |\n|---|--:|--:|--:|--:|--:|\n";
  text += row("node", result.without.node, result.with.node);
  text += row("launcher", result.without.launcher, result.with.launcher);
  text += row("network maker", result.without.network_maker, result.with.network_maker);
  text += row("empty sandboxes", result.without.sandboxes, result.with.sandboxes);
  text += row("its private redis-server", result.without.redis, result.with.redis);
  char sums[500];
  std::snprintf(sums, sizeof sums,
                "\nEmpty sandboxes with the kernel's memory: %.2f MB, then %.2f MB.\n\n"
                "- idle node (node and launcher by RSS, network maker by PSS, %u empty sandboxes "
                "with kernel memory, Redis not counted) under 20 MB: %.2f MB, %s\n"
                "- %u functions asleep under 5 MB more: %.2f MB, %s\n",
                mb(result.without.empty_bytes), mb(result.with.empty_bytes), result.empty_sandboxes,
                mb(result.without.total_bytes()), idle_kept(result) ? "met" : "MISSED",
                result.functions, static_cast<double>(more(result)) / 1e6,
                functions_kept(result) ? "met" : "MISSED");
  return text + sums;
}

}  // namespace subito::bench
