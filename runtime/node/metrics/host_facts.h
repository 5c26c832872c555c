// HostFacts: what the kernel tells of this process and its host: CPU, memory, descriptors,
// pressure. Read from getrusage(2) and proc(5) when asked, some 0.2 ms; the take_*() parts are
// pure. What cannot be read stays 0 or empty.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/base/time.h"

namespace subito::node {

inline constexpr std::array<std::string_view, 3> kPressures = {"cpu", "memory", "io"};

struct HostFacts {
  Duration process_cpu{};
  Duration thread_cpu{};  // of the thread that asks
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
  std::uint32_t cpus = 0;
  Duration busy{};  // of all processors of the host, since it began
  Duration idle{};
  Duration stolen{};
  std::uint64_t memory_total_bytes = 0;
  std::uint64_t memory_available_bytes = 0;
  std::array<std::optional<Duration>, kPressures.size()> pressure;  // by kPressures
};

HostFacts read_host_facts();
Duration thread_cpu();  // of the thread that asks

void take_proc_stat(std::string_view text, std::int64_t ticks_per_second, HostFacts& facts);
void take_meminfo(std::string_view text, HostFacts& facts);
// "some avg10=0.00 ... total=12": microseconds.
std::optional<Duration> pressure_total(std::string_view text);

}  // namespace subito::node
