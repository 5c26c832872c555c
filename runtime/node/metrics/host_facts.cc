#include "runtime/node/metrics/host_facts.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace subito::node {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

// The number that stands behind `key`, blanks between; nullopt: there is none.
std::optional<std::uint64_t> number_behind(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == text.npos) return std::nullopt;
  text.remove_prefix(at + key.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  static_cast<void>(end);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

Duration cpu_of(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  const auto duration = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return duration(usage.ru_utime) + duration(usage.ru_stime);
}

// Since Linux 6.2 the size of the folder is their number (proc(5)); before they are counted.
std::uint64_t open_descriptors() {
  struct stat info {};
  if (::stat("/proc/self/fd", &info) == 0 && info.st_size > 0) {
    return static_cast<std::uint64_t>(info.st_size);
  }
  std::uint64_t count = 0;
  std::error_code error;
  std::filesystem::directory_iterator at("/proc/self/fd", error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) ++count;
  return count;
}

}  // namespace

// proc(5): user nice system idle iowait irq softirq steal; guests are in user already.
void take_proc_stat(std::string_view text, std::int64_t ticks_per_second, HostFacts& facts) {
  std::istringstream line{std::string(text.substr(0, text.find('\n')))};
  std::string name;
  std::int64_t user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, soft = 0, steal = 0;
  if (!(line >> name >> user >> nice >> system >> idle >> waiting >> irq >> soft >> steal)) return;
  const auto duration = [&](std::int64_t ticks) {
    return std::chrono::milliseconds(ticks * 1000 / ticks_per_second);
  };
  facts.busy = duration(user + nice + system + irq + soft);
  facts.idle = duration(idle + waiting);
  facts.stolen = duration(steal);
}

void take_meminfo(std::string_view text, HostFacts& facts) {
  constexpr std::uint64_t kKibibyte = 1024;
  facts.memory_total_bytes = number_behind(text, "MemTotal:").value_or(0) * kKibibyte;
  facts.memory_available_bytes = number_behind(text, "MemAvailable:").value_or(0) * kKibibyte;
}

std::optional<Duration> pressure_total(std::string_view text) {
  if (!text.starts_with("some ")) return std::nullopt;
  const auto total = number_behind(text.substr(0, text.find('\n')), "total=");
  if (!total) return std::nullopt;
  return std::chrono::microseconds(*total);
}

Duration thread_cpu() {
  return cpu_of(RUSAGE_THREAD);
}

HostFacts read_host_facts() {
  HostFacts facts;
  facts.process_cpu = cpu_of(RUSAGE_SELF);
  facts.thread_cpu = thread_cpu();
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;  // the second is what is resident
  facts.resident_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  facts.open_fds = open_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.max_fds = limit.rlim_cur;
  facts.cpus = static_cast<std::uint32_t>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 0L));
  take_proc_stat(content_of("/proc/stat"), ::sysconf(_SC_CLK_TCK), facts);
  take_meminfo(content_of("/proc/meminfo"), facts);
  for (std::size_t i = 0; i < kPressures.size(); ++i) {
    facts.pressure[i] = pressure_total(content_of("/proc/pressure/" + std::string(kPressures[i])));
  }
  return facts;
}

}  // namespace subito::node
