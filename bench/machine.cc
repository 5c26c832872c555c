#include "bench/machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "bench/child.h"

namespace subito::bench {

namespace {

std::string read_file(const char* path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string cpu_model() {
  std::istringstream lines(read_file("/proc/cpuinfo"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != line.npos) return line.substr(colon + 2);
  }
  return "unknown";
}

// What the kernel is set to that moves figures; one that is not there is left out.
std::vector<std::pair<std::string, std::string>> kernel_settings() {
  std::vector<std::pair<std::string, std::string>> settings;
  for (const auto& [name, file] :
       {std::pair("transparentHugepage", "/sys/kernel/mm/transparent_hugepage/enabled"),
        std::pair("overcommitMemory", "/proc/sys/vm/overcommit_memory"),
        std::pair("swappiness", "/proc/sys/vm/swappiness"),
        std::pair("randomizeVaSpace", "/proc/sys/kernel/randomize_va_space"),
        std::pair("somaxconn", "/proc/sys/net/core/somaxconn"),
        std::pair("clocksource",
                  "/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        std::pair("cpuGovernor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")}) {
    std::string value = read_file(file);
    value = value.substr(0, value.find('\n'));
    if (!value.empty()) settings.emplace_back(name, std::move(value));
  }
  return settings;
}

std::string commit_of(const std::string& program) {
  const std::string folder = std::filesystem::path(program).parent_path().string();
  const auto head = run({"git", {"git", "-C", folder, "rev-parse", "--short", "HEAD"}});
  if (!head || head->exit_code != 0) return "unknown";
  const auto changes =
      run({"git",
           {"git", "-C", folder, "status", "--porcelain", "-uno", "--", ":/runtime", ":/scheduler",
            ":/autoscaler", ":/functions", ":/deploy", ":/bench", ":(top,exclude)bench/reports"}});
  std::string commit = head->output.substr(0, head->output.find('\n'));
  if (!changes || !changes->output.empty()) commit += ", changed";
  return commit;
}

}  // namespace

void read_cgroups(const std::string& mounts, Machine& machine) {
  bool one = false;
  bool two = false;
  std::istringstream lines(mounts);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string source, where, type, options;
    words >> source >> where >> type >> options;
    if (type != "cgroup" && type != "cgroup2") continue;
    (type == "cgroup" ? one : two) = true;
    if (("," + options + ",").find(",favordynmods,") != std::string::npos) {
      machine.favordynmods = true;
    }
  }
  machine.cgroups = one && two ? "version 1, version 2 mounted beside it"
                    : one      ? "version 1"
                    : two      ? "version 2"
                               : "none";
}

Machine describe_machine(const std::string& program) {
  Machine machine;
  machine.cpu = cpu_model();
  machine.cores = static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN));
  utsname name{};
  if (::uname(&name) == 0) machine.kernel = std::string(name.sysname) + " " + name.release;
  read_cgroups(read_file("/proc/mounts"), machine);
  const std::string load = read_file("/proc/loadavg");
  std::istringstream numbers(load);
  std::string a, b, c;
  numbers >> a >> b >> c;
  machine.load = a + " " + b + " " + c;
  machine.commit = commit_of(program);
  machine.settings = kernel_settings();
  return machine;
}

nlohmann::ordered_json to_json(const Machine& machine) {
  nlohmann::ordered_json settings = nlohmann::ordered_json::object();
  for (const auto& [name, value] : machine.settings) settings[name] = value;
  return {{"cpu", machine.cpu},
          {"cores", machine.cores},
          {"kernel", machine.kernel},
          {"cgroups", machine.cgroups},
          {"favordynmods", machine.favordynmods},
          {"loadAtBegin", machine.load},
          {"commit", machine.commit},
          {"settings", settings}};
}

std::string words(const Machine& machine) {
  return machine.cpu + ", " + std::to_string(machine.cores) + " cores, " + machine.kernel +
         ", cgroups " + machine.cgroups +
         (machine.favordynmods ? " (favordynmods)" : " (without favordynmods)") + ", load " +
         machine.load + ", commit " + machine.commit;
}

}  // namespace subito::bench
