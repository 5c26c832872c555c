#include "runtime/pods/memory_usage.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace subito::pods {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

std::uint64_t kernel_bytes(const std::string& cgroup) {
  const std::string v1 = read_file(cgroup + "/memory.kmem.usage_in_bytes");
  if (!v1.empty()) return std::strtoull(v1.c_str(), nullptr, 10);
  return find_number(read_file(cgroup + "/memory.stat"), "kernel");
}

}  // namespace

std::uint64_t find_number(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.rfind(key, 0) != 0 || line.size() == key.size()) continue;
    if (line[key.size()] != ' ' && line[key.size()] != ':') continue;
    return std::strtoull(line.c_str() + key.size() + 1, nullptr, 10);
  }
  return 0;
}

std::uint64_t memory_usage_bytes(pid_t pid, const std::string& memory_cgroup) {
  const std::string rollup = read_file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  return find_number(rollup, "Pss") * 1024 + kernel_bytes(memory_cgroup);
}

}  // namespace subito::pods
