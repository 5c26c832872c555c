#include "runtime/sandbox/sandbox_types.h"

#include <array>

namespace subito::sandbox {

std::string_view to_string(Step step) {
  static constexpr std::array<std::string_view, kStepCount> kNames = {
      "none",
      "make network namespace",
      "clone",
      "make session",
      "enter prepared root",
      "make namespaces",
      "set hostname",
      "mount /tmp",
      "mount /proc",
      "make cgroup",
      "join cgroup",
      "make cgroup namespace",
      "take network namespace",
      "set user",
      "make user namespace",
      "drop capabilities",
      "tie to launcher",
      "take descriptors",
      "install seccomp filter",
      "await launch",
      "set limits",
      "write granted files",
      "exec",
  };
  static_assert(kNames.back() == "exec");
  const auto index = static_cast<std::uint32_t>(step);
  return index < kStepCount ? kNames[index] : "unknown step";
}

}  // namespace subito::sandbox
