#include "bench/kit/process_tree.h"

#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace subito::bench {

namespace {

namespace files = std::filesystem;

std::string text_of(const files::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::map<pid_t, std::chrono::nanoseconds> times_of(const std::vector<pid_t>& roots) {
  std::map<pid_t, std::chrono::nanoseconds> times;
  for (const pid_t pid : with_descendants(processes(), roots)) times[pid] = cpu_time(pid);
  return times;
}

}  // namespace

// "pid (name) state parent ...": the name may hold anything, so the last bracket counts.
std::map<pid_t, Process> processes() {
  std::map<pid_t, Process> all;
  std::error_code error;
  for (const auto& entry : files::directory_iterator("/proc", error)) {
    const std::string folder = entry.path().filename();
    pid_t pid = 0;
    std::from_chars(folder.data(), folder.data() + folder.size(), pid);
    if (pid <= 0) continue;
    const std::string stat = text_of(entry.path() / "stat");
    const std::size_t open = stat.find('(');
    const std::size_t close = stat.rfind(')');
    if (close == stat.npos || stat.size() < close + 4) continue;
    Process process;
    process.name = stat.substr(open + 1, close - open - 1);
    const char* parent = stat.data() + close + 4;  // ") S "
    std::from_chars(parent, stat.data() + stat.size(), process.parent);
    all.emplace(pid, std::move(process));
  }
  return all;
}

std::vector<pid_t> with_descendants(const std::map<pid_t, Process>& all,
                                    const std::vector<pid_t>& roots) {
  std::vector<pid_t> found;
  std::set<pid_t> seen;
  for (const pid_t root : roots) {
    if (all.contains(root) && seen.insert(root).second) found.push_back(root);
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const auto& [pid, process] : all) {
      if (process.parent == found[i] && seen.insert(pid).second) found.push_back(pid);
    }
  }
  return found;
}

pid_t first_child_of(pid_t parent) {
  for (const auto& [pid, process] : processes()) {
    if (process.parent == parent) return pid;
  }
  return 0;
}

std::chrono::nanoseconds cpu_time(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (pid <= 0) return {};  // would be this process
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

CpuMeter::CpuMeter(std::vector<pid_t> roots)
    : roots_(std::move(roots)), before_(times_of(roots_)) {}

CpuUse CpuMeter::used() const {
  CpuUse use;
  const std::map<pid_t, std::chrono::nanoseconds> now = times_of(roots_);
  for (const auto& [pid, time] : now) {
    const auto before = before_.find(pid);
    use.time += before == before_.end() ? time : time - before->second;
  }
  for (const auto& [pid, time] : before_) use.ended += now.contains(pid) ? 0 : 1;
  return use;
}

std::string kernel_text(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::uint64_t value_of(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t value = 0;
    if (words >> name >> value && name == key) return value;
  }
  return 0;
}

}  // namespace subito::bench
